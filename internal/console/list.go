package console

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// List prints conversations as a table, as of now; closed is how many are closed in all, which it says where nothing
// is listed.
func (p *Printer) List(list []client.Summary, closed int, now time.Time) {
	if len(list) == 0 {
		p.write(nothingOpen(closed))
		return
	}
	p.aloneIn(list)
	owned := slices.ContainsFunc(list, func(s client.Summary) bool { return s.Owner != "" })
	t := Table{Head: []string{"ID", "", "OBJECT", "WHAT", "STATE"}, Gives: []int{3, 2}}
	many := slices.ContainsFunc(list, func(s client.Summary) bool { return s.AffectedCount > 0 })
	if many {
		t.Head = append(t.Head, "AFFECTS")
	}
	if owned {
		t.Head = append(t.Head, "OWNER")
	}
	t.Head = append(t.Head, "SINCE")
	for _, s := range list {
		p.Call(s.ID, s.Short)
		row := []Cell{{Text: p.ID(s.ID)}, p.severity(s), {Text: p.object(s.Cluster, s.Object)}, {Text: p.what(s)}, {Text: s.State}}
		if many {
			row = append(row, Cell{Text: others(s.AffectedCount)})
		}
		if owned {
			row = append(row, Cell{Text: dash(s.Owner)})
		}
		t.Rows = append(t.Rows, append(row, Cell{Text: Span(now.Sub(s.StartedAt))}))
	}
	p.Table(t)
}

func nothingOpen(closed int) string {
	switch closed {
	case 0:
		return "nothing is open, and nothing ever was\n"
	case 1:
		return "nothing is open; 1 conversation is closed: bellbuoy list --all\n"
	}
	return fmt.Sprintf("nothing is open; %d conversations are closed: bellbuoy list --all\n", closed)
}

// aloneIn leaves the cluster off where all that is listed is of the same one.
func (p *Printer) aloneIn(list []client.Summary) {
	cluster := list[0].Cluster
	if !slices.ContainsFunc(list, func(s client.Summary) bool { return s.Cluster != cluster }) {
		p.Alone(cluster)
	}
}

// severity is the tag of a conversation in a list; one that is closed is no alarm, and one that is part of another is
// neither.
func (p *Printer) severity(s client.Summary) Cell {
	switch {
	case s.ClosedAt.IsZero():
		return Cell{Text: tag(s.Severity), Severity: s.Severity}
	case s.State == schema.StateFolded:
		return Cell{}
	}
	return Cell{Text: "ok"}
}

// what is wrong; of a folded one what explains it.
func (p *Printer) what(s client.Summary) string {
	if s.State == schema.StateFolded && len(s.FoldedInto) >= client.MinPrefix {
		if s.Cause != nil {
			return "part of " + p.explainer(s.Cause.String(), s.Cluster)
		}
		return "part of " + p.ID(s.FoldedInto)
	}
	return headline(&schema.Conversation{Object: s.Object, Condition: s.Condition, Title: s.Title})
}

// others counts who else is affected.
func others(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("+%d", n)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
