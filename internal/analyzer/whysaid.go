package analyzer

import (
	"context"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// explainSaid explains an object of which others say what is true.
func (a *Analyzer) explainSaid(ctx context.Context, n client.Named, s *schema.ClusterContext) (client.Explained, error) {
	r, _, err := a.sayings.load(ctx, n.Cluster, n.Object)
	if err != nil {
		return client.Explained{}, err
	}
	e := client.Explained{Cluster: n.Cluster, Object: n.Object, Reasons: r.why(a.rules)}
	head, err := a.bus.Head(ctx, n.Cluster, n.ID)
	if err != nil {
		return client.Explained{}, err
	}
	if head.Conversation.ID != "" {
		e.Conversation, e.State = head.Conversation.ID, head.Conversation.State
	}
	return e, a.silencesOf(ctx, &e, head.Conversation, s)
}

// why tells of each condition that was said lately whether it is alerting.
func (r *saidRecord) why(rules detect.Rules) []client.Reason {
	reasons := []client.Reason{}
	told := map[string]bool{}
	for _, s := range append(r.ranked(), r.ended()...) {
		if told[s.Condition] {
			continue
		}
		told[s.Condition] = true
		reasons = append(reasons, s.why(rules, r.Cluster, r.Object))
	}
	if len(reasons) == 0 {
		reasons = append(reasons, client.Reason{Verdict: detect.VerdictUnknown, Text: "nobody has said anything of " + r.Object.String() + " lately"})
	}
	return reasons
}

// ended is what is said to be over, or lapsed, newest first.
func (r *saidRecord) ended() []saying {
	var over []saying
	for _, s := range slices.Backward(r.Sayings) { // kept by time
		if !s.Firing {
			over = append(over, s)
		}
	}
	return over
}

func (s *saying) why(rules detect.Rules, cluster string, o schema.Object) client.Reason {
	severity, off, by := rules.Graded(cluster, o, s.Condition, s.Severity)
	reason := client.Reason{Condition: s.Condition, Verdict: detect.VerdictWell}
	switch {
	case off != "":
		reason.Verdict, reason.Text = detect.VerdictOff, off
	case s.Firing:
		reason.Verdict, reason.Since = detect.VerdictFiring, s.Since
		reason.Text = "alerting since " + clock(s.Since) + " (" + severity + "), " + s.Title + ", as said by " + s.Source
	case s.Lapsed:
		reason.Verdict, reason.Text = detect.VerdictUnknown, "not known, "+s.Source+" has not said so again by "+clock(s.At)
	default:
		reason.Text = "well, it is over since " + clock(s.At) + " as said by " + s.Source
	}
	if by != "" {
		reason.Text += "; " + by
	}
	reason.Text = s.Condition + ": " + reason.Text
	return reason
}
