package slack

import (
	"cmp"
	"fmt"
	"strings"

	api "github.com/slack-go/slack"
)

// Kinds of evidence that a card looks for.
const (
	evidenceChange = "change"
	evidenceEvent  = "event"
	evidenceLog    = "log"
)

// rows are the lines of a card that others may have written.
func (v view) rows() []api.RichTextElement {
	var rows []api.RichTextElement
	if what := v.change(); len(what) > 0 {
		rows = append(rows, row(append([]api.RichTextSectionElement{bold("Changed just before  ")}, what...)...))
	}
	if text := v.cause(maxCause); text != "" {
		rows = append(rows, row(bold("Likely cause  "), plain(text), italic("  "+v.because())))
	}
	if text := v.logs(); text != "" {
		rows = append(rows, preformatted(text))
	}
	if text := v.command(); text != "" {
		rows = append(rows, row(bold("Next step  "), code(text)))
	}
	if label, text := v.affects(); text != "" {
		rows = append(rows, row(bold(label+"  "), plain(text)))
	}
	return rows
}

// change is what was done just before, to the object or to what it needs.
func (v view) change() []api.RichTextSectionElement {
	for _, e := range v.c.Evidence {
		if e.Kind == evidenceChange {
			return []api.RichTextSectionElement{plain(short(e.Text, maxChange))}
		}
	}
	for _, e := range v.c.Evidence {
		if e.Kind != evidenceEvent || !strings.Contains(e.Text, "stopped by hand") {
			continue
		}
		elements := []api.RichTextSectionElement{plain(short(cmp.Or(e.Object, v.c.Object.String()), maxName) + " stopped by hand")}
		if !e.At.IsZero() {
			elements = append(elements, plain(", "), moment(e.At))
		}
		return elements
	}
	return nil
}

// cause is the diagnosis in one line.
func (v view) cause(limit int) string {
	d := v.c.Diagnosis
	switch {
	case d == nil:
		return ""
	case d.InsufficientData || v.c.Condition == "storm":
		return short(cmp.Or(d.Summary, d.RootCause.Statement), limit)
	}
	return short(cmp.Or(d.RootCause.Statement, d.Summary), limit)
}

// because is whose diagnosis it is, how sure they are, and why.
func (v view) because() string {
	d := v.c.Diagnosis
	text := short(d.Source, 40)
	if d.Confidence != "" {
		text += ", " + short(d.Confidence, 20)
	}
	if d.ConfidenceWhy != "" {
		text += ": " + short(d.ConfidenceWhy, maxWhy)
	}
	return text
}

// logs are the lines of the evidence.
func (v view) logs() string {
	var lines []string
	for _, e := range v.c.Evidence {
		if e.Kind != evidenceLog || strings.TrimSpace(e.Text) == "" {
			continue
		}
		line := shown(strings.Join(strings.Fields(e.Text), " "), maxLogLine)
		if e.Count > 1 {
			line += fmt.Sprintf("  ×%d", e.Count)
		}
		lines = append(lines, line)
		if len(lines) == maxLogRows {
			break
		}
	}
	return cut(strings.Join(lines, "\n"), maxLogs)
}

// command is the next step as code made it.
func (v view) command() string {
	if v.c.Diagnosis == nil {
		return ""
	}
	return wholeCommand(v.c.Diagnosis.Command)
}

// wholeCommand leaves a command out rather than showing a part of it, or one with a line that is easily overlooked.
func wholeCommand(command string) string {
	text := shown(command, maxCommand+1)
	if counted(text) > maxCommand || strings.Contains(text, "\n") {
		return ""
	}
	return text
}

// maxNamed is how many of the affected are named.
const maxNamed = 3

// affects is who suffers as well, or else who depends on what failed.
func (v view) affects() (label, names string) {
	list, count := v.c.Victims()
	label = "Also affected"
	if len(list) == 0 {
		label, list, count = "Needed by", v.c.Affected, max(v.c.AffectedCount, len(v.c.Affected))
	}
	var all []string
	for _, a := range list[:min(len(list), maxNamed)] {
		all = append(all, short(a.Object.Name, 40))
	}
	names = strings.Join(all, ", ")
	if more := count - len(all); more > 0 && len(all) > 0 {
		names = fmt.Sprintf("%d: %s (+%d)", count, names, more)
	}
	return label, names
}
