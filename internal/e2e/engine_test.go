package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// The long run waits for everything that takes minutes, and holds every time to its bound. In the short one a bound
// only catches what hangs.
const (
	longQuiet  = 5 * time.Minute
	shortQuiet = 3 * tick
	longSlack  = 8 * time.Second // a few intervals, and what docker itself takes
	shortSlack = 40 * time.Second
)

// voyage is one run of the whole table.
type voyage struct {
	*ship
	rows    []row
	long    bool
	failed  map[string]time.Time // since when something is wrong with a service
	healed  map[string]time.Time
	results []result
}

// result is one line of the table that the run measures.
type result struct {
	row             row
	want            wanted
	raised, cleared time.Duration
}

func TestEngineTellsOfEveryFailureOnceAndOfNothingElse(t *testing.T) {
	v := &voyage{rows: table(), long: need.Long(), failed: map[string]time.Time{}, healed: map[string]time.Time{}}
	if !v.long { // which measures
		t.Parallel()
	}
	v.ship = launch(t, answer)
	v.startThose(t, true)
	start := time.Now()
	v.collect(t)
	v.snapshots.until(t, "anything", time.Minute, func(schema.ClusterContext) bool { return true })
	for _, r := range v.rows {
		if r.before {
			v.failed[r.service] = start
		}
	}
	v.startThose(t, false)
	v.act(t)
	v.awaitRaised(t)
	v.nothingElse(t)
	did := v.runCommands(t)
	v.heal(t)
	v.awaitCleared(t)
	v.inTheEnd(t)
	t.Log("\n" + v.measured(did))
}

func (v *voyage) startThose(t *testing.T, before bool) {
	t.Helper()
	for _, r := range v.rows {
		if r.before != before {
			continue
		}
		v.startOne(t, r)
		v.failed[r.service] = time.Now()
	}
	for _, r := range v.rows {
		if r.before == before && r.ready != "" {
			v.inspected(t, v.container(r.service), r.ready, func(s string) bool { return s == "true" })
		}
	}
}

func (v *voyage) startOne(t *testing.T, r row) {
	t.Helper()
	if len(r.spec.Options) > 0 { // the engine refuses to start it
		v.refuse(t, v.Create(t, r.service, r.spec))
		return
	}
	v.Run(t, r.service, r.spec)
	if r.second {
		other := r.spec
		other.Replica = 2
		v.Run(t, r.service, other)
	}
}

// act lets everything happen that does not happen by itself, once the collector has seen how it was before.
func (v *voyage) act(t *testing.T) {
	t.Helper()
	v.snapshots.until(t, "every service", time.Minute, func(c schema.ClusterContext) bool {
		return !slices.ContainsFunc(v.rows, func(r row) bool { _, there := v.service(c, r.service); return !there })
	})
	for _, r := range v.rows {
		if r.act != nil {
			v.failed[r.service] = time.Now()
			r.act(t, v.ship)
		}
	}
}

func (v *voyage) slack() time.Duration {
	if v.long {
		return longSlack
	}
	return shortSlack
}

// awaitRaised waits for every condition of the table, and for the one diagnosis of each conversation.
func (v *voyage) awaitRaised(t *testing.T) {
	t.Helper()
	for _, r := range v.rows {
		for _, w := range r.want {
			if w.slow && !v.long {
				continue
			}
			post := v.await(t, r.service, w.condition+" "+w.severity, func(c schema.Conversation) bool { return firing(c, w.condition, w.severity) })
			took := post.At.Sub(v.failed[r.service])
			if took > w.raised+v.slack() {
				t.Errorf("%s: %s was raised after %v, more than %v", r.service, w.condition, took, w.raised+v.slack())
			}
			v.results = append(v.results, result{row: r, want: w, raised: took})
		}
		if len(r.want) > 0 {
			v.await(t, r.service, "the diagnosis", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventDiagnosed) > 0 })
		}
	}
}

// nothingElse waits for so many snapshots as the quiet time takes, in which nothing is told.
func (v *voyage) nothingElse(t *testing.T) {
	t.Helper()
	quiet := shortQuiet
	if v.long {
		quiet = longQuiet
	}
	v.exactly(t)
	before := v.revisions(t)
	first, from := v.snapshots.newest()
	v.snapshots.until(t, "the end of the quiet time", 2*quiet+time.Minute, func(c schema.ClusterContext) bool { return c.TakenAt.Sub(first.TakenAt) >= quiet })
	_, to := v.snapshots.newest()
	t.Logf("%d snapshots in the %v in which nothing else was to be told", to-from, quiet)
	if to-from < int(quiet/tick/2) {
		t.Errorf("%d snapshots in %v", to-from, quiet)
	}
	after := v.revisions(t)
	if diff := cmp.Diff(before, after); v.long && diff != "" {
		t.Errorf("told in the quiet time (-before +after):\n%s", diff)
		for service := range after {
			t.Logf("%s: %s", service, e2e.Shown(v.posts(service, v.hook.All())))
		}
	}
	v.exactly(t)
}

func (v *voyage) revisions(t *testing.T) map[string]int {
	t.Helper()
	all := map[string]int{}
	for service, c := range v.conversations(t) {
		all[service] = c.Revision
	}
	return all
}

// exactly checks that there are the table's conversations and no others, each with the table's conditions, one card,
// one diagnosis and one call to the model.
func (v *voyage) exactly(t *testing.T) {
	t.Helper()
	all := v.conversations(t)
	for _, r := range v.rows {
		c, there := all[r.service]
		delete(all, r.service)
		if there != (len(r.want) > 0) {
			t.Errorf("%s, %s: a conversation: %t; %s with %v", r.service, r.story, there, c.Title, e2e.Kinds(c))
			continue
		}
		if there {
			v.onceOnly(t, r.service)
			v.conditions(t, r, c)
		}
	}
	if len(all) > 0 {
		t.Errorf("conversations that nobody expected: %v", slices.Collect(maps.Keys(all)))
	}
}

func (v *voyage) conditions(t *testing.T, r row, c schema.Conversation) {
	t.Helper()
	want, got, optional := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, w := range r.want {
		key := w.condition + " " + w.severity
		want[key], optional[key] = true, w.slow && !v.long
	}
	for _, x := range c.Conditions {
		got[x.Name+" "+x.Severity] = true
	}
	maps.DeleteFunc(want, func(key string, _ bool) bool { return optional[key] && !got[key] })
	if got["unhealthy "+schema.SeverityCritical] { // it is one condition that has become worse
		delete(want, "unhealthy "+schema.SeverityWarning)
		delete(got, "unhealthy "+schema.SeverityWarning)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions of %s (-want +got):\n%s", r.service, diff)
	}
}

func (v *voyage) heal(t *testing.T) {
	t.Helper()
	for _, r := range v.rows {
		if r.heal != nil {
			v.healed[r.service] = time.Now()
			r.heal(t, v.ship)
		}
	}
}

// awaitCleared waits until what can clear has cleared.
func (v *voyage) awaitCleared(t *testing.T) {
	t.Helper()
	for i := range v.results {
		m := &v.results[i]
		if m.want.cleared == 0 {
			continue
		}
		since := v.healed[m.row.service]
		post := v.await(t, m.row.service, "the end of "+m.want.condition, func(c schema.Conversation) bool {
			return c.UpdatedAt.After(since) && !firing(c, m.want.condition, "")
		})
		m.cleared = post.At.Sub(since)
		if m.cleared > m.want.cleared+v.slack() {
			t.Errorf("%s: %s was cleared after %v, more than %v", m.row.service, m.want.condition, m.cleared, m.want.cleared+v.slack())
		}
	}
}

// inTheEnd checks that what cannot have cleared yet has not, that the rest is closed, and that nothing else was told.
func (v *voyage) inTheEnd(t *testing.T) {
	t.Helper()
	last, _ := v.snapshots.newest()
	v.snapshots.until(t, "a few more", time.Minute, func(c schema.ClusterContext) bool { return c.TakenAt.Sub(last.TakenAt) >= shortQuiet })
	v.exactly(t)
	all := v.conversations(t)
	for _, r := range v.rows {
		v.showsOnly(t, r) // so that all that were shown have been run
		c, stays, sure := all[r.service], false, true
		for _, w := range r.want {
			switch {
			case w.cleared > 0:
			case w.slow && !v.long:
				sure = false // it was not waited for
			case firing(c, w.condition, w.severity):
				stays = true
			default:
				t.Errorf("%s: %s is over already: %s", r.service, w.condition, e2e.Shown(v.posts(r.service, v.hook.All())))
			}
		}
		if len(r.want) > 0 && sure && c.Closed() == stays {
			t.Errorf("%s is %s, closed %t: %v", r.service, c.State, c.Closed(), e2e.Kinds(c))
		}
	}
}

// measured is the table as Markdown.
func (v *voyage) measured(did map[string][]string) string {
	var b strings.Builder
	b.WriteString("| container | condition | severity | raised within (bound) | cleared within (bound) | commands shown, and what they did |\n|---|---|---|--:|--:|---|\n")
	for _, r := range v.rows {
		if len(r.want) == 0 {
			fmt.Fprintf(&b, "| %s (%s) | none | | | | |\n", r.service, r.story)
		}
		commands := strings.ReplaceAll(strings.Join(did[r.service], "; "), v.Project+"-", "")
		for _, m := range v.results {
			if m.row.service != r.service {
				continue
			}
			cleared := "not yet, as it has to be"
			if m.cleared > 0 {
				cleared = v.within(m.cleared, m.want.cleared)
			}
			fmt.Fprintf(&b, "| %s (%s) | %s | %s | %s | %s | %s |\n", r.service, r.story, m.want.condition, m.want.severity, v.within(m.raised, m.want.raised), cleared, commands)
			commands = ""
		}
	}
	return b.String()
}

func (v *voyage) within(took, bound time.Duration) string {
	return fmt.Sprintf("%.1f s (%v)", took.Seconds(), bound+v.slack())
}
