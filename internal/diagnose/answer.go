package diagnose

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of answers and questions, in bytes.
const (
	maxAnswer    = 4000
	maxQuestion  = 2000
	maxLogsShown = 10 // lines
)

// CheckAnswer cleans and bounds a model's free text. It fails if nothing readable is left. Commands in it stay text.
func CheckAnswer(text string) (string, error) {
	answer := strings.TrimSpace(cut(scrub.Clean(DropThinking(text)), maxAnswer))
	if answer == "" {
		return "", errors.New("check answer: it is empty")
	}
	return answer, nil
}

// QuestionPrompt asks a model to answer question about c, from the frozen evidence, the diagnosis, the thread, and
// what was looked up for it. The evidence comes first and does not change with the thread, so that servers can reuse it. The
// snapshot, which may be nil, tells how the objects named in the question are now.
func QuestionPrompt(c schema.Conversation, s *schema.ClusterContext, question schema.Message, looks ...Looked) Prompt {
	return QuestionPromptWithin(c, s, question, MaxPromptTokens, looks...)
}

// QuestionPromptWithin is QuestionPrompt for a model that reads fewer tokens.
func QuestionPromptWithin(c schema.Conversation, s *schema.ClusterContext, question schema.Message, tokens int, looks ...Looked) Prompt {
	system := answerSystem()
	request := "The operator's question (a JSON string): " + quote(cut(scrub.Clean(question.Content), maxQuestion))
	p := page{View: NewView(s), conversation: c}
	for _, x := range c.Conditions {
		p.head = append(p.head, x)
	}
	if d := c.Diagnosis; d != nil {
		p.head = append(p.head, map[string]any{"diagnosis": d})
	}
	p.after = thread(c, question, threadRoom(tokens, system))
	for _, text := range p.asked(question.Content) {
		p.after = append(p.after, compact(map[string]string{"now": text})+"\n")
	}
	request = lookedUp(looks, lookedRoom(tokens, system)) + request
	around := Tokens(system) + Tokens(request) + 1
	data, least := p.fenced(tokens - around)
	return Prompt{
		System: system, User: data + request, MaxTokens: maxAnswerTokens,
		Estimate: Tokens(system) + Tokens(data+request), Least: around + least,
	}
}

// asked says how each object is that a text names, at most three.
func (v *View) asked(text string) []string {
	var out []string
	for i := range v.snap.Services {
		s := &v.snap.Services[i]
		if len(s.Name) > 1 && hasWord(text, s.Name) && len(out) < 3 {
			out = append(out, scrub.Line(s.Object().String()+": "+state(s), maxFactText))
		}
	}
	return out
}

// AnswerByRules answers a question about c without a model: what was looked up for it, and else what it asks for (logs,
// status, why, since when, changes, the next step), or all of that in short when it asks for none of them. The snapshot
// may be nil.
func AnswerByRules(c schema.Conversation, s *schema.ClusterContext, question schema.Message, looks ...Looked) string {
	a := answerer{View: NewView(s), c: c}
	for _, name := range a.asked(question.Content) {
		if !answered(looks, schema.LookStatus) {
			a.say("%s", "Now: "+name)
		}
	}
	spoke := len(a.lines) > 0 || slices.ContainsFunc(looks, func(l Looked) bool { return l.Result != nil })
	for _, t := range a.topics() {
		asked := slices.ContainsFunc(t.words, func(w string) bool { return hasWord(question.Content, w) })
		if asked && !answered(looks, t.look) {
			t.say()
			spoke = true
		}
	}
	if !spoke {
		a.status()
		a.why()
		a.logs()
		a.next()
	}
	answer := strings.TrimSpace(cut(scrub.Clean(strings.Join(a.lines, "\n")), maxAnswer))
	if len(looks) == 0 {
		return answer
	}
	return strings.TrimSpace(quoted(looks, number(looks), maxQuoted) + "\n" + cut(answer, maxBeside))
}

// topic is something that a question may ask for, and the look-up that answers it better.
type topic struct {
	words []string
	say   func()
	look  string
}

func (a *answerer) topics() []topic {
	return []topic{
		{[]string{"status", "state", "now", "how", "still", "up", "down", "running"}, a.status, schema.LookStatus},
		{[]string{"since", "when", "long"}, a.since, ""},
		{[]string{"why", "cause", "reason", "wrong", "happened", "problem"}, a.why, ""},
		{[]string{"change", "changed", "deploy", "deployed", "event", "events"}, a.changes, schema.LookEvents},
		{[]string{"log", "logs", "output", "print", "prints", "error", "errors"}, a.logs, schema.LookLogs},
		{[]string{"fix", "do", "command", "next", "help", "restart", "start"}, a.next, ""},
	}
}

type answerer struct {
	*View
	c     schema.Conversation
	lines []string
}

func (a *answerer) say(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(a.lines, text) {
		a.lines = append(a.lines, text)
	}
}

// at is the moment that the answer speaks of.
func (a *answerer) at() time.Time {
	if a.snap.TakenAt.IsZero() {
		return a.c.UpdatedAt
	}
	return a.snap.TakenAt
}

func (a *answerer) status() {
	if s := a.View.service(a.c.Object); s != nil {
		a.say("%s at %s: %s.", a.c.Object, clock(a.at(), a.at()), state(s))
	}
	a.conditions()
}

func (a *answerer) conditions() {
	firing := firing(a.c.Conditions)
	for _, x := range firing {
		a.say("%s (%s) since %s%s.", x.Name, x.Severity, clock(x.Since, a.at()), facts(x))
	}
	if len(firing) == 0 {
		a.say("No condition of %s fires any more.", a.c.Object)
	}
}

func facts(x schema.Condition) string {
	if len(x.Facts) == 0 {
		return ""
	}
	return ": " + list(x.Facts)
}

func (a *answerer) since() {
	a.conditions()
	a.say("This incident began %s.", clock(a.c.StartedAt, a.at()))
}

func (a *answerer) why() {
	if a.c.Diagnosis == nil {
		a.say("There is no diagnosis.")
	}
	if d := a.c.Diagnosis; d != nil {
		by := "the model " + d.Source
		if d.Source == schema.SourceRules {
			by = "the rules"
		}
		a.say("Likely: %s (%s confidence by %s: %s).", d.Summary, d.Confidence, by, d.ConfidenceWhy)
	}
	a.kinds(KindFailure, KindNeighbour)
}

func (a *answerer) changes() {
	before := len(a.lines)
	a.kinds(KindChange, KindEvent)
	if len(a.lines) == before {
		a.say("The evidence holds no change and no event.")
	}
}

// kinds says the evidence of some kinds. What was frozen again later is said once, and of a thing's failures the newest.
func (a *answerer) kinds(kinds ...string) {
	for i, e := range a.c.Evidence {
		again := func(later schema.Evidence) bool {
			return later.Kind == e.Kind && later.Object == e.Object && (later.Text == e.Text || e.Kind == KindFailure)
		}
		if slices.Contains(kinds, e.Kind) && !slices.ContainsFunc(a.c.Evidence[i+1:], again) {
			a.say("%s %s%s", e.ID, e.Text, times(e.Count))
		}
	}
}

func (a *answerer) logs() {
	n := 0
	for _, e := range a.c.Evidence {
		if e.Kind == KindLog && n < maxLogsShown {
			a.say("%s log of %s: %s%s", e.ID, e.Object, e.Text, times(e.Count))
			n++
		}
	}
	if n == 0 {
		a.say("The evidence holds no log line.")
	}
}

func (a *answerer) next() {
	d := a.c.Diagnosis
	switch {
	case d == nil:
		a.say("There is no diagnosis to take a next step from.")
	case d.Command != "":
		a.say("Next: %s (%s)", d.Command, d.Action.Reason)
	case d.Action.Verb != "" && d.Action.Verb != VerbNone:
		a.say("Next: %s %s (%s)", d.Action.Verb, d.Action.Target, d.Action.Reason)
	default:
		a.say("No single next step follows from the evidence.")
	}
}
