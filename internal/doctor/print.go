package doctor

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	column    = 31 // where the text of a finding begins
	leastText = 20 // characters of a text that a line has, however narrow the terminal
)

// Print writes the findings as people read them: one line each, folded at width characters (0: not at all), the fix on
// the next one; then what leaves this machine, and a summary.
func Print(out io.Writer, all []Finding, width int) error {
	p := printer{width: width}
	for _, f := range all {
		if f.Area != AreaLeaves {
			p.finding(f)
		}
	}
	p.text.WriteString("\nwhat leaves this machine\n")
	for _, f := range all {
		if f.Area == AreaLeaves {
			p.entry(fmt.Sprintf("  %-*s", column-3, f.Name), f.What)
		}
	}
	p.text.WriteString("\n" + Summary(all) + "\n")
	_, err := io.WriteString(out, p.text.String())
	return err
}

// Summary counts the findings by level.
func Summary(all []Finding) string {
	return fmt.Sprintf("%s, %s", counted(count(all, Fault), "fault"), counted(count(all, Warn), "warning"))
}

func counted(n int, what string) string {
	switch n {
	case 0:
		return "no " + what
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type printer struct {
	text  strings.Builder
	width int
}

func (p *printer) finding(f Finding) {
	name := f.Area
	if f.Name != f.Area {
		name += " " + f.Name
	}
	p.entry(fmt.Sprintf("%-5s  %-*s", f.Level, column-8, name), f.What)
	if f.Fix != "" {
		p.entry(strings.Repeat(" ", column-6)+"fix:", f.Fix)
	}
}

// entry is a head and a text behind it, whose further lines begin below its first.
func (p *printer) entry(head, text string) {
	p.text.WriteString(head)
	at := utf8.RuneCountInString(head)
	if at >= column && p.width > 0 { // a long name has a line for itself
		p.text.WriteString("\n" + strings.Repeat(" ", column-1))
		at = column - 1
	}
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if p.width > 0 && at+1+n > max(p.width, column+leastText) && at >= column {
			p.text.WriteString("\n" + strings.Repeat(" ", column-1))
			at = column - 1
		}
		p.text.WriteString(" " + word)
		at += 1 + n
	}
	p.text.WriteString("\n")
}
