package detect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// elsewhere is the reason for what is firing and is told as a part of something else; any other stays as it is.
func (v *view) elsewhere(reason Reason) Reason {
	clearing := reason.Verdict == VerdictClearHold || reason.Verdict == VerdictFlapping
	if reason.Verdict != VerdictFiring && !clearing {
		return reason
	}
	by := v.m.cause(&v.rec, "")
	if by == nil {
		return reason
	}
	text := strings.TrimPrefix(reason.Text, "alerting, but ")
	if by.Kind == schema.KindCluster {
		s := v.m.InStorm
		reason.Verdict = VerdictStorm
		reason.Text = fmt.Sprintf("part of the storm of %d objects since %s; told there", s.Failing, clock(s.Since))
	} else {
		cause := v.m.recall(*by)
		reason.Verdict = VerdictExplained
		reason.Text = "explained by " + named(*by) + ", which " + v.m.explained(&v.rec).tell(&cause, v.t.rules.Explain.Outlive.Of(v.t.interval))
	}
	if clearing {
		reason.Text += "; " + text
	}
	return reason
}

// named is how an object is called in a sentence.
func named(o schema.Object) string {
	if o.Kind == schema.KindService {
		return o.String()
	}
	return o.Kind + " " + o.String()
}

// tell says of the cause what is wrong with it.
func (e *explained) tell(cause *record, outlive time.Duration) string {
	if !e.Ended.IsZero() {
		return "has eased since " + clock(e.Ended) + "; told by itself if it goes on for " + span(outlive) + " after that"
	}
	first := ""
	if e.How == byRollout {
		first = "failed first after the same image was deployed, and "
	}
	f := cause.finding()
	if len(f.Conditions) == 0 {
		return first + "fails; told there"
	}
	c := f.Conditions[0]
	words := map[string]string{
		ServiceDown: "is down", NodeDown: "is down", CrashLoop: "crash-loops", Unhealthy: "fails its health check",
	}
	return first + cmp.Or(words[c.Name], "has "+c.Name) + " since " + clock(c.Since) + "; told there"
}

// whyStorm says whether there is a storm in a cluster, and how much there would have to be for one.
func (m *Memory) whyStorm(cluster string, r Rules) Reason {
	r = r.in(cluster)
	l, reason := &r.Storm, Reason{Condition: Storm, Verdict: VerdictWell}
	t := tick{interval: cmp.Or(m.Heard.Interval, schema.DefaultInterval), rules: &r}
	fresh, members := 0, 0
	for i := range m.Objects {
		a := m.Objects[i].Alone
		if a != 0 && t.lately(a) {
			fresh++
		}
		if a.in(stormy) {
			members++
		}
	}
	switch {
	case !l.On:
		reason.Verdict, reason.Text = VerdictOff, r.offReason(Storm)
	case m.InStorm == nil:
		reason.Text = fmt.Sprintf("well, %d of %d objects that began to alert within %s", fresh, l.New, span(l.Within))
	case !m.InStorm.on():
		reason.Verdict, reason.Since = VerdictExplained, m.InStorm.Since
		reason.Text = "over, most of it is explained by " + named(*m.InStorm.Cause) + "; told there"
	default:
		reason.Verdict, reason.Since = VerdictFiring, m.InStorm.Since
		reason.Text = fmt.Sprintf("alerting since %s, %s; %d of %d that stood for themselves are left, over at %d",
			clock(m.InStorm.Since), m.InStorm.Title, members, m.InStorm.Members, l.rest())
	}
	if changed := r.changed(Storm); changed != "" && reason.Verdict != VerdictOff {
		reason.Text += "; " + changed
	}
	reason.Text = Storm + ": " + reason.Text
	return reason
}

// AlertsElsewhere tells whether the verdict is that what is true is told as a part of something else.
func AlertsElsewhere(verdict string) bool {
	return slices.Contains([]string{VerdictExplained, VerdictStorm}, verdict)
}
