package console

import "strings"

// Table is rows under a head. Cells are cleaned. Where the rows would be wider than the terminal, the columns in Gives
// are cut, the first of them before the second; the others never are.
type Table struct {
	Head  []string
	Rows  [][]Cell
	Gives []int // indexes of the columns that give way
}

// Cell is one field of a table.
type Cell struct {
	Text     string
	Severity string // colours the cell like that severity; empty: no colour
}

const (
	tableGap    = 2
	leastColumn = 16 // of one that gives way
)

// Table prints t, which has to have at least a head.
func (p *Printer) Table(t Table) {
	for _, row := range t.Rows {
		for i := range row {
			row[i].Text = clean(row[i].Text)
		}
	}
	widths := t.widths()
	for _, i := range t.Gives {
		if over := total(widths) - p.width(); over > 0 {
			widths[i] = max(widths[i]-over, min(widths[i], leastColumn))
		}
	}
	var b strings.Builder
	head := make([]Cell, len(t.Head))
	for i, h := range t.Head {
		head[i].Text = h
	}
	b.WriteString(p.paint(dim, t.line(p, head, widths)) + "\n")
	for _, row := range t.Rows {
		b.WriteString(t.line(p, row, widths) + "\n")
	}
	p.write(b.String())
}

func (t *Table) widths() []int {
	widths := make([]int, len(t.Head))
	for i, h := range t.Head {
		widths[i] = columns(h)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], columns(row[i].Text))
		}
	}
	return widths
}

func total(widths []int) int {
	sum := (len(widths) - 1) * tableGap
	for _, w := range widths {
		sum += w
	}
	return sum
}

func (t *Table) line(p *Printer, row []Cell, widths []int) string {
	var b strings.Builder
	for i, c := range row {
		text := shorten(c.Text, widths[i])
		fill := strings.Repeat(" ", widths[i]-columns(text)+tableGap)
		if i == len(row)-1 {
			fill = ""
		}
		if c.Severity != "" {
			text = p.paint(severityColour(c.Severity), text)
		}
		b.WriteString(text + fill)
	}
	return strings.TrimRight(b.String(), " ")
}
