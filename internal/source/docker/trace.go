package docker

import (
	"regexp"
	"strings"
)

// guesser tells which lines of one stream are at error level. The lines of a stack trace belong to the line before
// them. Its zero value is at the beginning of a log.
type guesser struct{ state trace }

// trace is where in a stack trace the next line may be.
type trace int

const (
	traceNone  trace = iota
	traceAfter       // an error was logged, and its trace may follow
	tracePy          // in Python's trace, which ends with the exception itself
	traceStack       // among the frames
)

// counts tells whether a line is an error of its own.
func (g *guesser) counts(line string) bool {
	line = ansi.ReplaceAllString(strings.TrimRight(line, "\r\n"), "")
	if g.state != traceNone && (strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "    ")) {
		return false // a frame, whatever it says
	}
	said := levelOf(line)
	head := said == levelNone && traceHead(line)
	switch {
	case said == levelBad:
		g.state = traceAfter
		return true
	case said == levelFine:
		g.state = traceNone
		return false
	case g.continued(line, head):
		return false
	case !head:
		g.state = traceNone
		return false
	}
	g.state = traceStack
	if strings.HasPrefix(line, pythonTrace) {
		g.state = tracePy
	}
	return true
}

// continued tells whether a line without a level belongs to the trace before it.
func (g *guesser) continued(line string, head bool) bool {
	if g.state == traceNone {
		return false
	}
	if line == "" || strings.HasPrefix(line, "  ") || chained.MatchString(line) {
		if strings.HasPrefix(line, "During handling") || strings.HasPrefix(line, "The above exception") {
			g.state = traceAfter // another trace follows
		}
		return true
	}
	switch {
	case g.state == tracePy:
		g.state = traceStack
		return true
	case g.state == traceAfter && head:
		g.state = traceStack
		if strings.HasPrefix(line, pythonTrace) {
			g.state = tracePy
		}
		return true
	}
	return false
}

const pythonTrace = "Traceback (most recent call last)"

var (
	ansi      = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)
	chained   = regexp.MustCompile(`^(Caused by: |During handling of |The above exception was |Suppressed: |\.\.\. \d+ more|at \S+\()`)
	exception = regexp.MustCompile(`^(Exception in thread |Unhandled (exception|rejection|Rejection)|Uncaught |panic: |fatal error: |Segmentation fault|` +
		`([A-Za-z_][\w.$:]*)?(Error|Exception)( \[\w+\])?(:|$))`)
	rustPanic = regexp.MustCompile(`^thread '[^']*' (\(\d+\) )?panicked at `)
)

// traceHead tells whether a line begins a stack trace without naming a level.
func traceHead(line string) bool {
	line = line[:min(len(line), judgedBytes)]
	return strings.HasPrefix(line, pythonTrace) || exception.MatchString(line) && !saysNone(after(line)) || rustPanic.MatchString(line)
}

// after is what follows the first colon.
func after(line string) string {
	_, rest, _ := strings.Cut(line, ":")
	return rest
}
