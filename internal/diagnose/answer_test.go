package diagnose_test

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestRulesAnswerWhatIsAsked(t *testing.T) {
	tests := []struct {
		name, question string
		says           []string
		not            []string
	}{
		{"logs", "show me the logs", []string{"E8 log of shop/checkout: panic: dial tcp: lookup db: no such host (2 times)"}, []string{"Likely", "Next:"}},
		{"status", "what is the status?", []string{"shop/checkout at 08:01:00 UTC: 0 of 1 running", "crash_loop (warning) since 08:00:00 UTC"}, []string{"log of"}},
		{"why", "why?", []string{"Likely: db is not running", "high confidence", "by the rules", "E4 checkout depends on db"}, []string{"log of", "Next:"}},
		{"since", "since when?", []string{"since 08:00:00 UTC", "began 08:01:00 UTC"}, []string{"Likely"}},
		{"events", "any deploy?", []string{"E6 die: exit 1"}, nil},
		{"next", "what should I do", []string{"Next: docker start shop-db-1"}, nil},
		{"named-object", "and db?", []string{"Now: shop/db: 0 of 0 running; not wanted: stopped by hand"}, []string{"cache"}},
		{"anything-else", "hmm?", []string{"0 of 1 running", "Likely:", "log of", "Next: docker start shop-db-1"}, nil},
		{"part-of-a-word-is-no-topic", "catalogs?", []string{"Likely:"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := incident()
			got := diagnose.AnswerByRules(c, &s, schema.Message{Content: tt.question})
			for _, want := range tt.says {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in:\n%s", want, got)
				}
			}
			for _, no := range tt.not {
				if strings.Contains(got, no) {
					t.Errorf("%q has no place in:\n%s", no, got)
				}
			}
		})
	}
}

func TestRulesAnswerFromNothing(t *testing.T) {
	for _, q := range []string{"", "logs", "why", "status", "since", "events", "next"} {
		if got := diagnose.AnswerByRules(schema.Conversation{Object: checkout()}, nil, schema.Message{Content: q}); got == "" {
			t.Errorf("no answer to %q", q)
		}
	}
}

func TestCheckAnswerCleansAndBounds(t *testing.T) {
	got, err := diagnose.CheckAnswer("<think>secret plan</think>\n It is\u202e db.\x1b[1m\nRun `docker rm -f db`. password=hunter2hunter2 ")
	if want := "It is db.\nRun `docker rm -f db`. password=[REDACTED:secret]"; err != nil || got != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	for _, empty := range []string{"", " \n", "<think>all of it", "\u200b"} {
		if got, err := diagnose.CheckAnswer(empty); err == nil {
			t.Errorf("%q became %q", empty, got)
		}
	}
	if got, err := diagnose.CheckAnswer(strings.Repeat("ü", 10_000)); err != nil || len(got) > 4000 || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
