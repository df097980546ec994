package spend

import (
	"fmt"
	"strconv"
	"time"
)

// Limits are what the whole fleet may use of the model. 0 means no limit.
type Limits struct {
	CallsPerHour  int
	TokensPerHour int
	TokensPerDay  int
}

// None tells whether nothing is limited.
func (l Limits) None() bool { return l == Limits{} }

// Names of the budgets.
const (
	CallsPerHour  = "calls-per-hour"
	TokensPerHour = "tokens-per-hour"
	TokensPerDay  = "tokens-per-day"
)

// Spent is a budget that leaves no room for a call. As an error it says so in words for people.
type Spent struct {
	Budget string // its name
	Limit  int
	Needs  int       // what the call could take
	Since  time.Time // when the first call was refused; zero: none has been
	Until  time.Time // when there is room again
}

// Error is such as "the budget of 10 calls per hour is spent until 21:00 UTC".
func (s Spent) Error() string {
	if s.Needs > s.Limit {
		return fmt.Sprintf("one call may take %s tokens, and the whole budget is %s", grouped(s.Needs), s.Title())
	}
	return fmt.Sprintf("the budget of %s is spent until %s", s.Title(), s.Ends())
}

// Title is such as "10 calls per hour".
func (s Spent) Title() string {
	switch s.Budget {
	case CallsPerHour:
		return counted(s.Limit, "call") + " per hour"
	case TokensPerHour:
		return counted(s.Limit, "token") + " per hour"
	}
	return counted(s.Limit, "token") + " per day"
}

// Ends is when the budget begins anew.
func (s Spent) Ends() string {
	if s.Budget == TokensPerDay {
		return s.Until.UTC().Format("2 Jan 15:04 UTC")
	}
	return s.Until.UTC().Format("15:04 UTC")
}

func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + one + "s"
}

// grouped is n with a comma before every three digits.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Prices are per million tokens.
type Prices struct {
	Prompt     float64
	Completion float64
}

// Cost of so many tokens of the prompt and of the answer.
func (p Prices) Cost(prompt, completion int) float64 {
	return (p.Prompt*float64(prompt) + p.Completion*float64(completion)) / 1e6
}
