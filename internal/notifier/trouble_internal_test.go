package notifier

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/pace"
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
		target   pace.State
	}{
		{"nothing", nil, time.Hour, waits{1, 1}, "", pace.State{}},
		{"four-in-a-minute", []error{passing, passing, passing, passing}, time.Minute, waits{1, 0}, "", pace.State{}},
		{"five-in-a-minute", []error{passing, passing, passing, passing, passing}, time.Minute, waits{1, 0}, schema.SeverityWarning, pace.State{}},
		{"five-refused-and-nothing-waits", []error{refused, refused, refused, refused, refused}, time.Minute, waits{}, schema.SeverityWarning, pace.State{}},
		{"two-minutes", []error{setup}, 2 * time.Minute, waits{1, 0}, schema.SeverityWarning, pace.State{}},
		{"two-minutes-and-a-critical-waits", []error{setup}, 2 * time.Minute, waits{2, 1}, schema.SeverityCritical, pace.State{}},
		{"one-refused-and-nothing-waits", []error{refused}, time.Hour, waits{}, "", pace.State{}},
		{"one-went-through", []error{passing, passing, passing, passing, nil, passing}, time.Minute, waits{1, 1}, "", pace.State{}},
		{"asked-for-a-pause", []error{pause, pause, pause, pause, pause, pause}, time.Hour, waits{9, 9}, "", pace.State{}},
		{"too-big", []error{channel.ErrTooBig, channel.ErrTooBig, channel.ErrTooBig, channel.ErrTooBig, channel.ErrTooBig}, time.Hour, waits{9, 9}, "", pace.State{}},
		{"breaker-open-though-nothing-was-tried-here", nil, 0, waits{}, schema.SeverityWarning, pace.State{Trips: 1, Failures: 5, Since: now}},
		{"breaker-open-and-a-critical-waits", nil, 0, waits{1, 1}, schema.SeverityCritical, pace.State{Trips: 1, Failures: 5, Since: now}},
		{"gone", nil, time.Hour, waits{}, schema.SeverityWarning, pace.State{GoneAt: now}},
		{"paused-for-a-quarter-of-an-hour", nil, 15 * time.Minute, waits{1, 0}, schema.SeverityWarning, pace.State{PausedAt: now, NotBefore: now.Add(time.Hour)}},
		{"paused-for-less", nil, 15*time.Minute - 1, waits{1, 1}, "", pace.State{PausedAt: now, NotBefore: now.Add(time.Hour)}},
		{"paused-and-a-critical-waits", nil, time.Hour, waits{1, 1}, schema.SeverityCritical, pace.State{PausedAt: now, NotBefore: now.Add(time.Hour)}},
		{"paused-and-nothing-waits", nil, time.Hour, waits{}, "", pace.State{PausedAt: now, NotBefore: now.Add(time.Hour)}},
		{"paused", nil, time.Hour, waits{1, 1}, "", pace.State{NotBefore: now.Add(time.Hour)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tr trouble
			for _, outcome := range tt.outcomes {
				tr.went(attempt{"id", 1}, outcome, now)
			}
			got := ""
			for _, f := range tr.judge("webhook", now.Add(tt.after), tt.waits, tt.target) {
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
