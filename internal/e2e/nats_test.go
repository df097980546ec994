package e2e_test

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestTheNATSCommandLineTapsAndAnswers(t *testing.T) {
	cli := need.NATS(t)
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b, id := s.Connect(t), e2e.CheckoutID("prod")
	nats := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), cli, append([]string{"--server", s.URL()}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("nats %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}

	tap := exec.CommandContext(t.Context(), cli, "--server", s.URL(), "sub", "--count=1", "bellbuoy.alerts.>")
	pipe, err := tap.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	tap.Stderr = tap.Stdout
	if err := tap.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, schema.MaxAlertBytes)
	if !lines.Scan() || !strings.Contains(lines.Text(), "Subscribing") {
		t.Fatalf("the tap began with %q", lines.Text())
	}
	for n := range 2 {
		e2e.Publish(t, b, e2e.Snapshot("prod", n, 0))
		bustest.Settled(t, b, bus.Notify("webhook"))
	}
	tapped := make(chan string, 1)
	go func() {
		text := ""
		for lines.Scan() {
			text += lines.Text() + "\n"
		}
		tapped <- text
	}()
	// The command line says that it subscribes before it does: until it has seen something, more has to happen.
	seen := ""
	for asked := 1; seen == ""; asked++ {
		e2e.Say(t, b, id, "status?")
		e2e.Await(t, b, "prod", id, "an answer", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventAnswered) == asked })
		select {
		case seen = <-tapped:
		default:
		}
	}
	if err := tap.Wait(); err != nil {
		t.Fatalf("tap: %v\n%s", err, seen)
	}
	for _, want := range []string{"bellbuoy.alerts.prod.critical." + id, "Bellbuoy-Event: ", `"kind":"opened"`} {
		if !strings.Contains(seen, want) {
			t.Errorf("the tap does not show %q:\n%s", want, seen)
		}
	}

	if out := nats("req", "--raw", "bellbuoy.replies."+id, "why now?"); !strings.Contains(out, `"stream":"REPLIES"`) {
		t.Errorf("a reply is answered by %q, want that it is stored", out)
	}
	await := func(what string, done func(schema.Conversation) bool) {
		t.Helper()
		e2e.Await(t, b, "prod", id, what, done)
	}
	await("the answer", func(c schema.Conversation) bool { return answered(c, "why now?") })
	nats("pub", "bellbuoy.replies."+id, "ack")
	await("the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	var c schema.Conversation
	if err := json.Unmarshal([]byte(nats("req", "--raw", "bellbuoy.api.get", id[:6])), &c); err != nil || c.ID != id {
		t.Errorf("get gives %s, %v", c.ID, err)
	}
	if out := nats("micro", "ls"); !strings.Contains(out, "bellbuoy") {
		t.Errorf("the micro services are %s", out)
	}
}

// answered tells whether the question has been asked and answered.
func answered(c schema.Conversation, question string) bool {
	for _, m := range c.Messages {
		if m.Kind == schema.EventAsked && strings.Contains(m.Content, question) {
			return slices.ContainsFunc(c.Messages, func(a schema.Message) bool { return a.Settles == m.ID })
		}
	}
	return false
}
