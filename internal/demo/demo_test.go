package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/demo"
	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// patience bounds waits; it decides no demonstration that works.
const patience = 30 * time.Second

// quick is a demonstration with short intervals. What it would leave behind is in the test's own directory, which has
// to be empty at the end.
func quick(t *testing.T) demo.Options {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("it left behind %v (%v)", left, err)
		}
	})
	return demo.Options{Interval: 100 * time.Millisecond, Within: patience}
}

// get asks for one conversation over a connection of its own, as any other program would.
func get(t *testing.T, url, id string) schema.Conversation {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c, err := client.New(b).Get(t.Context(), id)
	if err != nil {
		t.Error(err)
	}
	return c
}

func TestTheDemonstrationRunsToItsEnd(t *testing.T) {
	o := quick(t)
	var steps []demo.Step
	o.Say = func(s demo.Step) {
		steps = append(steps, s)
		if s.Conversation == "" {
			return
		}
		if c := get(t, steps[0].Server, s.Conversation[:8]); c.ID != s.Conversation {
			t.Errorf("step %d names %s, which get does not find: %q", s.Step, s.Conversation, c.ID)
		}
	}
	if err := demo.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if len(steps) != 5 {
		t.Fatalf("%d steps, want 5: %v", len(steps), steps)
	}
	for i, s := range steps {
		if s.Step != i+1 || s.Title == "" || len(s.Lines) == 0 {
			t.Errorf("step %d is %+v", i+1, s)
		}
	}
	text := func(n int) string { return strings.Join(steps[n-1].Lines, "\n") }
	for n, want := range map[int]string{
		2: "db down on demo-shop", 3: fake.Mark, 4: "No space left on device (E", 5: "1 sound in all",
	} {
		if !strings.Contains(text(n), want) {
			t.Errorf("step %d says %q, want %q in it", n, text(n), want)
		}
	}
	if !strings.Contains(text(2), "Needed by cart, payments, search (+2)") {
		t.Errorf("step 2 does not name who needs db: %s", text(2))
	}
	if steps[1].Millis <= 0 || steps[2].Millis < steps[1].Millis {
		t.Errorf("told after %v ms, diagnosed after %v ms", steps[1].Millis, steps[2].Millis)
	}
	if !steps[3].Preset || steps[3].Question != demo.Preset || steps[4].Posts < 4 {
		t.Errorf("question %+v, %d posts", steps[3], steps[4].Posts)
	}
}

func TestTheQuestionIsTheReadersOwnAndNeverAVerb(t *testing.T) {
	o := quick(t)
	o.Ask = func(context.Context) (string, bool) { return "dismiss", false }
	var steps []demo.Step
	var closed []schema.Conversation
	o.Say = func(s demo.Step) {
		steps = append(steps, s)
		if s.Step == 4 {
			closed = append(closed, get(t, steps[0].Server, s.Conversation))
		}
	}
	if err := demo.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if s := steps[3]; s.Preset || s.Question != "dismiss?" || closed[0].Closed() {
		t.Errorf("%+v, closed: %v", s, closed[0].Closed())
	}
}

// killed is a part whose work ends when kill is closed, while the part itself goes on: as if its process hung.
func killed(name string, kill <-chan struct{}) func(process.Part) process.Part {
	return func(p process.Part) process.Part {
		if p.Name != name {
			return p
		}
		run := p.Run
		p.Run = func(ctx context.Context) error {
			inner, cancel := context.WithCancel(ctx)
			defer cancel()
			go func() {
				select {
				case <-kill:
					cancel()
				case <-inner.Done():
				}
			}()
			err := run(inner)
			<-ctx.Done()
			return err
		}
		return p
	}
}

func TestItFailsWhenAPartIsKilledHalfWay(t *testing.T) {
	for name, c := range map[string]struct {
		part  string
		after int // the step after which it is killed
		says  string
	}{
		"analyzer-at-once":          {"analyzer", 0, "step 1 failed, which waits for all parts to answer"},
		"analyzer-before-the-alert": {"analyzer", 1, "step 2 failed, which waits for the webhook to be told that db is down"},
		"notifier-before-the-alert": {"notifier", 1, "step 2 failed"},
		"analyzer-after-the-alert":  {"analyzer", 3, "step 4 failed, which waits for the answer to the question"},
		"notifier-before-the-end":   {"notifier", 4, "step 5 failed, which waits for the acknowledgement and the end"},
	} {
		t.Run(name, func(t *testing.T) {
			o, kill := quick(t), make(chan struct{})
			o.Within = time.Second
			o.Wrap = killed(c.part, kill)
			if c.after == 0 {
				close(kill)
			}
			last := 0
			o.Say = func(s demo.Step) {
				if last = s.Step; s.Step == c.after {
					close(kill)
				}
			}
			err := demo.Run(t.Context(), o)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one with %q", err, c.says)
			}
			if last != c.after {
				t.Errorf("it told step %d, want none after %d", last, c.after)
			}
		})
	}
}

func TestItStopsCleanlyWhenItIsInterrupted(t *testing.T) {
	o := quick(t)
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	o.Say = func(s demo.Step) {
		if s.Step == 2 {
			cancel(interrupted)
		}
	}
	if err := demo.Run(ctx, o); !errors.Is(err, interrupted) || !strings.Contains(err.Error(), "everything is cleaned up") {
		t.Errorf("error %v", err)
	}
}

func TestTheNATSCommandLineReadsEveryIDThatItPrints(t *testing.T) {
	cli := need.NATS(t)
	o := quick(t)
	url := ""
	var printed, read []string
	o.Say = func(s demo.Step) {
		if s.Server != "" {
			url = s.Server
		}
		if s.Conversation == "" {
			return
		}
		printed = append(printed, s.Conversation)
		out, err := exec.CommandContext(t.Context(), cli, "--server", url, "req", "--raw", "bellbuoy.api.get", s.Conversation).CombinedOutput()
		var c schema.Conversation
		if err == nil {
			err = json.Unmarshal(out, &c)
		}
		if err != nil {
			t.Errorf("nats req bellbuoy.api.get %s: %v\n%s", s.Conversation, err, out)
		}
		read = append(read, c.ID)
	}
	if err := demo.Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(printed, read); diff != "" || len(slices.Compact(printed)) != 1 {
		t.Errorf("ids (-printed +read):\n%s", diff)
	}
}
