package notifier

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestHowMuchOfLogLinesIsShownIsAmongTheTerms(t *testing.T) {
	for value, want := range map[string]string{"": channel.LogsLine, "off": channel.LogsOff, "line": channel.LogsLine, "full": channel.LogsFull} {
		t.Run("set-to-"+value, func(t *testing.T) {
			if value != "" {
				t.Setenv("TRIAL_LOGS", value)
			}
			var cfg Config
			if err := config.Load("TRIAL", &cfg); err != nil {
				t.Fatal(err)
			}
			again := time.Unix(1795000000, 0)
			route := func(schema.Conversation, time.Time) routing {
				return routing{tell: true, terms: channel.Terms{Mention: "@here"}, again: again}
			}
			got := showing(cfg.Logs, route)(schema.Conversation{}, again)
			if want := (routing{tell: true, terms: channel.Terms{Mention: "@here", Logs: want}, again: again}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
	t.Run("every-loop", func(t *testing.T) {
		b := bustest.Server(t).Connect(t)
		n, err := New(Config{Logs: channel.LogsOff, Webhook: webhook.Config{URL: "http://127.0.0.1:1/"}}, b, bustest.Log(t), nil)
		if err != nil || len(n.loops) != 1 {
			t.Fatalf("%d loops, %v", len(n.loops), err)
		}
		if r := n.loops[0].route(schema.Conversation{}, time.Time{}); !r.tell || r.terms.Logs != channel.LogsOff {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a-mistake", func(t *testing.T) {
		t.Setenv("TRIAL_LOGS", "some")
		if err := config.Load("TRIAL", &Config{}); err == nil {
			t.Error("no mistake")
		}
	})
}
