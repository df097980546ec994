package drill_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/drill"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// quick is a test of short intervals by a known person.
func quick() drill.Test {
	return drill.Test{Interval: 100 * time.Millisecond, Keep: time.Millisecond, Within: 30 * time.Second, By: "anna", Host: "web1"}
}

// journal notes steps from one goroutine and tells of each kind once.
type journal struct {
	mu    sync.Mutex
	steps []drill.Step
	on    map[string]func()
}

func (j *journal) say(s drill.Step) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.steps = append(j.steps, s)
	if do := j.on[s.Kind]; do != nil {
		do()
	}
}

func (j *journal) kinds() []string {
	var kinds []string
	for _, s := range j.steps {
		kinds = append(kinds, s.Kind)
	}
	return kinds
}

func TestATestGoesAllTheWayAndCloses(t *testing.T) {
	s, hook := bustest.Server(t), e2e.NewReceiver(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartNotifier(t, s, hook.URL)
	b := s.Connect(t)
	ready(t, b)
	var j journal
	if err := quick().Run(t.Context(), b, j.say); err != nil {
		t.Fatal(err)
	}
	want := []string{drill.StepStored, drill.StepOpened, drill.StepTold, drill.StepKept, drill.StepClosed}
	if diff := cmp.Diff(want, j.kinds()); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	posts := hook.Until(t, "the end", func(p []e2e.Post) bool { return len(p) > 0 && p[len(p)-1].Conversation.Closed() })
	if first := posts[0]; !strings.HasPrefix(first.Text, "test-") || !strings.Contains(first.Text, "this is a test by anna from web1") || first.Conversation.ID != j.steps[0].Conversation {
		t.Errorf("the card of %s says %q", first.Conversation.ID, first.Text)
	}
	if as := posts[len(posts)-1].Conversation.ClosedAs; as != schema.StateCleared {
		t.Errorf("closed as %q", as)
	}
}

func TestTwoTestsAtOnceDoNotDisturbEachOther(t *testing.T) {
	s, hook := bustest.Server(t), e2e.NewReceiver(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartNotifier(t, s, hook.URL)
	b := s.Connect(t)
	ready(t, b)
	var wg sync.WaitGroup
	var journals [2]journal
	for i := range journals {
		wg.Go(func() {
			if err := quick().Run(t.Context(), b, journals[i].say); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if journals[0].steps[0].Conversation == journals[1].steps[0].Conversation {
		t.Error("both tests had the same conversation")
	}
}

func TestCtrlCEndsTheTestAtOnceAndClosesIt(t *testing.T) {
	s, hook := bustest.Server(t), e2e.NewReceiver(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartNotifier(t, s, hook.URL)
	b := s.Connect(t)
	ready(t, b)
	ctx, stop := context.WithCancel(t.Context())
	j := journal{on: map[string]func(){drill.StepKept: stop}}
	test := quick()
	test.Keep = 24 * time.Hour
	if err := test.Run(ctx, b, j.say); err != nil {
		t.Fatal(err)
	}
	if kinds := j.kinds(); kinds[len(kinds)-1] != drill.StepClosed {
		t.Errorf("steps %v", kinds)
	}
}

func TestAFailingChannelIsNamedWithTheReasonAndTheIncidentIsClosed(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		within time.Duration
		says   []string
	}{
		"refused":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) }, 30 * time.Second, []string{"channel webhook failed", "refuses", "422"}},
		"not-reached": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 2 * time.Second, []string{"channel webhook failed: not reached within 2s", "tries in vain, the last because: post to http://127.0.0.1:"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := bustest.Server(t)
			hook := httptest.NewServer(c.answer)
			t.Cleanup(hook.Close)
			e2e.StartAnalyzer(t, s, llm.Config{})
			e2e.StartNotifier(t, s, hook.URL)
			b := s.Connect(t)
			ready(t, b)
			var j journal
			test := quick()
			test.Within = c.within
			err := test.Run(t.Context(), b, j.say)
			for _, want := range c.says {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
			if kinds := j.kinds(); slices.Contains(kinds, drill.StepTold) || kinds[len(kinds)-1] != drill.StepClosed {
				t.Errorf("steps %v", kinds)
			}
		})
	}
}

func TestWhatIsMissingIsSaidBeforeAnythingIsMadeUp(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	var j journal
	if err := quick().Run(t.Context(), b, j.say); !errors.Is(err, bus.ErrNobody) || !strings.Contains(err.Error(), "no analyzer") {
		t.Errorf("without an analyzer: %v", err)
	}
	e2e.StartAnalyzer(t, s, llm.Config{})
	until(t, func() error { _, err := client.New(b).List(t.Context(), client.ListRequest{}); return err })
	if err := quick().Run(t.Context(), b, j.say); !errors.Is(err, bus.ErrNobody) || !strings.Contains(err.Error(), "no notifier") {
		t.Errorf("without a notifier: %v", err)
	}
	e2e.StartNotifier(t, s, e2e.NewReceiver(t).URL)
	ready(t, b)
	test := quick()
	test.Channel = "pager"
	if err := test.Run(t.Context(), b, j.say); err == nil || !strings.Contains(err.Error(), `no channel "pager": configured are webhook`) {
		t.Errorf("of another channel: %v", err)
	}
	if len(j.steps) > 0 {
		t.Errorf("steps %v", j.kinds())
	}
}

func TestWithoutAChannelTheTestSaysThatOnlyTheTerminalTells(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	n, err := notifier.New(notifier.Config{}, b, e2e.Quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	e2e.Start(t, n.Part())
	ready(t, b)
	var j journal
	if err := quick().Run(t.Context(), b, j.say); err != nil {
		t.Fatal(err)
	}
	told := j.steps[slices.Index(j.kinds(), drill.StepTold)]
	if told.Channel != "" || !strings.Contains(told.Text, "only the terminal") {
		t.Errorf("told %+v", told)
	}
}

// ready waits until an analyzer and a notifier answer.
func ready(t *testing.T, b *bus.Bus) {
	t.Helper()
	c := client.New(b)
	until(t, func() error { _, err := c.List(t.Context(), client.ListRequest{}); return err })
	until(t, func() error { _, err := c.Told(t.Context(), strings.Repeat("0", schema.IDLength)); return err })
}

// until asks again while nobody answers.
func until(t *testing.T, ask func() error) {
	t.Helper()
	err := ask()
	for errors.Is(err, bus.ErrNobody) {
		err = ask()
	}
	if err != nil {
		t.Fatal(err)
	}
}
