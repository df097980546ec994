package console

import "github.com/bellbuoy/bellbuoy/internal/schema"

// ANSI's basic colours, which every terminal draws readably on its own background. Nothing is white, black or bright.
const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// paint puts s in a colour where colours are used.
func (p *Printer) paint(colour, s string) string {
	if p.o.Color != ColorAlways || colour == "" || s == "" {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// Tags are four columns wide, so that what follows them is aligned.
const (
	tagNone = "    "
	tagWell = "ok  "
)

// tag is a severity at a glance.
func tag(severity string) string {
	switch severity {
	case schema.SeverityCritical:
		return "CRIT"
	case schema.SeverityWarning:
		return "WARN"
	}
	return "info"
}

func (p *Printer) paintTag(t string) string {
	switch t {
	case "CRIT":
		return p.paint(red, t)
	case "WARN":
		return p.paint(yellow, t)
	case "info":
		return p.paint(cyan, t)
	case tagWell:
		return p.paint(green, t)
	}
	return t
}

func severityColour(severity string) string {
	switch severity {
	case schema.SeverityCritical:
		return red
	case schema.SeverityWarning:
		return yellow
	}
	return cyan
}
