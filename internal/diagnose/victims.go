package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of what is said about those that one cause explains.
const (
	maxVictimKinds = 6  // conditions that have a piece of evidence each
	maxVictimsSaid = 3  // that a statement names
	maxVictimLogs  = 40 // of them whose log is looked through for the cause
	maxLinesAbout  = 10 // of one of them
)

// howMany counts victims: "50 services", "1 object".
func howMany(victims []schema.Affected) string {
	what := "service"
	if slices.ContainsFunc(victims, func(a schema.Affected) bool { return a.Object.Kind != schema.KindService }) {
		what = "object"
	}
	if len(victims) != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", len(victims), what)
}

// namesOf names the first of victims and counts the others: "shop/web, shop/api, shop/db (+47)".
func namesOf(victims []schema.Affected, most int) string {
	var names []string
	for _, a := range victims[:min(len(victims), most)] {
		names = append(names, a.Object.String())
	}
	text := strings.Join(names, ", ")
	if more := len(victims) - len(names); more > 0 {
		text += fmt.Sprintf(" (+%d)", more)
	}
	return text
}

// affected notes who suffers, a piece of evidence for each condition, the most frequent first.
func (f *freezer) affected() {
	for _, group := range byCondition(f.victims) {
		text := fmt.Sprintf("%s affected (%s): %s", howMany(group), group[0].Condition, namesOf(group, maxNamed))
		f.items = append(f.items, f.neighbour(f.object.String(), text))
	}
}

func byCondition(victims []schema.Affected) [][]schema.Affected {
	var groups [][]schema.Affected
	at := map[string]int{}
	for _, a := range victims {
		i, seen := at[a.Condition]
		if !seen {
			i = len(groups)
			at[a.Condition] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], a)
	}
	slices.SortStableFunc(groups, func(a, b []schema.Affected) int { return cmp.Compare(len(b), len(a)) })
	return groups[:min(len(groups), maxVictimKinds)]
}

// kinship notes in which way those that s explains hang together with it, and who else depends on it.
func (f *freezer) kinship(s *schema.ServiceSummary) {
	if len(f.victims) == 0 {
		f.callers(s)
		return
	}
	need, same := f.kin(s)
	var parts []string
	if need > 0 {
		parts = append(parts, share(need, f.victims)+" "+verbFor(need, "depends", "depend")+" on it")
	}
	if same > 0 {
		parts = append(parts, share(same, f.victims)+" "+verbFor(same, "runs", "run")+" the same image "+s.Image)
	}
	if len(parts) > 0 {
		f.items = append(f.items, f.neighbour(s.Object().String(), "of those affected, "+strings.Join(parts, ", ")))
	}
	if len(f.dependents(s)) > need {
		f.callers(s)
	}
}

// kin counts the victims that depend on s, directly or through others, and those that run its image.
func (f *freezer) kin(s *schema.ServiceSummary) (need, same int) {
	needs := map[schema.Object]bool{}
	for _, d := range f.dependents(s) {
		needs[d.service.Object()] = true
	}
	for _, a := range f.victims {
		if needs[a.Object] {
			need++
		}
		if x := f.View.service(a.Object); x != nil && x.Image == s.Image && s.Image != "" {
			same++
		}
	}
	return need, same
}

// share is how many of victims something holds for: "all 998", "996 of 998".
func share(n int, victims []schema.Affected) string { return shareOf(n, len(victims)) }

func shareOf(n, of int) string {
	switch {
	case of == 1:
		return "the one"
	case n == of:
		return fmt.Sprintf("all %d", of)
	}
	return fmt.Sprintf("%d of %d", n, of)
}

func verbFor(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// echo is a kind of log line that victims print about their cause.
type echo struct {
	template
	key     string
	objects []string // who prints it
}

// linesAbout adds what those affected by s log about it: lines that name it, the most widespread first.
func (f *freezer) linesAbout(s *schema.ServiceSummary) {
	var all []echo
	at := map[string]int{}
	for _, a := range f.victims[:min(len(f.victims), maxVictimLogs)] {
		for _, t := range f.naming(f.View.service(a.Object), s.Name) {
			key := f.logs().mask(t.text)
			i, seen := at[key]
			if !seen {
				i = len(all)
				at[key] = i
				all = append(all, echo{template: t, key: key})
			} else {
				all[i].count += t.count
				if all[i].text != t.text {
					all[i].text = key
				}
			}
			all[i].objects = append(all[i].objects, a.Object.String())
		}
	}
	slices.SortStableFunc(all, func(a, b echo) int {
		return cmp.Or(cmp.Compare(len(b.objects), len(a.objects)), cmp.Compare(b.level, a.level))
	})
	for _, x := range all[:min(len(all), maxNearTemplates)] {
		f.items = append(f.items, x.evidence())
	}
}

// naming gives the log lines of a victim that speak of its cause, as templates.
func (f *freezer) naming(victim *schema.ServiceSummary, cause string) []template {
	if victim == nil {
		return nil
	}
	var lines []string
	for _, l := range slices.Backward(victim.RecentLogs) {
		if len(lines) < maxLinesAbout && hasWord(l, cause) {
			lines = append(lines, l)
		}
	}
	slices.Reverse(lines)
	groups, _ := f.logs().group(lines, maxNearTemplates)
	return groups
}

func (x *echo) evidence() schema.Evidence {
	e := schema.Evidence{Kind: KindLog, Object: x.objects[0], At: x.first, Text: x.text}
	if x.count > 1 {
		e.Count = x.count
	}
	if more := len(x.objects) - 1; more > 0 {
		e.Text = scrub.Line(fmt.Sprintf("%s (and %d more of those affected log this)", e.Text, more), maxFactText)
	}
	return e
}

// withVictims says of what s shows by itself how far those that it affects bear it out.
func (r *ruler) withVictims(s *schema.ServiceSummary, c cause) cause {
	if len(r.victims) == 0 {
		return c
	}
	n := 0
	for _, a := range r.victims {
		x := r.service(a.Object)
		if x != nil && slices.ContainsFunc(x.RecentLogs, func(l string) bool { return hasWord(l, s.Name) }) {
			n++
		}
	}
	switch {
	case c.category == CategoryRollout:
		c.confidence = schema.ConfidenceHigh
		c.why += fmt.Sprintf(", and %s fail with it", howMany(r.victims))
	case n > 0:
		c.why += fmt.Sprintf("; the log of %s affected names it", share(n, r.victims))
	}
	return c
}
