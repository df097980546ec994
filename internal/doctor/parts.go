package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	service   = "bellbuoy" // the analyzers' micro service
	deadFor   = 24 * time.Hour
	maxMissed = 4 // intervals without a snapshot
)

// parts looks at who works on the server. Where what they stand on is not there, they cannot work: that is off.
func (d *doctor) parts(ctx context.Context, b *bus.Bus, i bus.Inspection) []Finding {
	if !stands(i) {
		return []Finding{{AreaParts, "all", Off, "not looked at before the streams are there and may be read", ""}}
	}
	all := d.analyzer(ctx, b, i)
	all = append(all, d.notifiers(i)...)
	all = append(all, d.delivering(ctx, b)...)
	all = append(all, d.snapshots(ctx, b, i)...)
	return append(all, d.dead(ctx, b)...)
}

func stands(i bus.Inspection) bool {
	for _, s := range i.Streams {
		if s.Missing || len(s.Foreign) > 0 || s.Err != nil {
			return false
		}
	}
	return true
}

func (d *doctor) analyzer(ctx context.Context, b *bus.Bus, i bus.Inspection) []Finding {
	for _, c := range i.Consumers {
		if isAnalyzers(c.Name) && (c.Missing || c.Err != nil) {
			return []Finding{{AreaParts, "analyzer", Off, "not looked at before consumer " + c.Name + " is there", ""}}
		}
	}
	found, err := b.Instances(ctx, service)
	switch {
	case errors.Is(err, bus.ErrNobody):
		return []Finding{{
			AreaParts, "analyzer", Fault, "none answers: nothing is detected, and nobody can list or reply",
			"start `bellbuoy up` or `analyzer`; if one runs, its log says what it waits for",
		}}
	case err != nil:
		what, fix := apart(err, "look at the analyzers' logs and restart them")
		return []Finding{{AreaParts, "analyzer", Fault, what, fix}}
	}
	return []Finding{running(found)}
}

func isAnalyzers(consumer string) bool {
	return slices.Contains([]string{bus.Watch, bus.WatchFindings, bus.Hear, bus.Diagnose, bus.Answer}, consumer)
}

func running(found []bus.Instance) Finding {
	var versions []string
	for _, f := range found {
		versions = append(versions, f.Version)
	}
	slices.Sort(versions)
	if versions = slices.Compact(versions); len(versions) > 1 {
		return Finding{
			AreaParts, "analyzer", Warn, fmt.Sprintf("%d answer, with different versions of the service: %s", len(found), strings.Join(versions, ", ")),
			"run the same version of Bellbuoy everywhere",
		}
	}
	return Finding{AreaParts, "analyzer", OK, fmt.Sprintf("%d answering, version %s of the service", len(found), versions[0]), ""}
}

// notifiers looks for a reader of every configured channel.
func (d *doctor) notifiers(i bus.Inspection) []Finding {
	var all []Finding
	for _, c := range i.Consumers {
		channel, ok := strings.CutPrefix(c.Name, bus.Notify(""))
		if !ok || !c.Declared || c.Missing || c.Paused || c.Err != nil {
			continue
		}
		f := Finding{AreaParts, "notifier " + channel, OK, fmt.Sprintf("reads; %d messages wait for it", c.Pending), ""}
		if !c.Read() {
			f.Level, f.What = Fault, fmt.Sprintf("nobody reads %s: nobody is told, and %d messages wait", c.Name, c.Pending)
			f.Fix = "start `bellbuoy up` or `notifier` with this channel configured"
		}
		all = append(all, f)
	}
	return all
}

func (d *doctor) dead(ctx context.Context, b *bus.Bus) []Finding {
	n, newest, err := b.DeadSince(ctx, d.Now().Add(-deadFor))
	switch {
	case err != nil:
		what, fix := apart(err, fixSetup)
		return []Finding{{AreaParts, "dead letters", Fault, what, fix}}
	case n == 0:
		return []Finding{{AreaParts, "dead letters", OK, "none in the last 24 h", ""}}
	}
	return []Finding{{
		AreaParts, "dead letters", Warn, fmt.Sprintf("%d in the last 24 h; the newest, of %s: %s", n, newest.Who, newest.Reason),
		"see what was given up, try it again or drop it: bellbuoy dead",
	}}
}

// snapshots looks at the newest one of every cluster.
func (d *doctor) snapshots(ctx context.Context, b *bus.Bus, i bus.Inspection) []Finding {
	messages, err := b.Snapshots(ctx)
	if err != nil {
		what, fix := apart(err, fixSetup)
		return []Finding{{AreaParts, "collector", Fault, what, fix}}
	}
	if len(messages) == 0 {
		return []Finding{d.noSnapshot()}
	}
	slices.SortFunc(messages, func(x, y bus.Message) int { return strings.Compare(x.Subject, y.Subject) })
	now := time.Now().Add(i.Skew) // by the server's clock, which their times of storage are of
	var all, off []Finding
	for _, m := range messages {
		cluster, err := b.Subjects().ParseContext(m.Subject)
		if err != nil {
			continue
		}
		found, s := snapshot(cluster, m, now)
		if s.Over() {
			continue
		}
		all = append(all, found)
		if found.Level == OK {
			all = append(all, stale(cluster, s, now)...)
			off = append(off, d.offConditions(cluster, s)...)
		}
	}
	return append(all, off...)
}

func (d *doctor) noSnapshot() Finding {
	f := Finding{
		AreaParts, "collector", Warn, "no snapshot is kept: nothing is watched, and none is configured here",
		"start `collector` where the cluster is, or let something publish to bellbuoy.context.<cluster>",
	}
	if d.Collects {
		f.Level, f.What = Fault, "no snapshot is kept: no collector has published within 24 h"
		f.Fix = "start `bellbuoy up` or `collector`; if one runs, its log says what it waits for"
	}
	return f
}

// snapshot judges the newest snapshot of a cluster.
func snapshot(cluster string, m bus.Message, now time.Time) (Finding, schema.ClusterContext) {
	f := Finding{AreaParts, "collector " + cluster, Fault, "", ""}
	var s schema.ClusterContext
	if err := json.Unmarshal(m.Data, &s); err != nil {
		f.What = "its newest snapshot is not readable: " + err.Error()
		f.Fix = "correct whoever publishes to " + m.Subject + ": docs/schema/context.json says how a snapshot looks"
		return f, s
	}
	age, skew := now.Sub(m.At), s.TakenAt.Sub(m.At)
	switch {
	case s.Goodbye:
		f.Level, f.What = Warn, fmt.Sprintf("it was stopped %s ago: nothing is watched there", max(0, age).Round(time.Second))
		f.Fix = "start the collector of " + cluster + " again; if the cluster is gone: nats stream purge " + bus.StreamContext + " --subject " + m.Subject
	case age > maxMissed*s.Interval():
		f.What = fmt.Sprintf("its newest snapshot is %s old; one is due every %s", age.Round(time.Second), s.Interval())
		f.Fix = "start the collector of " + cluster + " again; if the cluster is gone: nats stream purge " + bus.StreamContext + " --subject " + m.Subject
	case skew.Abs() > maxSkew && !s.TakenAt.IsZero() && s.Source != "file": // a recording has its own time
		f.What = fmt.Sprintf("its clock is %s the NATS server's", apartBy(skew))
		f.Fix = fixClock
	default:
		f.Level, f.What = OK, fmt.Sprintf("snapshot %s old, of %s: %s, %s", max(0, age).Round(time.Second), s.Source, counted(len(s.Services), "service"), counted(len(s.Nodes), "node"))
	}
	return f, s
}

// stale is every part of a snapshot that its collector could not read.
func stale(cluster string, s schema.ClusterContext, now time.Time) []Finding {
	var all []Finding
	for _, p := range s.Stale {
		since := "yet"
		if !p.Since.IsZero() {
			since = "for " + now.Sub(p.Since).Round(time.Second).String()
		}
		all = append(all, Finding{
			AreaParts, "collector " + cluster, Fault, fmt.Sprintf("could not read %s %s: %s", p.Source, since, p.Error),
			"put right what it says, where that collector runs; meanwhile nothing is raised or cleared there",
		})
	}
	return all
}

func (d *doctor) offConditions(cluster string, s schema.ClusterContext) []Finding {
	var reasons []string
	conditions := map[string][]string{}
	for _, c := range detect.Off(s, *d.Rules) {
		if conditions[c.Reason] == nil {
			reasons = append(reasons, c.Reason)
		}
		conditions[c.Reason] = append(conditions[c.Reason], c.Condition)
	}
	var all []Finding
	for _, reason := range reasons {
		all = append(all, Finding{AreaConditions, "on " + cluster, Off, strings.Join(conditions[reason], ", ") + ": " + reason, ""})
	}
	return all
}
