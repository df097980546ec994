package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/drill"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// story is the demonstration as it runs.
type story struct {
	Options
	client *client.Client
	player *drill.Player
	shop   shop
	hook   *hook
	url    string
	began  time.Time
	step   int // the one under way
	id     string
	opened post
}

func newStory(o Options, b *bus.Bus, h *hook, url string) *story {
	return &story{
		Options: o, client: client.New(b), player: drill.NewPlayer(b, cluster, o.Interval), hook: h, url: url, began: time.Now(), step: 1,
	}
}

// run plays the steps in their order. Its error names the step, and what was waited for.
func (s *story) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for i, step := range []struct {
		waits string
		do    func(context.Context) error
	}{
		{"for all parts to answer", s.start},
		{"for the webhook to be told that db is down", func(ctx context.Context) error { return s.fail(ctx, cancel) }},
		{"for the diagnosis", s.diagnosis},
		{"for the answer to the question", s.question},
		{"for the acknowledgement and the end", s.end},
	} {
		s.step = i + 1
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("step %d failed, which waits %s: %w", s.step, step.waits, err)
		}
	}
	return nil
}

func (s *story) say(step Step) {
	step.Step, step.Conversation = s.step, s.id
	s.Say(step)
}

// lookAgain is the pause between two attempts to reach a part that is starting.
const lookAgain = 20 * time.Millisecond

// start waits until every part answers, and shows the shop well.
func (s *story) start(ctx context.Context) error {
	if err := s.answers(ctx); err != nil {
		return err
	}
	seen := 0
	if err := s.player.Play(ctx, s.shop.scene, func(uint64) bool { seen++; return seen == 2 }); err != nil {
		return err
	}
	s.say(Step{Title: "Started", Server: s.url, Lines: []string{
		"a NATS server with a directory of its own, the analyzer, the notifier, a webhook that counts what makes a sound,",
		"and a scripted model: its answers come from a script, which says so, and no model is asked.",
		"A made-up shop of six services is published as snapshots, one every " + s.Interval.String() + ". Nothing of yours is touched.",
		"Look on from another terminal: BELLBUOY_NATS_URL=" + s.url + " bellbuoy watch",
		"or: nats -s " + s.url + " sub 'bellbuoy.alerts.>'",
	}})
	return nil
}

// answers asks the analyzer and the notifier until both answer.
func (s *story) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.Within)
	defer cancel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		_, err := s.client.List(ctx, client.ListRequest{Limit: 1})
		if err == nil {
			_, err = s.client.Told(ctx, strings.Repeat("0", schema.IDLength))
		}
		if err == nil || !errors.Is(err, bus.ErrNobody) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// fail stops db, and goes on publishing the shop as it is until the story ends.
func (s *story) fail(ctx context.Context, cancel context.CancelCauseFunc) error {
	s.shop.stop(time.Now().UTC())
	go func() {
		if err := s.player.Play(ctx, s.shop.scene, func(uint64) bool { return false }); ctx.Err() == nil {
			cancel(err)
		}
	}()
	p, _, err := s.hook.await(ctx, s.Within, kind(schema.EventOpened))
	if err != nil {
		return err
	}
	c := p.Data.Conversation
	s.opened, s.id = p, c.ID
	sent := s.player.Sent(c.SnapshotSeq)
	if sent.IsZero() {
		return fmt.Errorf("the incident %s is not of a snapshot of this demonstration", c.ID)
	}
	took := p.at.Sub(sent)
	s.say(Step{Title: "db stops", Millis: millis(took), Lines: []string{
		fmt.Sprintf("One incident, %s, with the services in it that need db. The webhook had it %.1f ms after", c.ID, millis(took)),
		"the snapshot was published that showed db down for long enough:",
		p.Data.Text,
	}})
	return nil
}

func kind(k string) func(schema.Message) bool {
	return func(m schema.Message) bool { return m.Kind == k }
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// diagnosis waits until the model's verdict has been told, of the same incident.
func (s *story) diagnosis(ctx context.Context) error {
	p, m, err := s.hook.await(ctx, s.Within, kind(schema.EventDiagnosed))
	if err != nil {
		return err
	}
	c := p.Data.Conversation
	if c.ID != s.id || c.Diagnosis == nil || c.Diagnosis.Source != scripted {
		return fmt.Errorf("what came is of %s and no verdict of the scripted model: %s", c.ID, m.Content)
	}
	took := p.at.Sub(s.player.Sent(s.opened.Data.Conversation.SnapshotSeq))
	lines := []string{
		fmt.Sprintf("The scripted model's verdict has been checked against the evidence and is in the same card, %.1f ms after that snapshot:", millis(took)),
		c.Diagnosis.Summary,
	}
	if c.Diagnosis.Command != "" {
		lines = append(lines, "next: "+c.Diagnosis.Command+"   (of a made-up container: there is nothing to run it on)")
	}
	s.say(Step{Title: "The diagnosis", Millis: millis(took), Lines: lines})
	return nil
}

// question asks, and waits for the answer to what was asked.
func (s *story) question(ctx context.Context) error {
	text, preset := s.Ask(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !strings.HasSuffix(text, "?") { // or it might be a verb, which changes what comes next
		text += "?"
	}
	stored, err := s.client.Reply(ctx, client.ReplyRequest{Ref: s.id, Text: text, Author: "demo"})
	if err != nil {
		return err
	}
	_, asked, err := s.hook.await(ctx, s.Within, func(m schema.Message) bool { return m.ReplyID == stored.ReplyID })
	if err != nil {
		return err
	}
	_, answer, err := s.hook.await(ctx, s.Within, func(m schema.Message) bool { return m.Settles == asked.ID })
	if err != nil {
		return err
	}
	who := "You ask: "
	if preset {
		who = "Nobody asked, so this is the preset question: "
	}
	s.say(Step{Title: "A question", Question: text, Preset: preset, Lines: append([]string{who + text}, strings.Split(answer.Content, "\n")...)})
	return nil
}

// end acknowledges, starts db again, and counts.
func (s *story) end(ctx context.Context) error {
	if _, err := s.client.Reply(ctx, client.ReplyRequest{Ref: s.id, Verb: "ack", Author: "demo"}); err != nil {
		return err
	}
	if _, _, err := s.hook.await(ctx, s.Within, kind(schema.EventAcknowledged)); err != nil {
		return fmt.Errorf("the acknowledgement: %w", err)
	}
	s.shop.recover()
	p, _, err := s.hook.await(ctx, s.Within+8*s.Interval, kind(schema.EventCleared))
	if err != nil {
		return fmt.Errorf("the end: %w", err)
	}
	posts, sounds, conversations := s.hook.tally()
	if conversations != 1 {
		return fmt.Errorf("%w: %d", errManyCards, conversations)
	}
	s.say(Step{Title: "Owned, and over", Posts: posts, Sounds: sounds, Lines: []string{
		"Acknowledged; then db runs again, and the card closes by itself: " + p.Data.Text,
		fmt.Sprintf("%s in all, by count: when it opened. The webhook got %d posts about one incident; the others only change its card.", plural(sounds, "sound"), posts),
		fmt.Sprintf("The incident was %s. It took %.0f s, and all that this started is now stopped and removed.", s.id, time.Since(s.began).Seconds()),
		"On your own machine: bellbuoy up    and, to see whom it tells: bellbuoy test",
	}})
	return nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
