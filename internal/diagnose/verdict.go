package diagnose

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of a diagnosis, in bytes and items. A longer text is cut, further items are dropped.
const (
	maxSummary      = 300
	maxStatement    = 900
	maxWhy          = 300
	maxCitations    = 6
	maxAlternatives = 3
	maxModelName    = 100
)

func confidences() []string {
	return []string{schema.ConfidenceLow, schema.ConfidenceMedium, schema.ConfidenceHigh}
}

// verdict is what a model is asked for. Its reasoning is not read.
type verdict struct {
	Summary   string `json:"summary"`
	RootCause struct {
		Component string `json:"component"`
		Category  string `json:"category"`
		Statement string `json:"statement"`
	} `json:"root_cause"`
	Confidence    string               `json:"confidence"`
	ConfidenceWhy string               `json:"confidence_why"`
	Evidence      []schema.Citation    `json:"evidence"`
	Alternatives  []schema.Alternative `json:"alternatives"`
	Action        struct {
		Verb   string `json:"verb"`
		Target string `json:"target"`
		Reason string `json:"reason"`
	} `json:"action"`
	SelfResolving    bool `json:"self_resolving"`
	InsufficientData bool `json:"insufficient_data"`
}

// CheckVerdict reads a model's answer to VerdictPrompt. Its error lists every mistake, in words that RepairPrompt can
// quote. What it accepts names only objects and evidence that exist; its texts are cleaned and cut; its command is
// rendered by code; and it is no surer, and dares no more, than its evidence allows: supported by log lines alone it is
// of low confidence, and with low confidence its action is a look. A step that is meant for a victim becomes the one
// for its cause. The snapshot may be nil when there is none any more; then there is no command.
func CheckVerdict(text, model string, c schema.Conversation, s *schema.ClusterContext) (schema.Diagnosis, error) {
	raw, err := Object(text)
	if err != nil {
		return schema.Diagnosis{}, fmt.Errorf("check verdict: %w", err)
	}
	var got verdict
	if err := json.Unmarshal(raw, &got); err != nil {
		return schema.Diagnosis{}, fmt.Errorf("check verdict: the JSON object has not the shape asked for: %w", err)
	}
	k := checker{View: NewView(s), conversation: c, verdict: got}
	k.check()
	if len(k.mistakes) > 0 {
		return schema.Diagnosis{}, fmt.Errorf("check verdict: %w", errors.Join(k.mistakes...))
	}
	return k.diagnosis(model), nil
}

type checker struct {
	*View
	conversation schema.Conversation
	verdict      verdict
	mistakes     []error
}

func (k *checker) wrong(format string, args ...any) {
	k.mistakes = append(k.mistakes, fmt.Errorf(format, args...))
}

func (k *checker) oneOf(field, value string, allowed []string) {
	if !slices.Contains(allowed, value) {
		k.wrong("%s: %q is not one of %s", field, cut(value, 60), strings.Join(allowed, ", "))
	}
}

func (k *checker) text(field, value string) {
	if scrub.Line(value, maxStatement) == "" {
		k.wrong("%s: empty", field)
	}
}

func (k *checker) check() {
	v := &k.verdict
	if v.InsufficientData && v.RootCause.Component == "" {
		v.RootCause.Component = k.conversation.Object.String()
	}
	k.text("summary", v.Summary)
	k.text("root_cause.statement", v.RootCause.Statement)
	k.oneOf("root_cause.category", v.RootCause.Category, categories())
	k.oneOf("confidence", v.Confidence, confidences())
	k.oneOf("action.verb", v.Action.Verb, verbs())
	k.object("root_cause.component", v.RootCause.Component)
	if v.Action.Verb != VerbNone {
		k.object("action.target", v.Action.Target)
	}
	k.citations()
}

// object accepts what is allowed in the prompt: anything that the snapshot holds, and what the conversation is about.
func (k *checker) object(field, name string) {
	if name != k.conversation.Object.String() && !k.exists(name) {
		k.wrong("%s: %q is not in the snapshot; use one of %s", field, cut(name, 80), compact(page{View: k.View, conversation: k.conversation}.allowed(k.conversation.Evidence)))
	}
}

func (k *checker) citations() {
	if len(k.verdict.Evidence) == 0 && !k.verdict.InsufficientData {
		k.wrong("evidence: empty; cite what the verdict rests on, or set insufficient_data")
	}
	unknown := 0
	for _, e := range k.verdict.Evidence {
		if _, ok := k.evidence(e.ID); !ok {
			if unknown++; unknown <= maxCitations {
				k.wrong("evidence: there is no %q", cut(e.ID, 20))
			}
		}
	}
}

func (k *checker) evidence(id string) (schema.Evidence, bool) {
	i := slices.IndexFunc(k.conversation.Evidence, func(e schema.Evidence) bool { return e.ID == id })
	if i < 0 {
		return schema.Evidence{}, false
	}
	return k.conversation.Evidence[i], true
}

// supported tells whether a cited piece of evidence about object is more than text that a program printed.
func (k *checker) supported(object string) bool {
	return slices.ContainsFunc(k.verdict.Evidence, func(c schema.Citation) bool {
		e, ok := k.evidence(c.ID)
		return ok && e.Kind != KindLog && e.Object == object
	})
}

func (k *checker) diagnosis(model string) schema.Diagnosis {
	v := k.verdict
	d := schema.Diagnosis{
		Summary:          inert(v.Summary, maxSummary),
		Confidence:       v.Confidence,
		ConfidenceWhy:    inert(v.ConfidenceWhy, maxWhy),
		Evidence:         k.cited(),
		Alternatives:     k.alternatives(),
		SelfResolving:    v.SelfResolving && !v.InsufficientData,
		InsufficientData: v.InsufficientData,
		Source:           inert(model, maxModelName),
	}
	d.RootCause = schema.RootCause{
		Component: v.RootCause.Component, Category: v.RootCause.Category,
		Statement: inert(v.RootCause.Statement, maxStatement),
	}
	switch {
	case v.InsufficientData:
		d.Confidence = schema.ConfidenceLow
		d.Summary = notEnough(d.Summary)
	case !k.supported(v.RootCause.Component) && d.Confidence != schema.ConfidenceLow:
		d.Confidence = schema.ConfidenceLow
		d.ConfidenceWhy = inert("only log lines speak for it. "+d.ConfidenceWhy, maxWhy)
	}
	d.Action, d.Command = k.action(d.Confidence)
	return d
}

// notEnough says in a summary that it is not the cause, unless it says so itself.
func notEnough(summary string) string {
	if strings.HasPrefix(strings.ToLower(summary), "not enough data") {
		return summary
	}
	return cut("not enough data: "+summary, maxSummary)
}

// action is the verdict's, meant for the cause and as bold as its support allows.
func (k *checker) action(confidence string) (schema.Action, string) {
	v := k.verdict
	a := schema.Action{Verb: v.Action.Verb, Target: v.Action.Target, Reason: inert(v.Action.Reason, maxWhy)}
	if a.Verb == VerbNone {
		a.Target = ""
	} else if a.Target != v.RootCause.Component {
		a = k.forCause(a)
	}
	looping := a.Target == k.conversation.Object.String() && slices.ContainsFunc(k.conversation.Conditions, func(c schema.Condition) bool {
		return c.Name == "crash_loop" && c.Until.IsZero()
	})
	sure := confidence != schema.ConfidenceLow && k.supported(a.Target)
	return k.settle(k.source(), a, sure, looping)
}

// forCause turns a step for a victim into the one for its cause: the rules' own if that has been stopped, else a look.
func (k *checker) forCause(a schema.Action) schema.Action {
	cause := k.verdict.RootCause.Component
	verb := VerbLogs
	if s := k.serviceBy(cause); s != nil && troubleOf(s) == onPurpose {
		verb = VerbStart
	}
	return schema.Action{Verb: verb, Target: cause, Reason: cut("it is the cause. "+a.Reason, maxWhy)}
}

// source is where commands have to fit: that of the snapshot, or the conversation's when the snapshot does not say.
func (k *checker) source() string {
	if k.snap.Source != "" {
		return k.snap.Source
	}
	return k.conversation.Source
}

func (k *checker) cited() []schema.Citation {
	var out []schema.Citation
	for _, c := range k.verdict.Evidence {
		seen := slices.ContainsFunc(out, func(x schema.Citation) bool { return x.ID == c.ID })
		if !seen && len(out) < maxCitations {
			out = append(out, schema.Citation{ID: c.ID, Why: inert(c.Why, maxWhy)})
		}
	}
	return out
}

func (k *checker) alternatives() []schema.Alternative {
	var out []schema.Alternative
	for _, a := range k.verdict.Alternatives {
		statement := inert(a.Statement, maxWhy)
		if statement != "" && len(out) < maxAlternatives {
			out = append(out, schema.Alternative{Statement: statement, Check: inert(a.Check, maxWhy)})
		}
	}
	return out
}

// inert is a line of a model's own words, of which no reader's program makes a link, a mention or markup.
func inert(text string, limit int) string { return scrub.Line(scrub.Inert(text), limit) }
