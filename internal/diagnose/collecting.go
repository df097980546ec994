package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// collectorCause says what to do about two collectors that publish one cluster.
func (r *ruler) collectorCause() cause {
	c := r.unknown("nothing more is known of it")
	if len(r.firing) == 0 {
		return c
	}
	c.category, c.confidence, c.why = CategoryConfig, schema.ConfidenceHigh, "both name themselves in what they publish"
	c.summary = list(r.firing[0].Facts) + "; set BELLBUOY_CLUSTER to another name on one of them, or stop it"
	return c
}

// silenceCause says what may be wrong where nothing comes from a cluster. All that is known is its last snapshot.
func (r *ruler) silenceCause() cause {
	c := r.unknown("only its last snapshot is known")
	c.summary = "what runs there is not known and nothing of it is told"
	if r.snap.Goodbye {
		c.category, c.confidence, c.why = CategoryConfig, schema.ConfidenceHigh, "its last snapshot says goodbye"
		c.summary = r.whose() + " was stopped, and no other took over: " + c.summary +
			"; start it again, or see bellbuoy doctor if the cluster is gone for good"
		return c
	}
	c.category = CategoryNode
	c.summary = r.whose() + " has ended or hangs, its host is down, or the way from there to NATS is broken: " + c.summary
	on := ""
	if r.snap.Host != "" {
		on = " on " + r.snap.Host
	}
	c.other = []schema.Alternative{
		{Statement: "the collector ended or hangs", Check: "whether it runs" + on + ", and its log"},
		{Statement: "its host is down or cut off", Check: "whether the host answers" + on},
		{Statement: "it cannot reach NATS, or may not publish", Check: "the collector's log, and bellbuoy doctor" + on},
	}
	return c
}

func (r *ruler) whose() string {
	if r.snap.Host == "" {
		return "what publishes " + r.object.Name
	}
	return "the collector on " + r.snap.Host
}

// sourceCause says why a source cannot be read. Errors of this house end with what to do, after a semicolon: that is
// what is told then, because the error itself is among the facts.
func (r *ruler) sourceCause() cause {
	i := slices.IndexFunc(r.snap.Stale, func(p schema.StalePart) bool { return p.Source == r.object.Name })
	if i < 0 {
		return r.unknown("the snapshot says nothing more about it")
	}
	p := r.snap.Stale[i]
	c := cause{component: r.object.String(), confidence: schema.ConfidenceMedium, why: "the collector gives the error", verb: VerbNone}
	advice := ""
	c.category, advice = unreadable(p.Error)
	c.summary = fmt.Sprintf("%s cannot read %s: ", r.whose(), p.Source)
	if _, fix, found := strings.Cut(p.Error, "; "); found {
		c.summary += fix
	} else {
		c.summary += cut(p.Error, maxSummary/2) + "; " + advice
	}
	return c
}

// unreadable sorts the error of a source, and says what to do where it does not itself.
func unreadable(text string) (category, advice string) {
	kinds := []struct {
		category, advice string
		words            []string
	}{
		{CategoryConfig, "let the collector's user read it", []string{"permission denied", "not permitted", "access denied", "forbidden", "may not"}},
		{CategoryResources, "it hangs or is overloaded, so look at it there", []string{"no answer in time", "timeout", "timed out", "deadline exceeded"}},
		{CategoryNode, "start it, or say where it is", []string{"connection refused", "no such file", "not there", "engine running", "no route to host"}},
	}
	text = strings.ToLower(text)
	for _, k := range kinds {
		if slices.ContainsFunc(k.words, func(w string) bool { return strings.Contains(text, w) }) {
			return k.category, k.advice
		}
	}
	return CategoryUnknown, "look at it there"
}
