package notifier

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestAChannelIsFailingAfterFiveAttemptsOrTwoMinutes(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	passing := errors.New("connection refused")
	setup := fmt.Errorf("401: %w", channel.ErrSetup)
	refused := fmt.Errorf("422: %w", channel.ErrRefused)
	pause := fmt.Errorf("429: %w", channel.Throttled{Until: now})
	tests := []struct {
		name     string
		outcomes []error
		after    time.Duration // since the first of them
		waits    waits
		want     string
	}{
		{"nothing", nil, time.Hour, waits{1, 1}, ""},
		{"four-in-a-minute", []error{passing, passing, passing, passing}, time.Minute, waits{1, 0}, ""},
		{"five-in-a-minute", []error{passing, passing, passing, passing, passing}, time.Minute, waits{1, 0}, schema.SeverityWarning},
		{"five-refused-and-nothing-waits", []error{refused, refused, refused, refused, refused}, time.Minute, waits{}, schema.SeverityWarning},
		{"two-minutes", []error{setup}, 2 * time.Minute, waits{1, 0}, schema.SeverityWarning},
		{"two-minutes-and-a-critical-waits", []error{setup}, 2 * time.Minute, waits{2, 1}, schema.SeverityCritical},
		{"one-refused-and-nothing-waits", []error{refused}, time.Hour, waits{}, ""},
		{"one-went-through", []error{passing, passing, passing, passing, nil, passing}, time.Minute, waits{1, 1}, ""},
		{"asked-for-a-pause", []error{pause, pause, pause, pause, pause, pause}, time.Hour, waits{9, 9}, ""},
		{"too-big", []error{channel.ErrTooBig, channel.ErrTooBig, channel.ErrTooBig, channel.ErrTooBig, channel.ErrTooBig}, time.Hour, waits{9, 9}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tr trouble
			for _, outcome := range tt.outcomes {
				tr.went(attempt{"id", 1}, outcome, now)
			}
			got := ""
			for _, f := range tr.judge("webhook", now.Add(tt.after), tt.waits) {
				got = f.Severity
			}
			if got != tt.want {
				t.Errorf("severity %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatWaitsAboutBellbuoyItselfMakesNoTroubleCritical(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	id := schema.ConversationID("c", schema.Object{})
	w, s := newWaiting(), schema.Subjects{}
	w.add(s.Alert(schema.OwnCluster, schema.SeverityCritical, id), now)
	w.add(s.Alert("prod", schema.SeverityWarning, id), now)
	if got := w.waits(now, s); got != (waits{all: 2}) {
		t.Errorf("%+v", got)
	}
	w.add(s.Alert("prod", schema.SeverityCritical, id), now)
	if got := w.waits(now, s); got != (waits{all: 3, critical: 1}) {
		t.Errorf("%+v", got)
	}
}
