package config

import (
	"errors"
	"fmt"
	"strings"
)

// Error lists all that is wrong with a configuration.
type Error struct{ Mistakes []Mistake }

// Error has one mistake per line.
func (e *Error) Error() string {
	if len(e.Mistakes) == 1 {
		return "configuration: " + e.Mistakes[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "configuration: %d mistakes", len(e.Mistakes))
	for _, m := range e.Mistakes {
		b.WriteString("\n  ")
		b.WriteString(m.Error())
	}
	return b.String()
}

// Mistake is one variable that is wrong. A Validate method may leave the prefix off the name, and leaves the value
// empty where it is secret.
type Mistake struct {
	Name    string // of the variable; empty: the problem is of several variables and names them
	Value   string // what it is set to
	Problem string // continues the sentence that name and value begin, and says what is allowed
	Fix     string // what to do, where the problem does not say it
}

// maxShown is how many bytes of a value an error repeats.
const maxShown = 120

// Error is one sentence such as: BELLBUOY_INTERVAL="soon" is not a duration such as 15s, 5m or 1h30m.
func (m Mistake) Error() string {
	if m.Fix != "" {
		return m.Sentence() + "; " + m.Fix
	}
	return m.Sentence()
}

// Sentence is Error without the fix.
func (m Mistake) Sentence() string {
	value := m.Value
	if len(value) > maxShown {
		value = strings.ToValidUTF8(value[:maxShown], "") + "…"
	}
	switch {
	case m.Name == "":
		return m.Problem
	case m.Value == "":
		return m.Name + " " + m.Problem
	}
	return fmt.Sprintf("%s=%q %s", m.Name, value, m.Problem)
}

// mistakes takes err, which may be several joined, apart.
func mistakes(err error) []Mistake {
	if err == nil {
		return nil
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Mistake
		for _, e := range several.Unwrap() {
			all = append(all, mistakes(e)...)
		}
		return all
	}
	if m, ok := errors.AsType[Mistake](err); ok {
		return []Mistake{m}
	}
	return []Mistake{{Problem: err.Error()}}
}
