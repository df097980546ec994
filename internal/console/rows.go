package console

import "strings"

// labelled is where the text of a row begins, below its label.
const labelled = len("  leaves this host  ")

// titled writes a first line that begins with a name.
func (p *Printer) titled(b *strings.Builder, name, text string) {
	lines := wrap(text, p.width()-columns(name), p.width()-labelled)
	b.WriteString(p.paint(bold, name) + strings.Join(lines, "\n"+strings.Repeat(" ", labelled)) + "\n")
}

// row writes a label and, beside it, text, which is broken first where it has gaps of three spaces and only then
// between words: what stands between gaps is to be copied or read as one.
func (p *Printer) row(b *strings.Builder, label, text string) {
	p.labelled(b, label, gaps(text, p.width()-labelled, wrapped))
}

// optional is row for what there may be nothing to say of.
func (p *Printer) optional(b *strings.Builder, label, text string) {
	if text != "" {
		p.row(b, label, text)
	}
}

// whole is row for commands, which are broken at gaps only.
func (p *Printer) whole(b *strings.Builder, label, text string) {
	p.labelled(b, label, gaps(text, p.width()-labelled, func(line string, _ int) []string { return []string{line} }))
}

func (p *Printer) labelled(b *strings.Builder, label string, lines []string) {
	indent := "\n" + strings.Repeat(" ", labelled)
	b.WriteString("  " + p.paint(dim, pad(label, labelled-4)) + "  " + strings.Join(lines, indent) + "\n")
}

const gap = "   "

// gaps breaks text at its gaps, and has what is between them broken where it is too long.
func gaps(text string, width int, wrapped func(string, int) []string) []string {
	var lines []string
	line := ""
	for part := range strings.SplitSeq(text, gap) {
		if line != "" && columns(line)+len(gap)+columns(part) <= width {
			line += gap + part
			continue
		}
		if line != "" {
			lines = append(lines, wrapped(line, width)...)
		}
		line = part
		if part == "·" {
			line = ""
		}
	}
	if line != "" {
		lines = append(lines, wrapped(line, width)...)
	}
	return lines
}

// wrapped is wrap for what may still fit, whose gaps are to stay.
func wrapped(line string, width int) []string {
	line = strings.TrimSuffix(line, gap+"·")
	if columns(line) <= width {
		return []string{line}
	}
	return wrap(line, width, width)
}
