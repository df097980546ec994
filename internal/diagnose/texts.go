package diagnose

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// state says in a line how s is: "0 of 3 running; stopped by hand 07:58; web-1 exited; image web:1.4".
func state(s *schema.ServiceSummary) string { return describe(s, s.NotWanted) }

// describe is state with another reason for not being wanted; empty leaves it out.
func describe(s *schema.ServiceSummary, notWanted string) string {
	var parts []string
	if s.ReplicasRunning != nil && s.ReplicasDesired != nil {
		parts = append(parts, fmt.Sprintf("%d of %d running", *s.ReplicasRunning, *s.ReplicasDesired))
	} else if s.Status != "" {
		parts = append(parts, s.Status)
	}
	if notWanted != "" {
		parts = append(parts, "not wanted: "+notWanted)
	}
	if s.Health != "" {
		parts = append(parts, "health check "+s.Health)
	}
	if in := instances(s); in != "" {
		parts = append(parts, in)
	}
	if s.RestartCount24h != nil && *s.RestartCount24h > 0 {
		parts = append(parts, fmt.Sprintf("%d restarts in 24 h", *s.RestartCount24h))
	}
	if s.MemoryLimit != nil && *s.MemoryLimit > 0 {
		parts = append(parts, "memory limit "+size(*s.MemoryLimit))
	}
	if s.Image != "" {
		parts = append(parts, "image "+s.Image)
	}
	if len(parts) == 0 {
		return "state unknown"
	}
	return list(parts)
}

// instances names the ones that do not simply run, at most five.
func instances(s *schema.ServiceSummary) string {
	var out []string
	for _, in := range s.Instances {
		if in.State == "" || in.State == "running" && in.Health != schema.HealthUnhealthy {
			continue
		}
		out = append(out, strings.TrimSpace(in.Name+" "+in.State))
	}
	if len(out) > 5 {
		out = append(out[:5], fmt.Sprintf("and %d more", len(out)-5))
	}
	return strings.Join(out, ", ")
}

// failure says in a line how something failed last.
func failure(f *schema.Failure, limit *int64, now time.Time) string {
	text := "last failure " + clock(f.At, now) + ": " + how(f, limit)
	if f.RanFor != nil {
		text += " after running " + seconds(*f.RanFor)
	}
	if f.Text != "" && f.Reason != schema.FailureGaveUp {
		text += "; the engine says: " + f.Text
	}
	return text
}

func how(f *schema.Failure, limit *int64) string {
	switch {
	case f.OOM || f.Reason == schema.FailureOOM:
		if limit != nil && *limit > 0 {
			return "killed for want of memory at its limit of " + size(*limit)
		}
		return "killed for want of memory; it has no limit of its own"
	case f.Reason == schema.FailureStart:
		return "the engine could not start it"
	case f.Reason == schema.FailureUnhealthy:
		return "its health check turned bad"
	case f.Reason == schema.FailureGaveUp:
		return fmt.Sprintf("the engine gave up after %d tries%s", f.Tries, exit(f))
	case f.ExitCode != nil:
		return "ended" + exit(f)
	}
	return "it failed while nobody watched"
}

// exit says with which code, and what that code usually stands for.
func exit(f *schema.Failure) string {
	if f.ExitCode == nil {
		return ""
	}
	known := map[int]string{
		0: "not an error by itself", 126: "its command is not executable", 127: "its command was not found",
		134: "aborted", 137: "killed", 139: "segmentation fault", 143: "asked to end",
	}
	if what := known[*f.ExitCode]; what != "" {
		return fmt.Sprintf(" with exit code %d (%s)", *f.ExitCode, what)
	}
	return fmt.Sprintf(" with exit code %d", *f.ExitCode)
}

// change says what was changed about s, if that is known and recent enough to have been the reason.
func change(s *schema.ServiceSummary, now time.Time) string {
	if s.LastDeployAt.IsZero() || now.Sub(s.LastDeployAt) > recentChange {
		return ""
	}
	if s.PreviousImage != "" && s.PreviousImage != s.Image {
		return fmt.Sprintf("%s: image changed from %s to %s at %s", s.Name, s.PreviousImage, s.Image, clock(s.LastDeployAt, now))
	}
	return fmt.Sprintf("%s: deployed at %s", s.Name, clock(s.LastDeployAt, now))
}

// nodeTrouble says what is wrong with a node; it is empty when nothing is.
func nodeTrouble(n *schema.NodeSummary, now time.Time) string {
	var parts []string
	if n.Status != "" && n.Status != schema.NodeHealthy {
		parts = append(parts, n.Status)
		if !n.LastSeen.IsZero() {
			parts = append(parts, "last seen "+clock(n.LastSeen, now))
		}
	}
	if n.CPUPercent != nil && *n.CPUPercent > 95 {
		parts = append(parts, "processors "+percent(*n.CPUPercent)+" busy")
	}
	if n.MemoryPercent != nil && *n.MemoryPercent > 95 {
		parts = append(parts, "memory "+percent(*n.MemoryPercent)+" used")
	}
	for _, d := range n.Disks {
		if d.UsedPercent != nil && *d.UsedPercent >= 90 {
			parts = append(parts, "disk "+d.Mount+" "+percent(*d.UsedPercent)+" full")
		}
		if d.InodesPercent != nil && *d.InodesPercent >= 90 {
			parts = append(parts, percent(*d.InodesPercent)+" of the inodes of disk "+d.Mount+" used")
		}
	}
	parts = append(parts, gpuTrouble(n)...)
	if len(parts) == 0 {
		return ""
	}
	return "node " + n.ID + ": " + list(parts)
}

func percent(x float64) string { return fmt.Sprintf("%.0f %%", math.Floor(x)) }

func gpuTrouble(n *schema.NodeSummary) []string {
	var parts []string
	for _, g := range n.GPUs {
		if g.Temperature != nil && *g.Temperature > 90 {
			parts = append(parts, fmt.Sprintf("GPU %d at %.0f °C", g.Index, math.Floor(*g.Temperature)))
		}
		if g.ErrorsTotal != nil && *g.ErrorsTotal > 0 {
			parts = append(parts, fmt.Sprintf("GPU %d has counted %d errors", g.Index, *g.ErrorsTotal))
		}
	}
	return parts
}

// happened is one event of the last minutes, or several that differ only in their time.
type happened struct {
	kind, object, text string
	first, last        time.Time
	count              int
}

// events adds what happened to o and to the neighbours in trouble, the newest first, repetitions as one.
func (f *freezer) events(o schema.Object) {
	names := map[string]string{}
	f.namesOf(names, o)
	for _, d := range f.suspect {
		f.namesOf(names, d.Object())
	}
	groups := f.grouped(names)
	slices.SortStableFunc(groups, func(a, b happened) int { return b.last.Compare(a.last) })
	f.left.events += max(0, len(groups)-maxEventItems)
	for _, g := range groups[:min(len(groups), maxEventItems)] {
		f.items = append(f.items, g.evidence(f.now))
	}
}

// namesOf maps every name that events may know o by to the one that evidence knows it by.
func (f *freezer) namesOf(names map[string]string, o schema.Object) {
	names[o.String()] = o.String()
	names[o.Name] = o.String()
	if s := f.View.service(o); s != nil {
		for _, in := range s.Instances {
			names[in.Name] = o.String()
		}
	}
}

func (f *freezer) grouped(names map[string]string) []happened {
	var groups []happened
	index := map[[3]string]int{}
	mask := f.logs().mask
	for _, e := range f.snap.RecentEvents {
		object, ok := names[e.Object]
		if !ok || e.Object == "" || !e.At.IsZero() && f.now.Sub(e.At) > schema.EventWindow {
			continue
		}
		key := [3]string{e.Kind, object, mask(e.Text)}
		i, seen := index[key]
		if !seen {
			i = len(groups)
			index[key] = i
			groups = append(groups, happened{kind: e.Kind, object: object, first: e.At, last: e.At})
		}
		g := &groups[i]
		g.count++
		g.text = e.Text
		if e.At.After(g.last) {
			g.last = e.At
		}
	}
	return groups
}

func (h happened) evidence(now time.Time) schema.Evidence {
	text := strings.TrimPrefix(h.kind+": "+h.text, ": ")
	text = strings.TrimSuffix(text, ": ")
	e := schema.Evidence{Kind: KindEvent, Object: h.object, At: h.last.UTC()}
	if h.count > 1 {
		e.Count = h.count
		text += fmt.Sprintf(" (first %s)", clock(h.first, now))
	}
	e.Text = scrub.Line(text, maxFactText)
	return e
}
