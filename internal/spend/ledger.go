package spend

import (
	"slices"
	"time"
)

// HeldFor is how long a reservation waits to be settled. Whoever made it is taken to be dead then. It stays spent as it
// was reserved: nobody knows what the call cost.
const HeldFor = 180 * time.Second

// maxHeld bounds the record; where there are more, the oldest stay spent as they were reserved.
const maxHeld = 2048

// Ledger is what the fleet has used and holds. The zero value has used nothing.
type Ledger struct {
	Hour Window `json:"hour"`
	Day  Window `json:"day"`
	Held []Held `json:"held,omitempty"` // oldest first
}

// Window is one hour or one day of use, reservations included.
type Window struct {
	Since       time.Time `json:"since"`
	Calls       int       `json:"calls"`
	Tokens      int       `json:"tokens"`
	CallsSpent  time.Time `json:"calls_spent,omitzero"`  // when calls were refused, and none has been taken since
	TokensSpent time.Time `json:"tokens_spent,omitzero"` // the same of tokens
}

// Held is a reservation: one call that is being made.
type Held struct {
	ID     string    `json:"id"`
	At     time.Time `json:"at"` // it counts in the hour and the day that have it
	Calls  int       `json:"calls"`
	Tokens int       `json:"tokens"`
}

// Reserve books h, unless that would exceed a limit. Then it says which budget is spent, the one that is so for longest,
// and next only notes that.
func (l Ledger) Reserve(limits Limits, h Held) (next Ledger, spent *Spent) {
	next = l.at(h.At)
	if slices.ContainsFunc(next.Held, func(x Held) bool { return x.ID == h.ID }) {
		return next, nil // it was stored, and nobody heard of that
	}
	budgets := next.budgets(limits)
	for _, b := range budgets {
		if needs := b.of(h); b.limit > 0 && *b.used+needs > b.limit {
			if b.mark.IsZero() {
				*b.mark = h.At
			}
			if s := b.spent(needs); spent == nil || s.Until.After(spent.Until) {
				spent = &s
			}
		}
	}
	if spent != nil {
		return next, spent
	}
	for _, b := range budgets {
		*b.mark = time.Time{}
	}
	next.Hour.add(h.Calls, h.Tokens)
	next.Day.add(h.Calls, h.Tokens)
	next.Held = append(next.Held, h)
	next.Held = next.Held[max(0, len(next.Held)-maxHeld):]
	return next, nil
}

// Settle puts what a call really used in place of what was reserved for it. One that is not held any more stays as it is.
func (l Ledger) Settle(now time.Time, id string, calls, tokens int) Ledger {
	i := slices.IndexFunc(l.Held, func(h Held) bool { return h.ID == id })
	if i < 0 {
		return l.at(now)
	}
	h := l.Held[i]
	l.Held = slices.Delete(slices.Clone(l.Held), i, i+1)
	l = l.at(now)
	l.Hour.correct(h, time.Hour, calls, tokens)
	l.Day.correct(h, day, calls, tokens)
	return l
}

// Spent lists the budgets that have no room at the given time: used up, or a call has been refused and none taken since.
func (l Ledger) Spent(limits Limits, now time.Time) []Spent {
	var all []Spent
	l = l.at(now)
	for _, b := range l.budgets(limits) {
		if b.limit > 0 && (*b.used >= b.limit || !b.mark.IsZero()) {
			all = append(all, b.spent(0))
		}
	}
	return all
}

const day = 24 * time.Hour

// at is the ledger as of now: windows that are over begin anew, reservations that waited for too long end.
func (l Ledger) at(now time.Time) Ledger {
	l.Hour, l.Day = l.Hour.at(now, time.Hour), l.Day.at(now, day)
	l.Held = slices.DeleteFunc(slices.Clone(l.Held), func(h Held) bool { return now.Sub(h.At) >= HeldFor })
	return l
}

// at keeps a window that began a little later than now: another clock is ahead. One that lies further ahead is of a clock
// that was wrong.
func (w Window) at(now time.Time, length time.Duration) Window {
	since := now.UTC().Truncate(length)
	if since.After(w.Since) || w.Since.After(now.Add(length)) {
		return Window{Since: since}
	}
	return w
}

func (w *Window) add(calls, tokens int) {
	w.Calls, w.Tokens = max(0, w.Calls+calls), max(0, w.Tokens+tokens)
}

// correct puts what was used in place of h, if it counts in w.
func (w *Window) correct(h Held, length time.Duration, calls, tokens int) {
	if !h.At.Before(w.Since) && h.At.Before(w.Since.Add(length)) {
		w.add(calls-h.Calls, tokens-h.Tokens)
	}
}

// budget is one limit and where its use is counted.
type budget struct {
	name  string
	limit int
	used  *int
	mark  *time.Time
	until time.Time
	of    func(Held) int
}

func (l *Ledger) budgets(limits Limits) []budget {
	calls := func(h Held) int { return h.Calls }
	tokens := func(h Held) int { return h.Tokens }
	hour, midnight := l.Hour.Since.Add(time.Hour), l.Day.Since.Add(day)
	return []budget{
		{CallsPerHour, limits.CallsPerHour, &l.Hour.Calls, &l.Hour.CallsSpent, hour, calls},
		{TokensPerHour, limits.TokensPerHour, &l.Hour.Tokens, &l.Hour.TokensSpent, hour, tokens},
		{TokensPerDay, limits.TokensPerDay, &l.Day.Tokens, &l.Day.TokensSpent, midnight, tokens},
	}
}

func (b budget) spent(needs int) Spent {
	return Spent{Budget: b.name, Limit: b.limit, Needs: needs, Since: *b.mark, Until: b.until}
}
