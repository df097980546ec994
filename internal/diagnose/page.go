package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	maxEpisodesTold = 3
	leftOutTokens   = 60 // that the line with what was left out takes at most
)

// page is the block of data of one prompt: what is said of the incident, the evidence, and what follows it.
type page struct {
	*View
	conversation schema.Conversation
	blame        bool     // say what may be blamed and acted on
	head         []any    // said before the evidence, besides what the incident is
	after        []string // lines that follow the evidence
}

// fenced writes the page as JSON, one value a line, between two lines that bear a nonce. Nothing in a JSON string can
// begin a line, and the nonce stands nowhere between them. The result is at most limit tokens, unless
// what is no evidence takes more; least is how many it would be without any evidence.
func (p page) fenced(limit int) (text string, least int) {
	least = Tokens(p.written(nil)) + leftOutTokens
	return p.written(p.choose(limit - least)), least
}

// written is the page with some of the evidence.
func (p page) written(chosen []schema.Evidence) string {
	c := p.conversation
	var b strings.Builder
	line := func(v any) { b.WriteString(compact(v) + "\n") }
	line(about(c))
	if n := Suspicious(c.Evidence); n > 0 {
		line(map[string]int{"suspicious_lines": n})
	}
	if p.blame {
		objects := p.allowed(chosen)
		line(map[string][]string{"allowed_components": objects})
		line(map[string][]string{"allowed_targets": objects})
	}
	for _, e := range earlier(c) {
		line(map[string]past{"earlier_episode": e})
	}
	for _, h := range p.head {
		line(h)
	}
	for _, e := range chosen {
		b.WriteString(shown(e) + "\n")
	}
	if left := missing(c.Evidence, chosen); len(left) > 0 {
		line(map[string]map[string]int{"evidence_left_out": left})
	}
	for _, text := range p.after {
		b.WriteString(text)
	}
	mark := nonce(c, b.String())
	return fmt.Sprintf("DATA %s\n%sEND %s\n", mark, b.String(), mark)
}

// allowed lists what a verdict may blame or act on: the object, and what the evidence speaks of, as far as it exists.
func (p page) allowed(evidence []schema.Evidence) []string {
	objects := []string{p.conversation.Object.String()}
	for _, e := range evidence {
		if p.exists(e.Object) && !slices.Contains(objects, e.Object) {
			objects = append(objects, e.Object)
		}
	}
	return objects
}

// choose takes the evidence that tells most and fits. The suspects are what the present diagnosis blames, and the object.
func (p page) choose(room int) []schema.Evidence {
	c := p.conversation
	suspects := []string{c.Object.String()}
	if c.Diagnosis != nil {
		suspects = append(suspects, c.Diagnosis.RootCause.Component)
	}
	named := map[string]bool{}
	return fitting(c.Evidence, ranks(c.Evidence, suspects), room, func(e *schema.Evidence) int {
		cost := Tokens(shown(*e)) + 1
		if p.blame && !named[e.Object] {
			cost += 2*Tokens(quote(e.Object)) + 2
		}
		return cost
	}, func(e *schema.Evidence) { named[e.Object] = true })
}

// fitting takes of all what fits into room, by rank and within a rank from the front, and keeps its order. took is told of
// each that is taken, before the next one's cost is asked.
func fitting(all []schema.Evidence, ranks []int, room int, cost func(*schema.Evidence) int, took func(*schema.Evidence)) []schema.Evidence {
	taken := make([]bool, len(all))
	for rank := range rankRest + 1 {
		for i := range all {
			if ranks[i] != rank {
				continue
			}
			if n := cost(&all[i]); n <= room {
				taken[i] = true
				room -= n
				took(&all[i])
			}
		}
	}
	var kept []schema.Evidence
	for i := range all {
		if taken[i] {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// Ranks of evidence: what a small prompt holds first.
const (
	rankFirst = iota // what fires, and of the suspect how it failed and the first lines of its log
	rankCause        // what may explain it: neighbours, changes, nodes
	rankSigns        // further lines of logs, a few for each object, and the newest events
	rankRest
)

const (
	firstLines  = 2 // of the suspect's log
	signLines   = 4 // of an object's log
	signEvents  = 4
	causesFirst = 8 // neighbours that rank before further lines
)

// ranks gives each piece of evidence its rank.
func ranks(all []schema.Evidence, suspects []string) []int {
	seen := map[[2]string]int{} // by kind, and for logs by object
	ranks := make([]int, len(all))
	for i, e := range all {
		key := [2]string{e.Kind}
		if e.Kind == KindLog {
			key[1] = e.Object
		}
		seen[key]++
		ranks[i] = rank(e, seen[key], slices.Contains(suspects, e.Object))
	}
	return ranks
}

// rank is that of the nth piece of its kind.
func rank(e schema.Evidence, nth int, suspect bool) int {
	switch e.Kind {
	case KindCondition:
		return rankFirst
	case KindLog:
		switch {
		case suspect && nth <= firstLines:
			return rankFirst
		case nth <= signLines:
			return rankSigns
		}
	case KindEvent:
		if nth <= signEvents {
			return rankSigns
		}
	case KindNeighbour:
		if nth <= causesFirst {
			return rankCause
		}
	default:
		if suspect {
			return rankFirst
		}
		return rankCause
	}
	return rankRest
}

// missing counts by kind what of all is not among the chosen.
func missing(all, chosen []schema.Evidence) map[string]int {
	left := map[string]int{}
	for _, e := range all {
		if !slices.ContainsFunc(chosen, func(x schema.Evidence) bool { return x.ID == e.ID }) {
			left[e.Kind]++
		}
	}
	return left
}

// past is how an earlier episode of the same object went.
type past struct {
	Began     string `json:"began"`
	Lasted    string `json:"lasted"`
	Condition string `json:"condition"`
	Severity  string `json:"severity"`
	Closed    string `json:"closed_as"`
	EndedBy   string `json:"ended_by,omitempty"`
	Diagnosis string `json:"diagnosis,omitempty"`
}

// earlier tells of the last episodes before this one, the newest last.
func earlier(c schema.Conversation) []past {
	var told []past
	for _, e := range c.Episodes[max(0, len(c.Episodes)-maxEpisodesTold):] {
		told = append(told, past{
			Began: clock(e.StartedAt, c.UpdatedAt), Lasted: seconds(e.ClosedAt.Sub(e.StartedAt).Seconds()), Condition: e.Condition,
			Severity: e.Severity, Closed: e.ClosedAs, EndedBy: scrub.Line(e.EndedBy, 100), Diagnosis: scrub.Line(e.Diagnosis, 200),
		})
	}
	return told
}
