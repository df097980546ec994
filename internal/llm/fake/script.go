package fake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Mark begins every text of the script that people see, so that nobody takes it for a model's.
const Mark = "Scripted, no model was asked: "

// Script is what the model says unless told otherwise: a verdict where Bellbuoy asks for one, an answer from the
// evidence where somebody asks a question about an incident, and otherwise whatever is valid by the schema. It follows
// a few fixed rules, understands nothing, and says that in every text.
func Script(r Request) string {
	e := readPrompt(r.User())
	switch {
	case len(e.components) > 0 && (r.Schema == nil || hasProperty(r.Schema, "root_cause")):
		return e.verdict()
	case r.Schema != nil:
		return instance(r.Schema)
	case r.JSON:
		return compact(map[string]any{"answer": Mark + "there is nothing in the script for this."})
	case len(e.items) > 0:
		return Mark + e.reply()
	}
	return Mark + "it reads the evidence of incidents and has found none here."
}

// Components are the objects that a prompt allows a verdict to blame, the one that it is about first.
func Components(r Request) []string { return readPrompt(r.User()).components }

// Evidence is the evidence that a prompt holds, in its order.
func Evidence(r Request) []Item { return readPrompt(r.User()).items }

// Item is one piece of evidence in a prompt.
type Item struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"`
	Object string `json:"object"`
	Text   string `json:"text"`
	Count  int    `json:"count"`
}

// evidence is what a prompt holds, as far as the script reads it.
type evidence struct {
	components []string
	items      []Item
	cause      string // of the diagnosis that stands; empty: there is none
	question   string
}

const questionBegins = "The operator's question (a JSON string): "

// readPrompt takes a prompt apart: one JSON value a line, and a question at the end.
func readPrompt(user string) evidence {
	var e evidence
	for text := range strings.SplitSeq(user, "\n") {
		if q, ok := strings.CutPrefix(text, questionBegins); ok {
			_ = json.Unmarshal([]byte(q), &e.question) // no question is as good as one that is not readable
			continue
		}
		var line struct {
			Item
			Components []string `json:"allowed_components"`
			Diagnosis  struct {
				Summary string `json:"summary"`
			} `json:"diagnosis"`
		}
		switch err := json.Unmarshal([]byte(text), &line); {
		case err != nil:
		case len(line.Components) > 0 && len(e.components) == 0:
			e.components = line.Components
		case line.Diagnosis.Summary != "":
			e.cause = line.Diagnosis.Summary
		case line.ID != "" && line.Kind != "":
			e.items = append(e.items, line.Item)
		}
	}
	return e
}

// first is the first piece of a kind about an object; an empty object is any.
func (e evidence) first(kind, object string) (Item, bool) {
	for _, i := range e.items {
		if i.Kind == kind && (object == "" || i.Object == object) {
			return i, true
		}
	}
	return Item{}, false
}

// guilty is a service that the object depends on and of which nothing runs, if the evidence names one.
func (e evidence) guilty() (Item, bool) {
	for _, i := range e.items {
		gone := strings.Contains(i.Text, " depends on ") && (strings.Contains(i.Text, "not running") || strings.Contains(i.Text, ": 0 of "))
		if i.Kind == "neighbour" && i.Object != e.components[0] && gone {
			return i, true
		}
	}
	return Item{}, false
}

// finding is what the script makes of the evidence.
type finding struct {
	component, category, statement, reach, verb string
	rests                                       []Item
}

func (e evidence) find() finding {
	me := e.components[0]
	f := finding{component: me, category: "unknown", verb: "logs"}
	if fires, ok := e.first("condition", me); ok {
		f.rests = append(f.rests, fires)
	}
	failure, failed := e.first("failure", me)
	log, logged := e.first("log", me)
	below, down := e.guilty()
	switch {
	case down:
		f.component, f.category, f.statement = below.Object, "dependency_down", below.Text
		f.rests = append(f.rests, below)
	case failed:
		f.category, f.statement = category(failure.Text), failure.Text
		f.rests = append(f.rests, failure)
	}
	if logged && f.category != "unknown" {
		f.statement += fmt.Sprintf("; its log says “%s”", log.Text)
		f.rests = append(f.rests, log)
	}
	if callers, ok := e.callers(); ok {
		f.reach = "; " + callers.Text
		f.rests = append(f.rests, callers)
	}
	return f
}

// callers is the piece that says what depends on the object.
func (e evidence) callers() (Item, bool) {
	for _, i := range e.items {
		if i.Kind == "neighbour" && strings.Contains(i.Text, "depend on it") {
			return i, true
		}
	}
	return Item{}, false
}

func category(failure string) string {
	for _, known := range [][2]string{
		{"want of memory", "out_of_memory"}, {"could not start", "start_error"}, {"health check", "health_check"}, {"exit code", "crash"},
	} {
		if strings.Contains(failure, known[0]) {
			return known[1]
		}
	}
	return "crash"
}

// verdict is one by the rules of Bellbuoy's own prompt.
func (e evidence) verdict() string {
	f := e.find()
	unsure := f.category == "unknown"
	confidence, why := "medium", "a script matched the evidence and did no thinking"
	if unsure {
		confidence, f.statement = "low", "the script knows no reason for this"
	}
	cites := []any{}
	for _, i := range f.rests {
		cites = append(cites, map[string]any{"id": i.ID, "why": i.Kind})
	}
	return compact(map[string]any{
		"reasoning":  Mark + "fixed rules were applied to the evidence.",
		"summary":    Mark + f.statement,
		"root_cause": map[string]any{"component": f.component, "category": f.category, "statement": Mark + f.statement + f.reach},
		"confidence": confidence, "confidence_why": why, "evidence": cites, "alternatives": []any{},
		"action":         map[string]any{"verb": f.verb, "target": f.component, "reason": "the script looks before anything is changed"},
		"self_resolving": false, "insufficient_data": unsure,
	})
}

// reply answers a question with those pieces of evidence that its words ask for.
func (e evidence) reply() string {
	asks := strings.ToLower(e.question)
	var kinds []string
	for _, k := range [][2]string{{"log", "log"}, {"event", "event"}, {"chang", "change"}, {"depend", "neighbour"}, {"affected", "neighbour"}, {"node", "node"}} {
		if strings.Contains(asks, k[0]) && !slices.Contains(kinds, k[1]) {
			kinds = append(kinds, k[1])
		}
	}
	if len(kinds) == 0 {
		kinds = []string{"failure", "neighbour", "change"}
	}
	var said []string
	if e.cause != "" {
		said = append(said, "the diagnosis that stands is “"+strings.TrimPrefix(e.cause, Mark)+"”")
	}
	for _, k := range kinds {
		if i, ok := e.first(k, ""); ok {
			said = append(said, fmt.Sprintf("%s (%s)", i.Text, i.ID))
		}
	}
	if len(said) == 0 {
		said = append(said, fmt.Sprintf("%s (%s)", e.items[0].Text, e.items[0].ID))
	}
	return strings.Join(said, ". ") + "."
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "{}" // of strings, lists and truths only: it has a form
	}
	return string(b)
}
