package analyzer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// incidentDeadline bounds everything a model does for one task: the call, its repeats and one repair.
const incidentDeadline = 180 * time.Second

// diagnose takes every event and works on those whose diagnosis the conversation still owes. Without a model the
// rules' own diagnosis, which the opening already carried, is all there is.
func (a *Analyzer) diagnose(ctx context.Context, m bus.Message) error {
	if a.model == nil {
		return nil
	}
	alert, err := a.event(m)
	if err != nil {
		return nil //nolint:nilerr // answer takes every event too, and gives it up
	}
	if len(own(alert.Conversation, conversation.TaskDiagnose)) == 0 {
		return nil
	}
	if err := giveWay(ctx, m.At); err != nil {
		return err
	}
	return a.tasks(ctx, alert.Conversation, conversation.TaskDiagnose, a.verdict)
}

// headStart is how long a diagnosis leaves the machine and the disk to the telling of its event, and of a hundred others
// of the same moment. It runs from when the event was stored, so events that waited for their turn do not wait again;
// and a model takes seconds.
const headStart = 250 * time.Millisecond

// giveWay returns when the event that was stored at the given time has had its head start. The server's clock may be
// another one; it makes nobody wait longer.
func giveWay(ctx context.Context, stored time.Time) error {
	left := time.NewTimer(min(headStart, headStart-time.Since(stored)))
	defer left.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-left.C:
		return nil
	}
}

// answer takes every event and works on the questions among them. What is no event goes to the dead letters from here.
func (a *Analyzer) answer(ctx context.Context, m bus.Message) error {
	if a.asksNothing(m) {
		return nil
	}
	alert, err := a.event(m)
	if err != nil {
		return bus.Poison(err)
	}
	return a.tasks(ctx, alert.Conversation, conversation.TaskAnswer, a.reason)
}

// asksNothing tells without decoding it that a message has no question in it, and is one that counts: the index has taken it
// for the newest state. Almost every event of a storm is such.
func (a *Analyzer) asksNothing(m bus.Message) bool {
	_, _, id, err := a.bus.Subjects().ParseAlert(m.Subject)
	return err == nil && m.Event != "" && !bytes.Contains(m.Data, []byte(schema.EventAsked)) && a.index.seen(id, m.Seq)
}

// event reads a message of ALERTS and refuses what Bellbuoy did not store there.
func (a *Analyzer) event(m bus.Message) (schema.Alert, error) {
	cluster, _, id, err := a.bus.Subjects().ParseAlert(m.Subject)
	if err != nil {
		return schema.Alert{}, fmt.Errorf("take event: %w", err)
	}
	if m.Event == "" {
		return schema.Alert{}, fmt.Errorf("take event: no header %s: only Bellbuoy writes here; replies go to %s", bus.EventHeader, a.bus.Subjects().Replies(id))
	}
	alert, err := schema.DecodeAlert(m.Data, cluster, id)
	if err != nil {
		return schema.Alert{}, fmt.Errorf("take event: %w", err)
	}
	return alert, nil
}

type worker func(ctx context.Context, c schema.Conversation, s *schema.ClusterContext, t conversation.Task) conversation.Settled

// tasks does those tasks that the newest step of c owes and nobody has settled since.
func (a *Analyzer) tasks(ctx context.Context, c schema.Conversation, kind string, work worker) error {
	for _, t := range own(c, kind) {
		if err := a.task(ctx, c.Cluster, c.ID, t, work); err != nil {
			return err
		}
	}
	return nil
}

func (a *Analyzer) task(ctx context.Context, cluster, id string, t conversation.Task, work worker) error {
	head, err := a.bus.Head(ctx, cluster, id)
	if err != nil || !conversation.Owes(head.Conversation, t) {
		return err
	}
	s, err := a.newest(ctx, cluster)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, incidentDeadline)
	settled := work(limited, head.Conversation, s, t)
	cancel()
	if ctx.Err() != nil {
		return ctx.Err() // stopping: another analyzer takes the task
	}
	err = a.fold(ctx, cluster, id, func(c schema.Conversation) (conversation.Event, bool) {
		return settled, conversation.Owes(c, t)
	})
	return err
}

// own gives the tasks that the newest step of c brought: those of its own messages, and after a silence those that
// had to wait for its end. Every other task is already being worked on, or waited for, by the message that brought it.
// A step's messages share one time and stand last.
func own(c schema.Conversation, kind string) []conversation.Task {
	fresh, released := map[string]bool{}, false
	for i := len(c.Messages) - 1; i >= 0 && c.Messages[i].At.Equal(c.Messages[len(c.Messages)-1].At); i-- {
		fresh[c.Messages[i].ID] = true
		released = released || c.Messages[i].Kind == schema.EventUnsilenced
	}
	var tasks []conversation.Task
	for _, t := range conversation.Owed(c) {
		if t.Kind == kind && (released || fresh[t.Message]) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// newest reads the cluster's newest snapshot, nil when there is none any more.
func (a *Analyzer) newest(ctx context.Context, cluster string) (*schema.ClusterContext, error) {
	m, err := a.bus.LastContext(ctx, cluster)
	if errors.Is(err, bus.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := a.snapshot(m)
	if err != nil || s.ClusterName != cluster {
		return nil, nil //nolint:nilerr // one that is refused is reported by the loop that takes it; here it means none
	}
	return &s, nil
}

// verdict asks the model for the cause and one step, has a verdict that does not hold repaired once, and otherwise
// lets the rules' diagnosis stand.
func (a *Analyzer) verdict(ctx context.Context, c schema.Conversation, s *schema.ClusterContext, t conversation.Task) conversation.Settled {
	settled := conversation.Settled{Task: t, Sender: schema.SenderAssistant}
	prompt := diagnose.VerdictPromptWithin(c, s, a.length.tokens()) // preview shows the same
	a.metrics.suspicious.Add(float64(diagnose.Suspicious(c.Evidence)))
	within := func(tokens int) diagnose.Prompt { return diagnose.VerdictPromptWithin(c, s, tokens) }
	for range 2 {
		completion, err := a.ask(ctx, &prompt, within)
		settled.Usage = sum(settled.Usage, completion.Usage)
		if err != nil {
			settled.Failed, settled.Unasked = whyNot(settled.Failed, err)
			break
		}
		d, err := diagnose.CheckVerdict(completion.Text, completion.Model, c, s)
		if err == nil {
			settled.Diagnosis, settled.Command, settled.Failed = &d, d.Command, ""
			break
		}
		settled.Failed = "the model's verdict does not hold: " + err.Error()
		prompt = diagnose.RepairPrompt(prompt, completion.Text, err)
		within = repaired(within, completion.Text, err)
	}
	settled.At, settled.Failed = time.Now().UTC(), scrub.Inert(settled.Failed) // which may quote the model
	if settled.Failed != "" {
		a.log.Warn("model gave no usable verdict", "conversation", c.ID, "error", settled.Failed)
	}
	return settled
}

// ask asks the model. A prompt that is longer than its server reads is built anew within what it does read, once.
func (a *Analyzer) ask(ctx context.Context, p *diagnose.Prompt, within func(tokens int) diagnose.Prompt) (diagnose.Completion, error) {
	completion, err := a.model.Complete(ctx, *p)
	if err == nil {
		a.length.learn(*p, completion.PromptTokens)
	}
	refused, ok := errors.AsType[*llm.Error](err)
	if !ok || refused.Room == 0 {
		return completion, err
	}
	*p = within(refused.Room)
	again, err := a.model.Complete(ctx, *p)
	again.Usage = sum(completion.Usage, again.Usage)
	return again, err
}

// repaired builds the prompt that has an answer repaired.
func repaired(within func(tokens int) diagnose.Prompt, answer string, problem error) func(tokens int) diagnose.Prompt {
	return func(tokens int) diagnose.Prompt { return diagnose.RepairPrompt(within(tokens), answer, problem) }
}

// reason answers a question by the model, or by the rules where there is none or it fails, after it has looked up what
// the question asks for.
func (a *Analyzer) reason(ctx context.Context, c schema.Conversation, s *schema.ClusterContext, t conversation.Task) conversation.Settled {
	question := message(c, t.Message)
	settled := conversation.Settled{Task: t, Sender: schema.SenderAssistant}
	looks := a.lookUp(ctx, c, s, question.Content)
	if a.model != nil {
		prompt := diagnose.QuestionPromptWithin(c, s, question, a.length.tokens(), looks...)
		completion, err := a.ask(ctx, &prompt, func(tokens int) diagnose.Prompt {
			return diagnose.QuestionPromptWithin(c, s, question, tokens, looks...)
		})
		settled.Usage = completion.Usage
		if err == nil {
			settled.Answer, err = diagnose.CheckAnswer(completion.Text)
		}
		if err != nil {
			a.log.Warn("model gave no usable answer", "conversation", c.ID, "error", err)
			settled.Answer = instead(err) + diagnose.AnswerByRules(c, s, question, looks...)
		} else {
			settled.Answer = diagnose.WithLooked(settled.Answer, looks)
		}
	} else {
		settled.Answer = diagnose.AnswerByRules(c, s, question, looks...)
	}
	settled.At = time.Now().UTC()
	return settled
}

func message(c schema.Conversation, id string) schema.Message {
	for _, m := range c.Messages {
		if m.ID == id {
			return m
		}
	}
	return schema.Message{}
}
