package llmtest

import (
	"encoding/json"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
)

// Answer is what the model says unless scripted otherwise: a verdict where one is asked for, else a sentence.
func Answer(r Request) string {
	if len(Components(r)) > 0 {
		return Verdict(r)
	}
	return "The evidence names the object and what fires (E1); it does not tell more."
}

// Components are the objects that a prompt allows a verdict to blame, the one that it is about first.
func Components(r Request) []string { return fake.Components(r) }

// Item is one piece of evidence in a prompt.
type Item = fake.Item

// Evidence is the evidence that a prompt holds, in its order.
func Evidence(r Request) []Item { return fake.Evidence(r) }

// Clue is what makes the model say something: a text in the evidence.
type Clue struct {
	In  string                     // found in a piece's text
	Say func(Request, Item) string // of the request and the piece
}

// Clues makes the model go by what its prompt holds: the first clue that is in a piece of the evidence, piece by
// piece, decides what it says. Without any it says what Answer does.
func Clues(clues ...Clue) func(Request) string {
	return func(r Request) string {
		for _, item := range Evidence(r) {
			for _, c := range clues {
				if strings.Contains(item.Text, c.In) {
					return c.Say(r, item)
				}
			}
		}
		return Answer(r)
	}
}

// Blames is a verdict that blames what the piece of evidence is about, cites it, and wants verb done.
func Blames(verb string) func(Request, Item) string {
	return func(_ Request, i Item) string { return verdict(i.Object, verb, i.ID) }
}

// Verdict is a valid verdict on what r asks about: it blames the first allowed component, cites E1, and wants a look
// at the logs.
func Verdict(r Request) string {
	component := "unknown"
	if allowed := Components(r); len(allowed) > 0 {
		component = allowed[0]
	}
	return VerdictOn(component, "logs")
}

// VerdictOn is a verdict that blames component and wants verb done to it.
func VerdictOn(component, verb string) string { return verdict(component, verb, "E1") }

func verdict(component, verb, cites string) string {
	v := map[string]any{
		"reasoning":  cites + " says what fires.",
		"summary":    "The model blames " + component,
		"root_cause": map[string]any{"component": component, "category": "crash", "statement": "What fires for " + component + " (" + cites + ") fits a fault of its own."},
		"confidence": "medium", "confidence_why": cites + " fits it",
		"evidence":       []any{map[string]any{"id": cites, "why": "what fires"}},
		"alternatives":   []any{},
		"action":         map[string]any{"verb": verb, "target": component, "reason": "to see why"},
		"self_resolving": false, "insufficient_data": false,
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(b)
}
