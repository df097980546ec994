package llm_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// shelf keeps what is learned, for a fleet of clients.
type shelf struct {
	mu      sync.Mutex
	kept    map[string]llm.Ability
	saves   int
	trouble error
}

func (s *shelf) Load(_ context.Context, key string) (llm.Ability, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.kept[key]
	return a, ok, s.trouble
}

func (s *shelf) Save(_ context.Context, key string, a llm.Ability) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saves++
	if s.kept == nil {
		s.kept = map[string]llm.Ability{}
	}
	s.kept[key] = a
	return s.trouble
}

func TestWhatOneProcessLearnsTheNextOneKnows(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Key: key, Refuses: []string{"response_format", "temperature"}})
	kept := &shelf{}
	for i, want := range []int{5, 1, 1} {
		c := client(t, s)
		c.Keep(kept)
		got, err := c.Complete(t.Context(), prompt())
		if err != nil || got.Usage.Calls != want {
			t.Errorf("process %d made %d calls, want %d: %v", i, got.Usage.Calls, want, err)
		}
	}
	if kept.saves != 1 || len(kept.kept) != 1 {
		t.Errorf("%d saves of %v", kept.saves, kept.kept)
	}
	other := client(t, s, func(c *llm.Config) { c.Model = "another" })
	other.Keep(kept)
	if got, err := other.Complete(t.Context(), prompt()); err != nil || got.Usage.Calls != 5 {
		t.Errorf("another model took %d calls: %v", got.Usage.Calls, err)
	}
}

func TestACompletionDoesNotDependOnWhatIsKept(t *testing.T) {
	s := llmtest.New(t, llmtest.Options{Key: key, Refuses: []string{"response_format"}})
	var log bytes.Buffer
	c, err := llm.New(llm.Config{BaseURL: s.URL(), Model: "m", APIKey: key}, slog.New(slog.NewTextHandler(&log, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Keep(&shelf{trouble: errors.New("no store")})
	if _, err := c.Complete(t.Context(), prompt()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "no store"); n != 2 {
		t.Errorf("the trouble is told %d times, want at the reading and the keeping:\n%s", n, log.String())
	}
}

func TestWhatNobodyCanHaveLearnedIsNotBelieved(t *testing.T) {
	well := llm.Ability{Format: llm.FormatText, Limit: "max_tokens", Temperature: true, System: true, At: time.Now()}
	for name, change := range map[string]func(*llm.Ability){
		"believed":  func(*llm.Ability) {},
		"format":    func(a *llm.Ability) { a.Format = "poem" },
		"limit":     func(a *llm.Ability) { a.Limit = "tools" },
		"ratio":     func(a *llm.Ability) { a.Ratio = 40 },
		"room":      func(a *llm.Ability) { a.Room = -1 },
		"long-ago":  func(a *llm.Ability) { a.At = a.At.Add(-25 * time.Hour) },
		"no-record": func(a *llm.Ability) { *a = llm.Ability{} },
	} {
		t.Run(name, func(t *testing.T) {
			a := well
			change(&a)
			s := server(t)
			c := client(t, s)
			c.Keep(&shelf{kept: map[string]llm.Ability{llm.LearnedKey(s.URL(), "test-model"): a}})
			if _, err := c.Complete(t.Context(), prompt()); err != nil {
				t.Fatal(err)
			}
			if got, want := formatsSent(t, s)[0] == "text", name == "believed"; got != want {
				t.Errorf("believed %v: %+v", got, a)
			}
		})
	}
}

// refusing is a network whose server refuses structured output until it is told otherwise.
type refusing struct{ asked, refused int }

func (r *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	body := new(bytes.Buffer)
	_, _ = body.ReadFrom(req.Body)
	r.asked++
	if strings.Contains(body.String(), "response_format") {
		r.refused++
		resp, err := reply(400)()
		resp.Body = io.NopCloser(strings.NewReader(`{"error":{"message":"response_format is not supported"}}`))
		return resp, err
	}
	return reply(200)()
}

func TestWhatWasLearnedIsTriedAnewAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := llm.New(llm.Config{BaseURL: "http://model.test", Model: "m"}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		kept := &shelf{}
		c.Keep(kept)
		net := &refusing{}
		c.SetTransport(net)
		for i, tt := range []struct {
			later   time.Duration
			refused int // requests so far
		}{{0, 3}, {23 * time.Hour, 3}, {2 * time.Hour, 6}, {time.Hour, 6}} {
			later := time.NewTimer(tt.later) // by the bubble's clock
			<-later.C
			if _, err := c.Complete(t.Context(), prompt()); err != nil {
				t.Fatal(err)
			}
			if net.refused != tt.refused {
				t.Errorf("question %d: %d requests refused so far, want %d", i, net.refused, tt.refused)
			}
		}
		if kept.saves != 2 {
			t.Errorf("%d saves, want one a day", kept.saves)
		}
	})
}
