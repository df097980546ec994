package llmtest

import (
	"encoding/json"

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
func VerdictOn(component, verb string) string {
	v := map[string]any{
		"reasoning":  "E1 says what fires.",
		"summary":    "The model blames " + component,
		"root_cause": map[string]any{"component": component, "category": "crash", "statement": "What fires for " + component + " (E1) fits a fault of its own."},
		"confidence": "medium", "confidence_why": "E1 fits it",
		"evidence":       []any{map[string]any{"id": "E1", "why": "what fires"}},
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
