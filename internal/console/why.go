package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Why prints what is decided about single objects, as of now.
func (p *Printer) Why(r client.WhyResponse, now time.Time) {
	var b strings.Builder
	for _, e := range r.Objects {
		state := "no conversation"
		if e.Conversation != "" {
			state = p.ID(e.Conversation) + " " + e.State
		}
		name := e.Cluster + "/" + e.Object.String()
		if e.Object.Kind == schema.KindCluster {
			name = e.Cluster
		}
		b.WriteString(clean(e.Object.Kind) + " " + p.paint(bold, clean(name)) + " (" + state + ")\n")
		silenced := slices.ContainsFunc(e.Reasons, func(r client.Reason) bool { return r.Verdict == client.VerdictSilenced })
		if e.Silenced != "" && !silenced {
			p.row(&b, "silenced", clean(e.Silenced))
		}
		for _, s := range e.Silences {
			p.row(&b, "silence", p.byScope(s, now))
		}
		for _, reason := range e.Reasons {
			p.row(&b, reason.Verdict, clean(reason.Text))
		}
	}
	p.write(b.String())
}

// Quiet prints, for each cluster, what of it is not alerted on as of now, and why.
func (p *Printer) Quiet(clusters []client.Overview, now time.Time) {
	var b strings.Builder
	if len(clusters) == 0 {
		b.WriteString("no cluster has published a snapshot within a day: is a collector running? bellbuoy up brings one\n")
	}
	for _, o := range clusters {
		p.titled(&b, clean(o.Cluster)+"  ", strings.Join(sources(&o), " + ")+", as of "+p.o.clock(o.TakenAt)+"; "+Count(o.Firing, "object")+" alerting")
		p.quiet(&b, &o, now)
	}
	p.write(b.String())
}

func (p *Printer) quiet(b *strings.Builder, o *client.Overview, now time.Time) {
	for _, s := range o.Stale {
		since := ", and it has not been read yet"
		if !s.Since.IsZero() {
			since = " since " + p.o.clock(s.Since)
		}
		p.row(b, "cannot read", clean(s.Source)+": "+clean(s.Error)+"; nothing of it is raised or cleared"+since)
	}
	for _, g := range o.Groups {
		label, why := verdictWords(g.Verdict)
		head := things(g.Instances)
		switch {
		case len(g.Objects) > 0 && g.Objects[0].Object.Kind == schema.KindNode:
			head = Count(g.Count, "node")
		case sum(g.Instances) == 0: // none of it is left
			head = Count(g.Count, "service")
		}
		if g.Condition != "" {
			why = clean(g.Condition) + ", " + why
		}
		p.row(b, label, head+": "+why)
		p.row(b, "", p.names(&g, now))
	}
	for _, x := range offs(o.Off) {
		p.row(b, "off", x)
	}
	for _, list := range slices.Sorted(maps.Keys(o.Omitted)) {
		p.row(b, "cut off", fmt.Sprintf("%d of %s, which were too many", o.Omitted[list], clean(list)))
	}
	if len(o.Groups)+len(o.Off)+len(o.Stale) == 0 {
		p.row(b, "", "everything that is seen is watched")
	}
}

func verdictWords(verdict string) (label, why string) {
	switch verdict {
	case "baseline":
		return "baseline", "had stopped before Bellbuoy first looked; watched from its next start on"
	case "by_hand":
		return "by hand", "somebody stopped or removed it; watched from its next start on"
	case "not_wanted":
		return "not wanted", "it ended as it should, or none is wanted"
	case "explained":
		return "explained", "something else explains it; told there"
	case "storm":
		return "storm", "many began to fail at once; told as one, about the cluster"
	case "hold":
		return "holding", "true, but not for long enough yet"
	case "grace":
		return "grace", "true, but after a deploy; alerted if it still is at the end of the grace"
	case "flapping":
		return "flapping", "alerting, but well; it comes back so often that it stays open until it has been well for long"
	case "clear_hold":
		return "clearing", "alerting, but well; called so when it has lasted"
	case "unknown":
		return "not judged", "what the rule needs to know is not known"
	case "off":
		return "off", "for these, by the rules file"
	}
	return verdict, ""
}

// mostNames is how many objects of a group are named; bellbuoy why NAME tells more of any.
const mostNames = 24

// names lists a group's objects, each with what is special about it.
func (p *Printer) names(g *client.Group, now time.Time) string {
	same := commonText(g.Objects)
	var all []string
	for _, x := range g.Objects[:min(len(g.Objects), mostNames)] {
		name := clean(x.Object.String())
		switch {
		case !x.Until.IsZero():
			name += " (" + clean(x.Text) + ", until " + p.when(x.Until, now) + ")"
		case !same:
			name += " (" + clean(x.Text) + ")"
		}
		all = append(all, name)
	}
	text := strings.Join(all, ", ")
	if more := g.Count - len(all); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if same && g.Objects[0].Text != "" && g.Verdict != "baseline" && g.Objects[0].Until.IsZero() {
		text += " (" + clean(g.Objects[0].Text) + ")"
	}
	return text
}

func commonText(all []client.Quiet) bool {
	for _, x := range all {
		if x.Text != all[0].Text {
			return false
		}
	}
	return true
}
