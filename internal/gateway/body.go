package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	minDigits   = 4  // of a conversation's id
	maxActor    = 80 // bytes
	maxMistakes = 10 // that are told
)

// parse reads a body and lists all that is wrong with it. Unlike elsewhere a field that is not known is a mistake: whoever
// writes verified or author into it believes that it counts.
func parse(body []byte) (schema.SignedReply, []string) {
	fields := map[string]json.RawMessage{}
	in := json.NewDecoder(bytes.NewReader(body))
	if err := in.Decode(&fields); err != nil || in.More() {
		return schema.SignedReply{}, []string{`it is not one JSON object: {"conversation": "9f2c51d0", "text": "why?"}`}
	}
	var r schema.SignedReply
	p := &parser{fields: fields}
	r.Conversation = p.text("conversation", schema.IDLength)
	r.Text = scrub.Clean(p.text("text", schema.MaxMessageBytes))
	r.Verb = p.text("verb", maxActor)
	r.Actor = scrub.Line(p.text("actor", maxActor), maxActor)
	p.time("until", &r.Until)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		p.wrong("%q: there is no such field; there are conversation, text, verb, until and actor, and the key says who writes", scrub.Line(name, maxActor))
	}
	p.check(&r)
	return r, p.mistakes
}

// check says what is wrong with a reply whose fields could be read.
func (p *parser) check(r *schema.SignedReply) {
	if len(p.mistakes) > 0 {
		return
	}
	if !schema.ValidIDPrefix(r.Conversation, minDigits) {
		p.wrong("conversation: write its id, or the first %d digits of it or more, in lower case", minDigits)
	}
	if strings.TrimSpace(r.Text) == "" && r.Verb == "" {
		p.wrong("text: there is neither a text nor a verb")
	}
	verb, known := conversation.Intent(schema.Reply{Text: r.Text, Verb: r.Verb})
	if !known {
		p.wrong("verb: %q is none; write it as text if it is a question, or help to hear what can be said", scrub.Line(r.Verb, maxActor))
	}
	if !r.Until.IsZero() && verb != conversation.VerbSilence {
		p.wrong("until: is of a silence alone")
	}
}

// parser takes the fields of an object one by one.
type parser struct {
	fields   map[string]json.RawMessage
	mistakes []string
}

func (p *parser) wrong(format string, args ...any) {
	if len(p.mistakes) < maxMistakes {
		p.mistakes = append(p.mistakes, fmt.Sprintf(format, args...))
	}
}

// take decodes a field, if it is there, and takes it away.
func (p *parser) take(name string, into any) bool {
	raw, there := p.fields[name]
	delete(p.fields, name)
	return !there || json.Unmarshal(raw, into) == nil
}

func (p *parser) text(name string, limit int) (text string) {
	switch {
	case !p.take(name, &text):
		p.wrong("%s: write a string", name)
		return ""
	case len(text) > limit:
		p.wrong("%s: is longer than %d bytes", name, limit)
		return ""
	}
	return text
}

func (p *parser) time(name string, into *time.Time) {
	if !p.take(name, into) {
		p.wrong("%s: write a time such as 2026-11-24T18:00:00Z", name)
	}
}
