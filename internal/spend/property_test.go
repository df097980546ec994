package spend_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// record is the one kept record that all analyzers share.
type record struct {
	ledger spend.Ledger
	rev    int
}

// spender is an analyzer that reads the record, decides, and writes it if nobody has written in between.
type spender struct {
	read   record
	has    bool
	making *spend.Held // the call that is being made
}

// bill is what the model's server really counts, by the hour and the day in which a call began.
type bill struct {
	calls, tokens map[time.Time]int
	days          map[time.Time]int
}

func (b *bill) add(h spend.Held, tokens int) {
	b.calls[h.At.Truncate(time.Hour)]++
	b.tokens[h.At.Truncate(time.Hour)] += tokens
	b.days[h.At.Truncate(24*time.Hour)] += tokens
}

// Two to five analyzers reserve, call, settle and die in every order that chance has, while hours and days pass. A call
// never uses more than was reserved for it.
func TestAnalyzersTogetherNeverOverspend(t *testing.T) {
	for seed := range uint64(300) {
		dice := rand.New(rand.NewPCG(seed, 5))
		limits := spend.Limits{CallsPerHour: 1 + dice.IntN(12), TokensPerHour: 1000 * dice.IntN(20), TokensPerDay: 1000 * dice.IntN(60)}
		b := bill{map[time.Time]int{}, map[time.Time]int{}, map[time.Time]int{}}
		spenders := make([]spender, 2+dice.IntN(4))
		var kept record
		now := at("24 20:00:00")
		taken, refused := 0, 0
		for n := range 2000 {
			now = now.Add(time.Duration(dice.IntN(90)) * time.Second)
			s := &spenders[dice.IntN(len(spenders))]
			switch {
			case dice.IntN(40) == 0: // killed; its call may have been served whole
				if s.making != nil {
					b.add(*s.making, s.making.Tokens)
				}
				*s = spender{}
			case !s.has:
				s.read, s.has = kept, true
			default:
				s.has = false
				if s.making != nil {
					used := dice.IntN(s.making.Tokens + 1)
					next := s.read.ledger.Settle(now, s.making.ID, 1, used)
					if kept.write(s.read, next) {
						b.add(*s.making, used)
						s.making = nil
					}
					continue
				}
				h := spend.Held{ID: fmt.Sprint(n), At: now, Calls: 1, Tokens: 1 + dice.IntN(3000)}
				next, spent := s.read.ledger.Reserve(limits, h)
				switch {
				case !kept.write(s.read, next):
				case spent != nil:
					refused++
				default:
					taken++
					s.making = &h
				}
			}
		}
		over(t, seed, "calls of an hour", b.calls, limits.CallsPerHour)
		over(t, seed, "tokens of an hour", b.tokens, limits.TokensPerHour)
		over(t, seed, "tokens of a day", b.days, limits.TokensPerDay)
		if taken == 0 || refused == 0 {
			t.Errorf("seed %d: %d taken, %d refused: nothing was at stake", seed, taken, refused)
		}
	}
}

// write stores next unless somebody has written since read.
func (r *record) write(read record, next spend.Ledger) bool {
	if read.rev != r.rev {
		return false
	}
	*r = record{next, r.rev + 1}
	return true
}

func over(t *testing.T, seed uint64, what string, used map[time.Time]int, limit int) {
	t.Helper()
	for since, n := range used {
		if limit > 0 && n > limit {
			t.Errorf("seed %d: %d %s from %s, of %d", seed, n, what, since.Format("2 15:04"), limit)
		}
	}
}
