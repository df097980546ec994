package detect_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// town is a whole cluster over time: services and nodes stay as they were set until they are set again.
type town struct {
	*cluster
	services map[string]svc
	nodes    map[string]node
	at       time.Time
	last     schema.ClusterContext
	result   detect.Result
}

func build(t *testing.T, services ...svc) *town {
	w := &town{cluster: watch(t), services: map[string]svc{}, nodes: map[string]node{}, at: start}
	w.set(services...)
	return w
}

func (w *town) set(services ...svc) {
	for _, s := range services {
		w.services[s.Namespace+"/"+s.Name] = s
	}
}

func (w *town) machine(id, status string) { w.nodes[id] = node{ID: id, Status: status} }

func (w *town) remove(name string) { delete(w.services, "shop/"+name) }

// pass lets n snapshots come, an interval apart.
func (w *town) pass(n int) {
	w.t.Helper()
	for range n {
		w.at = w.at.Add(i)
		s := snapshot(w.at)
		for _, key := range slices.Sorted(maps.Keys(w.services)) {
			s.Services = append(s.Services, w.services[key])
		}
		for _, key := range slices.Sorted(maps.Keys(w.nodes)) {
			s.Nodes = append(s.Nodes, w.nodes[key])
		}
		w.last, w.result = s, w.see(s)
		sound(w.t, w.result)
	}
}

// sound checks what holds of every result: who has a cause is the victim of exactly that one, if it is found; what
// explains has no cause itself, but for a storm that is over.
func sound(t *testing.T, r detect.Result) {
	t.Helper()
	found, victims := map[schema.Object]detect.Finding{}, map[schema.Object]schema.Object{}
	for _, f := range r.Findings {
		found[f.Object] = f
	}
	for _, f := range r.Findings {
		if f.Cause != nil && (len(f.Victims) > 0 || f.Quiet) {
			t.Errorf("%s has a cause, and %d victims, quiet: %v", f.Object, len(f.Victims), f.Quiet)
		}
		for n, v := range f.Victims {
			if _, twice := victims[v.Object]; twice {
				t.Errorf("%s is a victim twice", v.Object)
			}
			victims[v.Object] = f.Object
			if n > 0 && schema.SeverityRank(v.Severity) > schema.SeverityRank(f.Victims[n-1].Severity) {
				t.Errorf("the victims of %s are not in order", f.Object)
			}
			if of := found[v.Object]; of.Cause == nil || *of.Cause != f.Object || of.Conditions[0].Name != v.Condition {
				t.Errorf("%s is a victim of %s, and its finding says %+v", v.Object, f.Object, of)
			}
		}
	}
	for _, f := range r.Findings {
		if f.Cause == nil {
			continue
		}
		if *f.Cause == f.Object {
			t.Errorf("%s explains itself", f.Object)
		}
		if cause, is := found[*f.Cause]; is && (victims[f.Object] != *f.Cause || cause.Cause != nil) {
			t.Errorf("%s is explained by %s, which has the cause %v and not it as a victim", f.Object, f.Cause, cause.Cause)
		}
	}
}

// told is what is found, by object: its conditions, and what explains it or that it comes quietly.
func (w *town) told() []string {
	var all []string
	for _, f := range w.result.Findings {
		var names []string
		for _, c := range f.Conditions {
			names = append(names, c.Name)
		}
		text := strings.TrimPrefix(f.Object.String(), "shop/") + ": " + strings.Join(names, ", ")
		if f.Cause != nil {
			text += " <- " + strings.TrimPrefix(f.Cause.String(), "shop/")
		}
		if f.Quiet {
			text += " (quiet)"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

// heard is what is found that has no cause, with how many victims it has.
func (w *town) heard() []string {
	var all []string
	for _, f := range w.result.Findings {
		if f.Cause != nil {
			continue
		}
		text := strings.TrimPrefix(f.Object.String(), "shop/") + " " + f.Conditions[0].Name
		if len(f.Victims) > 0 {
			text += fmt.Sprintf(" with %d", len(f.Victims))
		}
		if f.Quiet {
			text += " (quiet)"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

func (w *town) tells(wants ...string) {
	w.t.Helper()
	want(w.t, w.told(), slices.Sorted(slices.Values(wants)))
}

func (w *town) hears(wants ...string) {
	w.t.Helper()
	want(w.t, w.heard(), slices.Sorted(slices.Values(wants)))
}

func named(prefix string, n int, as func(string) svc) []svc {
	var all []svc
	for k := range n {
		all = append(all, as(fmt.Sprintf("%s-%05d", prefix, k)))
	}
	return all
}

// on says where the instances of s are: those that run, and those that do not, which have a node that begins with "!".
func on(s svc, where ...string) svc {
	s.Instances, s.ReplicasRunning, s.ReplicasDesired = nil, new(0), new(len(where))
	for n, at := range where {
		id, ended := strings.CutPrefix(at, "!")
		in := schema.Instance{Name: fmt.Sprintf("%s-%d", s.Name, n), Node: id, State: "running"}
		if ended {
			in.State = "exited"
		} else {
			*s.ReplicasRunning++
		}
		s.Instances = append(s.Instances, in)
	}
	return s
}

func needing(s svc, names ...string) svc {
	s.DependsOn = names
	return s
}

func shipped(s svc, image string, at time.Time) svc {
	s.Image, s.LastDeployAt = image, at
	return s
}
