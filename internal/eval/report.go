package eval

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Scored is the score of one scenario.
type Scored struct {
	Name string
	Score
}

// Total adds up the scores of all.
func Total(all []Scored) Score {
	var t Score
	for _, s := range all {
		t.Incidents += s.Incidents
		t.Told += s.Told
		t.Right += s.Right
		t.Found += s.Found
		t.Sounds += s.Sounds
		t.Delays = append(t.Delays, s.Delays...)
		t.Wrong = append(t.Wrong, s.Wrong...)
	}
	return t
}

// Report writes a table with a row for each scenario and one for all, and below it what went wrong.
func Report(w io.Writer, all []Scored) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "incidents\ttold\tprecision\trecall\tsounds\tper incident\tdelay p50\tmax\t  scenario")
	for _, s := range all {
		row(table, s.Name, &s.Score)
	}
	total := Total(all)
	row(table, fmt.Sprintf("all %d", len(all)), &total)
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range all {
		for _, wrong := range s.Wrong {
			fmt.Fprintf(w, "%s: %s\n", s.Name, wrong)
		}
	}
	return nil
}

func row(w io.Writer, name string, s *Score) {
	p50, most := delays(s.Delays)
	fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%d\t%s\t%s\t%s\t  %s\n", s.Incidents, s.Told, ratio(s.Right, s.Told), ratio(s.Found, s.Incidents),
		s.Sounds, ratio(s.Sounds, s.Incidents), p50, most, name)
}

// ratio is a/b; of nothing there is none.
func ratio(a, b int) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(a)/float64(b))
}

func delays(all []time.Duration) (p50, most string) {
	if len(all) == 0 {
		return "-", "-"
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)/2].String(), sorted[len(sorted)-1].String()
}
