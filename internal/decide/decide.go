package decide

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Known is what is known of the conversations, without their messages where that saves room. It may lag behind.
type Known interface {
	// Live gives the conversations of a cluster that a snapshot without findings could change.
	Live(cluster string) []schema.Conversation
	// Last gives the conversation of that id as it was last seen; false if it never was.
	Last(id string) (schema.Conversation, bool)
}

// Step is one snapshot on its way into the conversations. New makes one.
type Step struct {
	Snapshot schema.ClusterContext // not to be changed
	At       detect.Position       // where it lies in its stream
	Links    link.Templates        // of the file of rules

	rules  detect.Rules
	view   *diagnose.View
	since  time.Time // when the detector's memory of this cluster begins
	result detect.Result
}

// New begins the step of a snapshot that is valid and has a time.
func New(s schema.ClusterContext, at detect.Position, r detect.Rules) *Step {
	step := &Step{Snapshot: s, At: at, rules: r}
	step.view = diagnose.NewView(&step.Snapshot)
	return step
}

// Detect folds the snapshot into the memory. If the result says that it was dropped or refused, the step is over;
// otherwise it goes on with what was detected last.
func (s *Step) Detect(m detect.Memory) (detect.Memory, detect.Result) {
	next, result := detect.Detect(m, s.Snapshot, s.At, s.rules)
	if result.Dropped == "" {
		s.since, s.result = next.Since, result
	}
	return next, result
}

// Founds lists what each conversation has to be told: the findings, and for what is open without one that it is gone
// or well. Those that explain others come first, then those that stand for themselves, at the end what is to be folded:
// of each that is open, once what explains it is stored.
func (s *Step) Founds(known Known) []conversation.Found {
	live := known.Live(s.Snapshot.ClusterName)
	x := s.explain(live)
	founds := x.founds()
	founds = append(founds, s.own(known)...)
	open := slices.DeleteFunc(live, func(c schema.Conversation) bool {
		_, firing := x.finding[c.Object]
		return firing || !schema.OfSnapshots(c.Object.Kind) // no snapshot knows of what others say
	})
	if len(open) > 0 {
		w := wellness{step: s, seen: s.objects(), off: detect.Off(s.Snapshot, s.rules)}
		for _, c := range open {
			if found, proven := w.judge(c); proven {
				founds = append(founds, found)
			}
		}
	}
	return append(founds, x.folds...)
}

// Next folds a found of this step into its conversation, with the evidence, links and rules' diagnosis where it needs them.
// trace is asked for the id of a new episode then. The reason is conversation.Next's.
func (s *Step) Next(c schema.Conversation, f conversation.Found, trace func() string) (next schema.Conversation, reason string) {
	return conversation.Next(c, s.Full(c, f, trace))
}

// Full is f with the evidence, the links and the diagnosis that Next would add to it.
func (s *Step) Full(c schema.Conversation, f conversation.Found, trace func() string) conversation.Found {
	return withEvidence(f, c, s.view, s.Links, s.victims, trace)
}

// WithEvidence adds to f what the view shows of it, its links and the rules' diagnosis, if c needs that; trace as for
// Step.Next.
func WithEvidence(f conversation.Found, c schema.Conversation, v *diagnose.View, links link.Templates, trace func() string) conversation.Found {
	return withEvidence(f, c, v, links, func(f conversation.Found) []schema.Affected { return f.Victims }, trace)
}

func withEvidence(f conversation.Found, c schema.Conversation, v *diagnose.View, links link.Templates, of func(conversation.Found) []schema.Affected, trace func() string) conversation.Found {
	if conversation.NeedsEvidence(c, f) {
		victims := of(f)
		f.Evidence = v.Freeze(f.Object, f.Conditions, victims)
		f.Diagnosis = new(v.ByRules(f.Object, f.Conditions, victims, f.Evidence))
		f.Affected, f.Dependents = v.Affected(f.Object)
		f.TraceID = trace()
		next, _ := conversation.Next(c, f)
		f.Links = links.Of(&next, v.Nodes(f.Object))
	}
	return f
}

// Resting tells whether no snapshot without findings can change c any more.
func Resting(c schema.Conversation) bool {
	return c.Closed() && !slices.ContainsFunc(c.Conditions, func(x schema.Condition) bool { return x.Until.IsZero() })
}

func (s *Step) found(o schema.Object) conversation.Found {
	return conversation.Found{
		At: s.Snapshot.TakenAt, Stored: s.At.At, Cluster: s.Snapshot.ClusterName, Source: s.Snapshot.Source, Object: o,
		Seq: s.At.Seq, Epoch: s.At.Epoch, Interval: s.Snapshot.Interval(),
	}
}
