package console_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./internal/console -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// everyLook prints in all widths and once in colour, each into its golden file.
func everyLook(t *testing.T, name string, show func(*console.Printer)) {
	t.Helper()
	for _, o := range []console.Options{
		{Width: 60, Color: console.ColorNever},
		{Width: 80, Color: console.ColorNever},
		{Width: 120, Color: console.ColorNever},
		{Width: 80, Color: console.ColorAlways},
	} {
		var out bytes.Buffer
		o.Location, o.Cluster = time.UTC, "box7"
		p := console.New(&out, o)
		show(p)
		if p.Err() != nil {
			t.Fatal(p.Err())
		}
		look := fmt.Sprintf("%s-%d", name, o.Width)
		if o.Color == console.ColorAlways {
			look += "-colour"
		}
		golden(t, look, strings.ReplaceAll(out.String(), "\x1b", "␛"))
	}
}

var at = time.Date(2026, 11, 24, 3, 4, 31, 0, time.UTC)

func checkout() schema.Conversation {
	o := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"}
	return schema.Conversation{
		ID: "9f2c51d07be34a68", Cluster: "box7", Object: o, Condition: "service_down", Severity: schema.SeverityCritical,
		Title: "checkout: 0 of 3 running", State: schema.StateInvestigating, Episode: 1, StartedAt: at, UpdatedAt: at,
		Conditions: []schema.Condition{{Name: "service_down", Severity: schema.SeverityCritical, Since: at.Add(-15 * time.Second), Facts: []string{"exit 1", "0 of 3 running"}}},
		Diagnosis: &schema.Diagnosis{
			Summary: "db was stopped by hand at 03:02:11 UTC", Source: schema.SourceRules, Confidence: schema.ConfidenceHigh,
			ConfidenceWhy: "checkout depends on it", Command: "docker start shop-db-1",
		},
	}
}

func add(c schema.Conversation, after time.Duration, m schema.Message) schema.Conversation {
	c.Revision++
	m.ID, m.At = fmt.Sprintf("%s-%d", c.ID, c.Revision), at.Add(after)
	c.Messages = append(slices.Clip(c.Messages), m)
	c.UpdatedAt = m.At
	return c
}

func last(c schema.Conversation) schema.Message { return c.Messages[len(c.Messages)-1] }

func ada(verified bool) *schema.Author {
	if verified {
		return &schema.Author{Name: "ada", Channel: "chat", Verified: true}
	}
	return &schema.Author{Name: "ada", Channel: "api"}
}

// story is a conversation's life, and where each of its steps left it.
func story() []schema.Conversation {
	c := checkout()
	var all []schema.Conversation
	step := func(after time.Duration, m schema.Message, change func(*schema.Conversation)) {
		c = add(c, after, m)
		if change != nil {
			change(&c)
		}
		all = append(all, c)
	}
	step(0, schema.Message{Kind: schema.EventOpened, Sender: schema.SenderSystem, Content: "checkout: 0 of 3 running; exit 1. Likely: db was stopped by hand at 03:02:11 UTC.", SuggestedCommand: "docker start shop-db-1"}, nil)
	step(time.Second, schema.Message{Kind: schema.EventDiagnosed, Sender: schema.SenderAssistant, Content: "db was stopped by hand, and checkout cannot start without it.", SuggestedCommand: "docker start shop-db-1", Settles: c.ID + "-1"}, func(c *schema.Conversation) {
		c.Diagnosis = &schema.Diagnosis{Summary: "db was stopped by hand, and checkout cannot start without it.", Source: "gpt-9", Confidence: schema.ConfidenceHigh, ConfidenceWhy: "the log says so", Command: "docker start shop-db-1"}
		c.State, c.Usage = schema.StateDiagnosed, schema.Usage{Calls: 1, Tokens: 2345, Cost: 0.0123, Currency: "EUR"}
	})
	step(time.Minute, schema.Message{Kind: schema.EventAsked, Sender: schema.SenderOperator, Author: ada(false), Content: "why did it stop?"}, nil)
	step(time.Minute+4*time.Second, schema.Message{Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Content: "Somebody stopped db by hand at 03:02:11 UTC. Without it checkout ends with exit 1 as soon as it starts, and the engine tries again and again.", SuggestedCommand: "docker start shop-db-1"}, nil)
	step(2*time.Minute, schema.Message{Kind: schema.EventAcknowledged, Sender: schema.SenderOperator, Author: ada(true), Content: "ada has it."}, func(c *schema.Conversation) {
		c.State, c.Owner = schema.StateAcknowledged, "ada"
	})
	step(3*time.Minute, schema.Message{Kind: schema.EventRefused, Sender: schema.SenderSystem, Author: ada(false), Content: "ada has it already."}, nil)
	step(4*time.Minute, schema.Message{Kind: schema.EventWorsened, Sender: schema.SenderSystem, Content: "Also: checkout crash-loops: 4 restarts in 10 min; exit 1."}, nil)
	step(14*time.Minute+31*time.Second, schema.Message{Kind: schema.EventCleared, Sender: schema.SenderSystem, Content: "Well again after 15 min."}, func(c *schema.Conversation) {
		c.State, c.ClosedAs, c.ClosedAt = schema.StateCleared, schema.StateCleared, at.Add(14*time.Minute+31*time.Second)
	})
	return all
}

func TestEventsAreReadableAtAGlance(t *testing.T) {
	everyLook(t, "events", func(p *console.Printer) {
		for _, c := range story() {
			p.Event(c, last(c))
		}
		p.Event(disk(), last(disk()))
		p.Event(gone(), last(gone()))
		p.Standing(checkout())
	})
}

func disk() schema.Conversation {
	o := schema.Object{Kind: schema.KindNode, Name: "n1"}
	c := schema.Conversation{
		ID: "0b1e000000000000", Cluster: "farm", Object: o, Condition: "node_down", Severity: schema.SeverityWarning, Title: "node n1 is down",
		Conditions: []schema.Condition{{Name: "node_down", Facts: []string{"last seen 3 min ago"}}},
	}
	return add(c, time.Hour, schema.Message{Kind: schema.EventOpened, Sender: schema.SenderSystem, Content: "node n1 is down; last seen 3 min ago."})
}

func gone() schema.Conversation {
	c := checkout()
	c.State, c.ClosedAs = schema.StateRemoved, schema.StateRemoved
	return add(c, time.Hour, schema.Message{Kind: schema.EventCleared, Sender: schema.SenderSystem, Content: "No longer there: shop/checkout has left the cluster."})
}

func TestWhatOthersWroteCannotSteerTheTerminal(t *testing.T) {
	c := add(checkout(), 0, schema.Message{Kind: schema.EventAsked, Author: &schema.Author{Name: "e\x1b]0;owned\x07vil"}, Content: "a\x1b[2Jb\r\nc\u202e"})
	c.Object.Name, c.Cluster = "check\x1b[31mout", "b\u009b31mox"
	var out bytes.Buffer
	p := console.New(&out, console.Options{Location: time.UTC})
	p.Event(c, last(c))
	want := "03:04:31      9f2c box/shop/checkout evil asks: ab c (unverified)\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}

func TestIDsAreAsShortAsTheyCanBeToldApart(t *testing.T) {
	p := console.New(&bytes.Buffer{}, console.Options{})
	if got := p.ID("9f2c51d07be34a68"); got != "9f2c" {
		t.Errorf("alone it is %s, want 9f2c", got)
	}
	p.Know("9f2c5000000000ff", "9f2d000000000000", "1111000000000000")
	if got := p.ID("9f2c51d07be34a68"); got != "9f2c51" {
		t.Errorf("beside its neighbour it is %s, want 9f2c51", got)
	}
	p.Call("1111000000000000", "11110000")
	if got := p.ID("1111000000000000"); got != "11110000" {
		t.Errorf("called 11110000, it is %s", got)
	}
}

// A pipe has no width: what is printed there is one line for each thing, for other programs to read.
func TestNothingIsWrappedOrColouredInAPipe(t *testing.T) {
	t.Setenv("COLUMNS", "")
	var out bytes.Buffer
	p := console.New(&out, console.Options{Location: time.UTC, Cluster: "box7"})
	c := add(checkout(), 0, schema.Message{Kind: schema.EventAsked, Author: ada(false), Content: strings.Repeat("why ", 100) + "?"})
	p.Event(c, last(c))
	if got := strings.Count(out.String(), "\n"); got != 1 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("printed %d lines: %q", got, out.String())
	}
}

func TestLettersThatGrowWhenLoweredBreakNothing(t *testing.T) {
	c := schema.Conversation{
		ID: strings.Repeat("a", schema.IDLength), Cluster: "prod", Object: schema.Object{Kind: schema.KindService, Name: "web"},
		Title: "web: none running", Diagnosis: &schema.Diagnosis{Summary: "Likely ȺȺȺȺȺȺȺȺȺ", Source: "model", Confidence: "low"},
	}
	var out bytes.Buffer
	console.New(&out, console.Options{}).Standing(c)
	if !strings.Contains(out.String(), "likely: ȺȺȺȺȺȺȺȺȺ (model, low confidence)") {
		t.Errorf("printed %q", out.String())
	}
}

func TestAnAnswerKeepsItsLines(t *testing.T) {
	m := schema.Message{ID: "x-2", Kind: schema.EventAnswered, Sender: schema.SenderAssistant, Content: "Now: well.\nE1 it runs\n\u001b[2JE2 clears the screen"}
	c := schema.Conversation{ID: strings.Repeat("a", schema.IDLength), Cluster: "prod", Object: schema.Object{Kind: schema.KindService, Name: "web"}, Messages: []schema.Message{m}}
	var out bytes.Buffer
	console.New(&out, console.Options{Width: 60, Location: time.UTC}).Event(c, m)
	want := "00:00:00      aaaa prod/web answer: Now: well.\n         E1 it runs\n         E2 clears the screen\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
}
