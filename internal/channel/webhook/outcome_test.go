package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

func TestAMetadataAddressIsAMistakeOfTheSetUp(t *testing.T) {
	ch, err := webhook.New(webhook.Config{URL: "http://169.254.169.254/latest/meta-data/SECRETPATH"}, "1")
	if err != nil {
		t.Fatal(err)
	}
	_, err = ch.Post(t.Context(), channel.Post{Key: "k-1", Body: []byte("{}")})
	if !errors.Is(err, channel.ErrSetup) || strings.Contains(err.Error(), "SECRETPATH") {
		t.Errorf("error %v, want ErrSetup without the path", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := newReceiver(t)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.url(), http.StatusTemporaryRedirect))
	defer server.Close()
	ch := elsewhere.channel(t, webhook.Config{URL: config.Secret(server.URL)})
	_, err := ch.Post(t.Context(), channel.Post{Key: "k-1", Body: []byte("{}")})
	if !errors.Is(err, channel.ErrSetup) || !strings.Contains(err.Error(), "redirects are not followed") {
		t.Errorf("error %v, want ErrRefused that says why", err)
	}
	if got := elsewhere.got(); len(got) > 0 {
		t.Error("the redirect was followed")
	}
}

func TestRetryAfterIsReadAndCapped(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		status int
		value  string
		want   time.Duration // 0: not throttled
	}{
		{"seconds", 429, "30", 30 * time.Second},
		{"date", 503, now.Add(time.Minute).Format(http.TimeFormat), time.Minute},
		{"too-long", 502, "86400", 15 * time.Minute},
		{"too-long-a-date", 504, now.Add(time.Hour).Format(http.TimeFormat), 15 * time.Minute},
		{"overflow", 429, "18446744073709551615", 15 * time.Minute},
		{"past", 429, now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"zero", 429, "0", 0},
		{"negative", 429, "-5", 0},
		{"nonsense", 503, "soon", 0},
		{"none", 429, "", 0},
		{"other-status", 500, "30", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.value)
				w.WriteHeader(tt.status)
			}))
			defer server.Close()
			ch, err := webhook.New(webhook.Config{URL: config.Secret(server.URL)}, "1")
			if err != nil {
				t.Fatal(err)
			}
			ch.SetNow(func() time.Time { return now })
			_, err = ch.Post(t.Context(), channel.Post{Key: "k-1", Body: []byte("{}")})
			var throttled channel.Throttled
			if ok := errors.As(err, &throttled); ok != (tt.want > 0) {
				t.Fatalf("error %v, want throttled: %v", err, tt.want > 0)
			}
			if tt.want > 0 && throttled.Until.Sub(now) != tt.want {
				t.Errorf("pause %s, want %s", throttled.Until.Sub(now), tt.want)
			}
		})
	}
}

func TestEveryStatusHasItsVerdict(t *testing.T) {
	verdicts := map[error][]int{
		channel.ErrSetup:   {301, 302, 304, 307, 308, 401, 403, 404, 405, 407},
		channel.ErrGone:    {410},
		channel.ErrTooBig:  {413},
		channel.ErrRefused: {400, 409, 415, 422, 451},
		nil:                {408, 425, 429, 500, 501, 502, 503, 504, 507, 599},
	}
	for want, statuses := range verdicts {
		for _, status := range statuses {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
			ch, err := webhook.New(webhook.Config{URL: config.Secret(server.URL)}, "1")
			if err != nil {
				t.Fatal(err)
			}
			_, err = ch.Post(t.Context(), channel.Post{Key: "k-1", Body: []byte("{}")})
			got := slices.ContainsFunc([]error{channel.ErrSetup, channel.ErrTooBig, channel.ErrRefused, channel.ErrGone, channel.ErrAmbiguous}, func(v error) bool {
				return errors.Is(err, v)
			})
			if err == nil || want != nil && !errors.Is(err, want) || want == nil && got {
				t.Errorf("%d: error %v, want verdict %v", status, err, want)
			}
			server.Close()
		}
	}
}
