package llm_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/llm"
)

// scripted is a network that answers each attempt in turn, the last one for ever, and notes when each came.
type scripted struct {
	replies []func() (*http.Response, error)
	at      []time.Time
}

func (s *scripted) RoundTrip(*http.Request) (*http.Response, error) {
	i := min(len(s.at), len(s.replies)-1)
	s.at = append(s.at, time.Now())
	return s.replies[i]()
}

func reply(status int, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		h := http.Header{}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		body := `{"error":{"message":"wait"}}`
		if status == http.StatusOK {
			body = `{"choices":[{"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}`
		}
		return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

func lost() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func TestPausesBetweenAttempts(t *testing.T) {
	const slack = 5 * time.Millisecond
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where a bubble's clock begins
	tests := []struct {
		name     string
		replies  []func() (*http.Response, error)
		min, max []time.Duration // of each pause
		ok       bool
	}{
		{
			"own-pauses-double",
			[]func() (*http.Response, error){reply(500), lost, reply(200)},
			[]time.Duration{375 * time.Millisecond, 750 * time.Millisecond},
			[]time.Duration{500 * time.Millisecond, time.Second},
			true,
		},
		{
			"seconds-are-kept",
			[]func() (*http.Response, error){reply(429, "Retry-After", "7"), reply(200)},
			[]time.Duration{7 * time.Second},
			[]time.Duration{7 * time.Second},
			true,
		},
		{
			"a-date-is-kept",
			[]func() (*http.Response, error){reply(503, "Retry-After", now.Add(9*time.Second).Format(http.TimeFormat)), reply(200)},
			[]time.Duration{9 * time.Second},
			[]time.Duration{9 * time.Second},
			true,
		},
		{
			"a-date-is-by-the-clock-of-its-server",
			[]func() (*http.Response, error){
				reply(503, "Date", now.Add(time.Hour).Format(http.TimeFormat), "Retry-After", now.Add(time.Hour+4*time.Second).Format(http.TimeFormat)),
				reply(200),
			},
			[]time.Duration{4 * time.Second},
			[]time.Duration{4 * time.Second},
			true,
		},
		{
			"milliseconds-win",
			[]func() (*http.Response, error){reply(429, "Retry-After-Ms", "1500", "Retry-After", "30"), reply(200)},
			[]time.Duration{1500 * time.Millisecond},
			[]time.Duration{1500 * time.Millisecond},
			true,
		},
		{
			"two-retries-and-no-more",
			[]func() (*http.Response, error){reply(500)},
			[]time.Duration{375 * time.Millisecond, 750 * time.Millisecond},
			[]time.Duration{500 * time.Millisecond, time.Second},
			false,
		},
		{"server-says-do-not", []func() (*http.Response, error){reply(500, "X-Should-Retry", "false")}, nil, nil, false},
		{"longer-than-the-time-left", []func() (*http.Response, error){reply(429, "Retry-After", "60")}, nil, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := llm.New(llm.Config{BaseURL: "http://model.test", Model: "m", Timeout: time.Minute}, nil, nil)
				if err != nil {
					t.Fatal(err)
				}
				net := &scripted{replies: tt.replies}
				c.SetTransport(net)
				if _, err = c.Complete(t.Context(), question()); (err == nil) != tt.ok {
					t.Fatalf("error %v", err)
				}
				if len(net.at) != len(tt.min)+1 {
					t.Fatalf("%d attempts, want %d", len(net.at), len(tt.min)+1)
				}
				for i := range tt.min {
					if p := net.at[i+1].Sub(net.at[i]); p < tt.min[i]-slack || p > tt.max[i]+slack {
						t.Errorf("pause %d was %s, want %s to %s", i, p, tt.min[i], tt.max[i])
					}
				}
			})
		})
	}
}
