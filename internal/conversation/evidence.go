package conversation

import (
	"fmt"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// maxEvidence bounds the evidence as it is on the wire; the texts alone are held to schema.MaxEvidenceBytes by
// whoever gathers them.
const maxEvidence = 2 * schema.MaxEvidenceBytes

// take adopts f's evidence, its links and the rules' diagnosis. Unless a diagnosis is owed anew, an id of a piece of evidence
// keeps its meaning: a verdict may be on its way that cites it, and a model's verdict that stands does.
func (s *step) take(f Found, anew bool) {
	d := f.Diagnosis
	s.affected(f)
	s.c.Links = links(f.Links)
	if anew {
		if len(f.Evidence) > 0 {
			s.c.Evidence = nil
		}
	}
	ids := s.addEvidence(f.Evidence)
	if d == nil || !anew && byModel(s.c.Diagnosis) {
		return
	}
	tidied := tidyDiagnosis(*d)
	tidied.Evidence = slices.DeleteFunc(tidied.Evidence, func(x schema.Citation) bool { return ids[x.ID] == "" })
	for i := range tidied.Evidence {
		tidied.Evidence[i].ID = ids[tidied.Evidence[i].ID]
	}
	s.c.Diagnosis = &tidied
}

// links keeps the first links that can be shown whole: half an address is worse than none.
func links(all []schema.Link) []schema.Link {
	var list []schema.Link
	for _, l := range all {
		l.Title = line(l.Title, maxName)
		if l.Title != "" && l.URL != "" && encoded(l.URL) <= schema.MaxLinkBytes && scrub.Clean(l.URL) == l.URL && len(list) < schema.MaxLinks {
			list = append(list, l)
		}
	}
	return list
}

// addEvidence adds what is not there yet and tells the id under which each piece is kept. Into an empty list it
// goes with the ids that it has.
func (s *step) addEvidence(pieces []schema.Evidence) map[string]string {
	list := slices.Clone(s.c.Evidence)
	fresh := len(list) == 0
	ids := make(map[string]string, len(pieces))
	size := 0
	for i := range list {
		size += evidenceSize(&list[i])
	}
	for _, p := range pieces {
		p.Object, p.Kind, p.Text, p.At = line(p.Object, maxLine), line(p.Kind, maxName), prose(p.Text, maxProse), utc(p.At)
		if i := slices.IndexFunc(list, func(x schema.Evidence) bool { return sameEvidence(x, p) }); i >= 0 && !fresh {
			ids[p.ID] = list[i].ID
			continue
		}
		was := p.ID
		if !fresh {
			p.ID = fmt.Sprintf("E%d", len(list)+1)
		}
		if size += evidenceSize(&p); size > maxEvidence {
			break
		}
		ids[was] = p.ID
		list = append(list, p)
	}
	s.c.Evidence = list
	return ids
}

func sameEvidence(a, b schema.Evidence) bool {
	return a.Kind == b.Kind && a.Object == b.Object && a.Text == b.Text && a.At.Equal(b.At)
}

func evidenceSize(e *schema.Evidence) int {
	return encoded(e.Text) + encoded(e.Object) + encoded(e.Kind) + encoded(e.ID) + 120
}

// tidyDiagnosis cleans every text of d and holds it to its bounds.
func tidyDiagnosis(d schema.Diagnosis) schema.Diagnosis {
	d.Summary = prose(d.Summary, maxProse)
	d.RootCause.Component = line(d.RootCause.Component, maxLine)
	d.RootCause.Category = line(d.RootCause.Category, maxName)
	d.RootCause.Statement = prose(d.RootCause.Statement, maxProse)
	d.Confidence = line(d.Confidence, maxName)
	d.ConfidenceWhy = prose(d.ConfidenceWhy, maxProse)
	d.Action.Verb = line(d.Action.Verb, maxName)
	d.Action.Target = line(d.Action.Target, maxLine)
	d.Action.Reason = prose(d.Action.Reason, maxProse)
	d.Command = command(d.Command)
	d.Source = line(d.Source, maxName)
	d.Evidence = slices.Clone(d.Evidence[:min(len(d.Evidence), maxList)])
	for i := range d.Evidence {
		d.Evidence[i].ID = line(d.Evidence[i].ID, maxName)
		d.Evidence[i].Why = line(d.Evidence[i].Why, maxLine)
	}
	d.Alternatives = slices.Clone(d.Alternatives[:min(len(d.Alternatives), maxList)])
	for i := range d.Alternatives {
		d.Alternatives[i].Statement = line(d.Alternatives[i].Statement, maxLine)
		d.Alternatives[i].Check = line(d.Alternatives[i].Check, maxLine)
	}
	return d
}

// nextCommand is the command that c would have a person run next.
func nextCommand(c schema.Conversation) string {
	if c.Diagnosis == nil {
		return ""
	}
	return c.Diagnosis.Command
}
