package conversation_test

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// found reads what the rules find, and what of it explains what.
func (p *player) found(at time.Time, removed bool, rest string) conversation.Found {
	rest, titles, _ := strings.Cut(rest, " linking ")
	rest, quietly := strings.CutSuffix(rest, " quietly")
	rest, cause, caused := strings.Cut(rest, " because of ")
	rest, victims, _ := strings.Cut(rest, " explaining ")
	f := findingOf(p.object, at, p.seq, removed, strings.Fields(rest)...)
	f.Silence, f.Quiet = p.hush, quietly
	if caused {
		f.Cause = causeOf(named(cause))
	}
	for title := range strings.FieldsSeq(titles) {
		f.Links = append(f.Links, schema.Link{Title: title, URL: "https://" + strings.ToLower(title) + ".example/" + p.object.Name})
	}
	for name := range strings.FieldsSeq(victims) {
		if more, err := strconv.Atoi(name); err == nil { // "+3", who are not named here
			f.VictimCount += more
			continue
		}
		name, milder := strings.CutPrefix(name, "~")
		v := p.of(name)
		if !milder {
			f.Critical = append(f.Critical, v.object)
		}
		f.Victims = append(f.Victims, schema.Affected{Object: v.object, Condition: "service_down", Since: at.Add(-time.Minute)})
		f.VictimCount++
		if v.c.ID != "" && !v.c.Closed() {
			f.Heirs = append(f.Heirs, v.c)
		}
	}
	return f
}

func causeOf(o schema.Object) *conversation.Cause {
	return &conversation.Cause{ID: schema.ConversationID("prod", o), Object: o}
}

// said reads a reply. One that was said to a folded conversation has the same id in both.
func (p *player) said(at time.Time, rest string) conversation.Said {
	name, words, _ := strings.Cut(rest, " ")
	words, where, _ := strings.Cut(strings.TrimSuffix(words, "]"), " [")
	s := saying(at, p.seq, name, strings.ReplaceAll(words, `\n`, "\n"))
	folded, from := strings.CutPrefix(where, "to ")
	cause, to := strings.CutPrefix(where, "goes on to ")
	if from || to {
		s.Reply.ID = fmt.Sprintf("%s-%d", name, at.Unix())
	}
	if from {
		s.From = schema.ConversationID("prod", named(folded))
	}
	if to {
		s.To = causeOf(named(cause))
	}
	if where == "may only ask" {
		s.Deny = fmt.Sprintf("Sorry, %s may only ask here: anna may more.", name)
	}
	return s
}
