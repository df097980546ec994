package spend_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/spend"
)

func at(clock string) time.Time {
	t, err := time.Parse("2 15:04:05", clock)
	if err != nil {
		panic(err)
	}
	return t.AddDate(2026, 10, 0) // November 2026
}

// use is one step of a story: a reservation, or a settlement if it has settles.
type use struct {
	at, id  string
	tokens  int
	settles bool
	calls   int
}

func reserve(at, id string, tokens int) use { return use{at: at, id: id, tokens: tokens, calls: 1} }
func settle(at, id string, tokens int) use {
	return use{at: at, id: id, tokens: tokens, settles: true, calls: 1}
}

// play gives the ledger after all steps, and what each reservation was refused with.
func play(limits spend.Limits, story []use) (l spend.Ledger, refused []string) {
	for _, u := range story {
		if u.settles {
			l = l.Settle(at(u.at), u.id, u.calls, u.tokens)
			continue
		}
		var spent *spend.Spent
		if l, spent = l.Reserve(limits, spend.Held{ID: u.id, At: at(u.at), Calls: u.calls, Tokens: u.tokens}); spent != nil {
			refused = append(refused, u.id+": "+spent.Error())
		}
	}
	return l, refused
}

func TestReservationsAreRefusedWhenABudgetIsSpent(t *testing.T) {
	calls := spend.Limits{CallsPerHour: 2}
	tokens := spend.Limits{TokensPerHour: 10_000, TokensPerDay: 15_000}
	tests := []struct {
		name   string
		limits spend.Limits
		story  []use
		want   []string
	}{
		{"no-limit", spend.Limits{}, []use{reserve("24 20:00:00", "a", 1e9), reserve("24 20:00:00", "b", 1e9)}, nil},
		{
			"calls-of-an-hour", calls,
			[]use{reserve("24 20:00:00", "a", 1), reserve("24 20:30:00", "b", 1), reserve("24 20:59:59", "c", 1), reserve("24 21:00:00", "d", 1)},
			[]string{"c: the budget of 2 calls per hour is spent until 21:00 UTC"},
		},
		{"one-call", spend.Limits{CallsPerHour: 1}, []use{reserve("24 20:00:00", "a", 1), reserve("24 20:00:00", "b", 1)}, []string{"b: the budget of 1 call per hour is spent until 21:00 UTC"}},
		{"held-tokens-count", tokens, []use{reserve("24 20:00:00", "a", 6000), reserve("24 20:00:01", "b", 6000)}, []string{"b: the budget of 10,000 tokens per hour is spent until 21:00 UTC"}},
		{"what-was-not-used-is-given-back", tokens, []use{reserve("24 20:00:00", "a", 6000), settle("24 20:00:02", "a", 3000), reserve("24 20:00:03", "b", 6000)}, nil},
		{
			"what-was-used-beyond-it-counts", tokens,
			[]use{reserve("24 20:00:00", "a", 3000), settle("24 20:00:02", "a", 6000), reserve("24 20:00:03", "b", 5000)},
			[]string{"b: the budget of 10,000 tokens per hour is spent until 21:00 UTC"},
		},
		{
			"tokens-of-a-day", tokens,
			[]use{reserve("24 20:00:00", "a", 9000), reserve("24 21:00:00", "b", 6000), reserve("24 22:00:00", "c", 100), reserve("25 00:00:00", "d", 100)},
			[]string{"c: the budget of 15,000 tokens per day is spent until 25 Nov 00:00 UTC"},
		},
		{
			"the-longest-is-named", tokens,
			[]use{reserve("24 20:00:00", "a", 9000), reserve("24 20:00:00", "b", 9000)},
			[]string{"b: the budget of 15,000 tokens per day is spent until 25 Nov 00:00 UTC"},
		},
		{
			"killed-stays-spent", calls,
			[]use{reserve("24 20:00:00", "a", 1), reserve("24 20:10:00", "b", 1), reserve("24 20:20:00", "c", 1)},
			[]string{"c: the budget of 2 calls per hour is spent until 21:00 UTC"},
		},
		{"more-than-all", tokens, []use{reserve("24 20:00:00", "a", 10_001)}, []string{"a: one call may take 10,001 tokens, and the whole budget is 10,000 tokens per hour"}},
		{"a-clock-that-is-behind", calls, []use{reserve("24 21:00:01", "a", 1), reserve("24 20:59:59", "b", 1), reserve("24 20:59:59", "c", 1)}, []string{"c: the budget of 2 calls per hour is spent until 22:00 UTC"}},
		{"a-clock-that-was-wrong", calls, []use{reserve("30 20:00:00", "a", 1), reserve("30 20:00:00", "b", 1), reserve("24 20:00:00", "c", 1)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got := play(tt.limits, tt.story)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSettlementsCountWhereTheirCallBegan(t *testing.T) {
	hour := func(clock string, calls, tokens int) spend.Window {
		return spend.Window{Since: at(clock), Calls: calls, Tokens: tokens}
	}
	held := spend.Held{ID: "b", At: at("24 20:59:00"), Calls: 1, Tokens: 500}
	tests := []struct {
		name  string
		story []use
		want  spend.Ledger
	}{
		{"at-once", []use{reserve("24 20:00:00", "a", 900), settle("24 20:00:01", "a", 400)}, spend.Ledger{Hour: hour("24 20:00:00", 1, 400), Day: hour("24 00:00:00", 1, 400)}},
		{"in-the-next-hour", []use{reserve("24 20:59:00", "a", 900), settle("24 21:00:01", "a", 400)}, spend.Ledger{Hour: hour("24 21:00:00", 0, 0), Day: hour("24 00:00:00", 1, 400)}},
		{"on-the-next-day", []use{reserve("24 23:59:00", "a", 900), settle("25 00:00:01", "a", 400)}, spend.Ledger{Hour: hour("25 00:00:00", 0, 0), Day: hour("25 00:00:00", 0, 0)}},
		{"reserved-twice", []use{reserve("24 20:00:00", "a", 900), reserve("24 20:00:00", "a", 900), settle("24 20:00:01", "a", 400)}, spend.Ledger{Hour: hour("24 20:00:00", 1, 400), Day: hour("24 00:00:00", 1, 400)}},
		{"twice", []use{reserve("24 20:00:00", "a", 900), settle("24 20:00:01", "a", 400), settle("24 20:00:02", "a", 10)}, spend.Ledger{Hour: hour("24 20:00:00", 1, 400), Day: hour("24 00:00:00", 1, 400)}},
		{"late-but-still-known", []use{reserve("24 20:00:00", "a", 900), settle("24 20:05:00", "a", 400)}, spend.Ledger{Hour: hour("24 20:00:00", 1, 400), Day: hour("24 00:00:00", 1, 400)}},
		{
			"after-it-ended",
			[]use{reserve("24 20:56:00", "a", 900), reserve("24 20:59:00", "b", 500), settle("24 20:59:01", "a", 400)},
			spend.Ledger{Hour: hour("24 20:00:00", 2, 1400), Day: hour("24 00:00:00", 2, 1400), Held: []spend.Held{held}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, refused := play(spend.Limits{}, tt.story)
			if diff := cmp.Diff(tt.want, got, cmp.Transformer("empty", func(h []spend.Held) []spend.Held { return append([]spend.Held{}, h...) })); diff != "" {
				t.Errorf("ledger (-want +got):\n%s", diff)
			}
			if len(refused) > 0 {
				t.Error(refused)
			}
		})
	}
}

func TestABudgetIsSpentUntilItBeginsAnewOrACallIsTaken(t *testing.T) {
	limits := spend.Limits{CallsPerHour: 3, TokensPerHour: 1000}
	big := []use{reserve("24 20:00:00", "a", 600), reserve("24 20:10:00", "b", 600)}
	tests := []struct {
		name  string
		story []use
		at    string
		want  []string // name and since when
	}{
		{"nothing-used", nil, "24 20:00:00", nil},
		{"refused", big, "24 20:20:00", []string{"tokens-per-hour 20:10"}},
		{"refused-again", append(big[:2:2], reserve("24 20:15:00", "c", 600)), "24 20:20:00", []string{"tokens-per-hour 20:10"}},
		{"anew", big, "24 21:00:00", nil},
		{"taken", append(big[:2:2], reserve("24 20:15:00", "c", 300)), "24 20:20:00", nil},
		{"used-up", []use{reserve("24 20:00:00", "a", 1), reserve("24 20:00:00", "b", 1), reserve("24 20:00:00", "c", 1)}, "24 20:00:01", []string{"calls-per-hour 00:00"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := play(limits, tt.story)
			var got []string
			for _, s := range l.Spent(limits, at(tt.at)) {
				got = append(got, s.Budget+" "+s.Since.Format("15:04"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("spent (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALedgerIsBounded(t *testing.T) {
	var l spend.Ledger
	for n := range 5000 {
		l, _ = l.Reserve(spend.Limits{}, spend.Held{ID: strconv.Itoa(n), At: at("24 20:00:00"), Calls: 1, Tokens: 2})
	}
	if len(l.Held) > 2048 || l.Hour.Calls != 5000 || l.Day.Tokens != 10_000 {
		t.Errorf("%d held, %d calls, %d tokens", len(l.Held), l.Hour.Calls, l.Day.Tokens)
	}
}

func TestCostIsByMillionTokens(t *testing.T) {
	p := spend.Prices{Prompt: 2.5, Completion: 10}
	if got := p.Cost(4000, 500); got != 0.015 {
		t.Errorf("cost %v", got)
	}
}
