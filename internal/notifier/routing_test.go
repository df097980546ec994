package notifier_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// stage is a notifier with the two channels ops and pager.
type stage struct {
	bus        *bus.Bus
	notifier   *notifier.Notifier
	ops, pager *receiver
	now        time.Time
}

func routedBy(t *testing.T, routes string) *stage {
	t.Helper()
	s := &stage{bus: bustest.New(t), ops: newReceiver(t, nil), pager: newReceiver(t, nil), now: channeltest.At(1)}
	file := filepath.Join(t.TempDir(), "channels.yml")
	text := fmt.Sprintf("channels:\n  - {name: ops, kind: webhook, url: %q}\n  - {name: pager, kind: webhook, url: %q}\n%s", s.ops.server.URL, s.pager.server.URL, routes)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := notifier.Config{ChannelsFile: file}
	if err := s.bus.Setup(t.Context(), bus.Setup{Channels: notifier.Channels(cfg)}); err != nil {
		t.Fatal(err)
	}
	n, err := notifier.New(cfg, s.bus, bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	n.SetPause(func(time.Duration) time.Duration { return time.Millisecond })
	s.notifier = n
	return s
}

// step nudges one channel with the conversation at a time, and says how long that nudge waits.
func (s *stage) step(t *testing.T, channel string, c schema.Conversation, now time.Time) time.Duration {
	t.Helper()
	s.notifier.SetNow(func() time.Time { return now })
	wait, err := s.notifier.StepOf(t.Context(), channel, nudge(t, c))
	if wait == 0 && err != nil {
		t.Fatal(err)
	}
	return wait
}

func (s *stage) store(t *testing.T, c schema.Conversation) schema.Conversation {
	t.Helper()
	store(t, s.bus, c)
	return c
}

// rated is the conversation with another severity.
func rated(c schema.Conversation, severity string) schema.Conversation {
	c.Severity, c.CriticalSince = severity, time.Time{}
	if severity == schema.SeverityCritical {
		c.CriticalSince = channeltest.At(1)
	}
	return c
}

func TestRoutesTellOneChannelAndNotTheOther(t *testing.T) {
	s := routedBy(t, "routes:\n  - {match: {service: check*}, to: [ops]}\n  - {match: {service: cart}, to: [pager]}\ndefault: []\n")
	bustest.Start(t, s.notifier.Part().Run)
	checkout, cart, mail := channeltest.Opened("checkout"), channeltest.Opened("cart"), channeltest.Opened("mail")
	for _, c := range []schema.Conversation{checkout, cart, mail} {
		s.store(t, c)
	}
	bustest.Settled(t, s.bus, bus.Diagnose, bus.Answer, bus.WatchFindings, bus.Notify("webhook"))
	if diff := cmp.Diff([][]string{ids(checkout), ids(cart)}, [][]string{s.ops.keys(), s.pager.keys()}); diff != "" {
		t.Errorf("posts to ops and pager (-want +got):\n%s", diff)
	}
}

func TestWhatIsStillOpenInTheMorningReachesTheDaysChannel(t *testing.T) {
	const day = "routes:\n  - {match: {days: mon-fri, hours: '09:00-17:00', zone: Europe/Berlin}, to: [ops]}\ndefault: [pager]\n"
	night, morning := time.Date(2026, 11, 24, 7, 58, 0, 0, time.UTC), time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	s := routedBy(t, day)
	open, over := s.store(t, channeltest.Opened("checkout")), s.store(t, channeltest.Opened("cart"))
	if wait := s.step(t, "ops", open, morning.Add(-12*time.Hour)); wait != notifier.LookAgain {
		t.Errorf("twelve hours before it waits for %s", wait)
	}
	for _, c := range []schema.Conversation{open, over} {
		if wait := s.step(t, "ops", c, night); wait != 2*time.Minute {
			t.Errorf("at night %s waits for %s, want 2 min", c.Object, wait)
		}
		s.step(t, "pager", c, night)
	}
	cleared := channeltest.Add(over, schema.EventCleared)
	cleared.ClosedAt = night.Add(time.Minute)
	s.store(t, cleared)
	for _, c := range []schema.Conversation{open, over, cleared} {
		if wait := s.step(t, "ops", c, morning); wait > 0 {
			t.Errorf("in the morning %s waits for %s", c.Object, wait)
		}
	}
	s.step(t, "pager", cleared, morning)
	if diff := cmp.Diff(ids(open), s.ops.keys()); diff != "" {
		t.Errorf("the day's channel (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{ids(open)[0], ids(cleared)[0], ids(cleared)[1]}, s.pager.keys()); diff != "" {
		t.Errorf("what the night's channel was told it is told to its end (-want +got):\n%s", diff)
	}
}

func TestAnEscalationJoinsUnlessSomebodyHasIt(t *testing.T) {
	const escalate = "routes:\n  - {to: [ops], escalate: {after: 15m, to: [pager]}}\n"
	for _, tt := range []struct {
		name   string
		after  []string // what happens before it is due
		before time.Duration
		posts  int
	}{
		{"nobody-has-it", nil, time.Minute, 1},
		{"acknowledged", []string{schema.EventAcknowledged}, 0, 0},
		{"silenced", []string{schema.EventSilenced}, 0, 0},
		{"diagnosed", []string{schema.EventDiagnosed}, time.Minute, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := routedBy(t, escalate)
			c := s.store(t, rated(channeltest.Opened("checkout"), schema.SeverityCritical))
			s.step(t, "ops", c, channeltest.At(1))
			for _, kind := range tt.after {
				c = s.store(t, channeltest.Add(c, kind))
			}
			due := c.CriticalSince.Add(15 * time.Minute)
			if wait := s.step(t, "pager", c, due.Add(-time.Minute)); wait != tt.before {
				t.Errorf("a minute before it is due it waits for %s, want %s", wait, tt.before)
			}
			if got := s.pager.keys(); len(got) > 0 {
				t.Errorf("told before it was due: %q", got)
			}
			s.step(t, "pager", c, due)
			if got := s.pager.keys(); len(got) != tt.posts {
				t.Errorf("told %q, want %d posts", got, tt.posts)
			}
		})
	}
}

func TestWhatWorsensReachesFurtherChannelsAndIsToldToItsEnd(t *testing.T) {
	s := routedBy(t, "routes:\n  - {match: {severity: critical}, to: [pager], continue: true}\n  - {to: [ops]}\n")
	c := s.store(t, rated(channeltest.Opened("checkout"), schema.SeverityWarning))
	both := func() {
		s.step(t, "ops", c, c.UpdatedAt)
		s.step(t, "pager", c, c.UpdatedAt)
	}
	both()
	if got := s.pager.keys(); len(got) > 0 {
		t.Errorf("told of a warning: %q", got)
	}
	c = s.store(t, rated(channeltest.Add(c, schema.EventWorsened), schema.SeverityCritical))
	both()
	if got := s.pager.all(); len(got) != 1 || cmp.Diff(ids(c), got[0].events) != "" {
		t.Errorf("the first post has not all of it: %+v", got)
	}
	c = s.store(t, rated(channeltest.Add(c, schema.EventEased), schema.SeverityWarning))
	both()
	c = s.store(t, channeltest.Add(c, schema.EventCleared))
	both()
	if diff := cmp.Diff([][]string{ids(c), ids(c)[1:]}, [][]string{s.ops.keys(), s.pager.keys()}); diff != "" {
		t.Errorf("posts to ops and pager (-want +got):\n%s", diff)
	}
}

// Whoever counts what a receiver does not take, or waits for it, is not to count what is not for that receiver yet.
func TestWhatRoutesHoldBackDoesNotWaitForTheReceiver(t *testing.T) {
	s := routedBy(t, "routes:\n  - {to: [ops], escalate: {after: 15m, to: [pager]}}\n")
	c := s.store(t, rated(channeltest.Opened("checkout"), schema.SeverityCritical))
	s.notifier.SetNow(func() time.Time { return channeltest.At(1) })
	if err := s.notifier.Handle(t.Context(), "pager", nudge(t, c)); err == nil {
		t.Error("its nudge does not come again")
	}
	if n := s.notifier.Waiting("pager", time.Time{}); n > 0 {
		t.Errorf("%d wait for a receiver that takes everything", n)
	}
}
