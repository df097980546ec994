package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// house is an analyzer without a model and a notifier, whose logs are kept.
type house struct {
	bus  *bus.Bus
	hook *e2e.Receiver
	log  *e2e.Journal
}

func newHouse(t *testing.T) house {
	t.Helper()
	s, h := bustest.Server(t), house{hook: e2e.NewReceiver(t), log: &e2e.Journal{}}
	e2e.Start(t, e2e.NewAnalyzerLogging(t, s, llm.Config{}, h.log.Logger()).Part())
	e2e.StartNotifierLogging(t, s, h.hook.URL, h.log.Logger())
	h.bus = s.Connect(t)
	return h
}

// live takes the one service of a cluster through a whole incident: down, told, asked about, well again. disturb is
// called before it is told, while it is open and after an answer, each time once all is quiet.
func (h house) live(t *testing.T, cluster string, disturb func()) schema.Conversation {
	t.Helper()
	quiet := func() { t.Helper(); bustest.Settled(t, h.bus) }
	id := e2e.CheckoutID(cluster)
	e2e.Publish(t, h.bus, e2e.Snapshot(cluster, 0, 0))
	quiet()
	disturb()
	quiet()
	e2e.Publish(t, h.bus, e2e.Snapshot(cluster, 1, 0))
	quiet()
	disturb()
	quiet()
	e2e.Say(t, h.bus, id, "why?")
	quiet()
	disturb()
	quiet()
	for n := range 6 {
		e2e.Publish(t, h.bus, e2e.Snapshot(cluster, 2+n, 1))
		quiet()
	}
	head, err := h.bus.Head(t.Context(), cluster, id)
	if err != nil {
		t.Fatal(err)
	}
	return head.Conversation
}

// disturbances is how often live disturbs.
const disturbances = 3

// unharmed checks that an incident went its whole way, that what is stored of it is of one piece, and that the
// receiver heard exactly that. extra are the kinds of events that are meant to be there besides.
func (h house) unharmed(t *testing.T, c schema.Conversation, extra ...string) {
	t.Helper()
	kinds := slices.DeleteFunc(e2e.Kinds(c), func(k string) bool { return slices.Contains(extra, k) })
	if diff := cmp.Diff([]string{"opened", "asked", "answered", "cleared"}, kinds); diff != "" {
		t.Errorf("the neighbour's story (-want +got):\n%s", diff)
	}
	var want, told []string
	for i, m := range c.Messages {
		want = append(want, m.ID)
		if m.ID != eventID(c, i+1) {
			t.Errorf("event %d is %s", i+1, m.ID)
		}
	}
	for _, p := range h.posts(c.ID) {
		for _, m := range p.Events {
			told = append(told, m.ID)
		}
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("events that the receiver was told (-want +got):\n%s", diff)
	}
}

// posts are those of one conversation.
func (h house) posts(id string) []e2e.Post {
	return slices.DeleteFunc(h.hook.All(), func(p e2e.Post) bool { return p.Conversation.ID != id })
}

// buried takes the dead letters since it was last called.
func (h house) buried(t *testing.T) []bus.DeadLetter {
	t.Helper()
	bustest.Settled(t, h.bus)
	if err := h.bus.Dead(t.Context(), "test", bus.DeadLetter{Reason: t.Name()}); err != nil {
		t.Fatal(err)
	}
	var letters []bus.DeadLetter
	for {
		d := bustest.Next[bus.DeadLetter](t, h.bus, strings.TrimSuffix(h.bus.Subjects().Dead("test"), "test")+"*")
		if d.Who == "test" {
			return letters
		}
		letters = append(letters, d)
	}
}

// refused checks that what was published under subject went to the dead letters n times, for the reason, and that the
// log says so in clean lines of a bearable length.
func (h house) refused(t *testing.T, subject, reason string, n int) {
	t.Helper()
	letters := h.buried(t)
	if len(letters) != n {
		t.Errorf("%d dead letters, want %d", len(letters), n)
	}
	for _, d := range letters {
		if d.Subject != subject || !strings.Contains(d.Reason, reason) {
			t.Errorf("dead letter about %s: %.300q, want one about %s: %q", d.Subject, d.Reason, subject, reason)
		}
	}
	lines := h.log.Lines("level=ERROR", "message given up", subject, firstWords(reason))
	if len(lines) < n {
		t.Errorf("the log says so %d times, want %d; errors in it: %.2000q", len(lines), n, h.log.Lines("level=ERROR"))
	}
	h.readable(t)
}

// readable checks every line of the log for what hides and for its length.
func (h house) readable(t *testing.T) {
	t.Helper()
	for _, line := range h.log.Lines() {
		if len(line) > 4<<10 {
			t.Errorf("a log line of %d bytes: %.200q…", len(line), line)
		}
		if i := strings.IndexFunc(strings.TrimSuffix(line, "\n"), hides); i >= 0 {
			t.Errorf("a log line hides something: %q", line)
		}
	}
}

func hides(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }

// firstWords is the part of a reason before the first quote, which a log escapes.
func firstWords(reason string) string {
	before, _, _ := strings.Cut(reason, `"`)
	return strings.TrimSpace(before)
}

// token makes a cluster's name of a test's.
func token(t *testing.T) string {
	return schema.Token(t.Name()[strings.LastIndexByte(t.Name(), '/')+1:])
}

func toJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
