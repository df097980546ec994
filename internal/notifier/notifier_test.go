package notifier_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestChannelsAreThoseThatAreConfigured(t *testing.T) {
	if got := notifier.Channels(notifier.Config{}); len(got) > 0 {
		t.Errorf("without a URL: %q, want none", got)
	}
	got := notifier.Channels(notifier.Config{Webhook: webhook.Config{URL: config.Secret("http://x")}})
	if diff := cmp.Diff([]string{"webhook"}, got); diff != "" {
		t.Errorf("with a URL (-want +got):\n%s", diff)
	}
}

func TestEachEventIsDeliveredOnceAndInOrder(t *testing.T) {
	b, r := bustest.New(t), newReceiver(t, nil)
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	c := channeltest.Opened("checkout")
	var events []string
	for _, kind := range []string{"", schema.EventDiagnosed, schema.EventWorsened, schema.EventCleared} {
		if kind != "" {
			c = channeltest.Add(c, kind)
		}
		store(t, b, c)
		events = append(events, r.next(t).events...)
	}
	if diff := cmp.Diff(ids(c), events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	settled(t, b)
	if got := len(r.all()); got != 4 {
		t.Errorf("%d posts, want 4", got)
	}
}

func TestABacklogIsToldOnceInItsCurrentState(t *testing.T) {
	b, r := bustest.New(t), newReceiver(t, nil)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	for _, kind := range []string{schema.EventDiagnosed, schema.EventAcknowledged} {
		c = channeltest.Add(c, kind)
		store(t, b, c)
	}
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	got := r.next(t)
	if diff := cmp.Diff(ids(c), got.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	settled(t, b)
	if diff := cmp.Diff([]string{ids(c)[2]}, r.keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestDeliverRetriesPassingFailures(t *testing.T) {
	r := newReceiver(t, func(nth int, w http.ResponseWriter) {
		if nth <= 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	b := bustest.New(t)
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	settled(t, b)
	key := ids(c)[0]
	if diff := cmp.Diff([]string{key, key, key, key}, r.keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

func TestAThrottledReceiverIsLeftAloneForAsLongAsItAsks(t *testing.T) {
	r := newReceiver(t, func(nth int, w http.ResponseWriter) {
		if nth == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	b := bustest.New(t)
	log, throttled := warned()
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, log).Part().Run)
	store(t, b, channeltest.Opened("checkout"))
	first := r.next(t)
	<-throttled
	store(t, b, channeltest.Opened("cart")) // the pause is the receiver's, not one conversation's
	second, third := r.next(t), r.next(t)
	for _, p := range []post{second, third} {
		if pause := p.at.Sub(first.at); pause < 990*time.Millisecond {
			t.Errorf("%s came %s after the receiver asked for a pause of 1 s", p.key, pause)
		}
	}
	if second.conv == third.conv {
		t.Errorf("conversation %s came twice", second.conv)
	}
}

func TestTwoNotifiersPostOneCardEach(t *testing.T) {
	const conversations = 100
	s, r := bustest.Server(t), newReceiver(t, nil)
	for range 2 {
		bustest.Start(t, open(t, s.Connect(t), r, notifier.NotifyOn, slog.New(slog.DiscardHandler)).Part().Run)
	}
	b := s.Connect(t)
	want := map[string]int{}
	for i := range conversations {
		c := channeltest.Opened(fmt.Sprintf("service-%d", i))
		store(t, b, c)
		store(t, b, channeltest.Add(c, schema.EventDiagnosed)) // a second nudge while the first is posted
		want[c.ID] = 1
	}
	settled(t, b)
	keys, opened := map[string]int{}, map[string]int{}
	for _, p := range r.all() {
		if keys[p.key]++; keys[p.key] > 1 {
			t.Errorf("%s came twice", p.key)
		}
		if p.kind == "conversation.opened" {
			opened[p.conv]++
		}
	}
	if diff := cmp.Diff(want, opened); diff != "" {
		t.Errorf("cards by conversation (-want +got):\n%s", diff)
	}
}

func TestShadowSendsNothing(t *testing.T) {
	b, r := bustest.New(t), newReceiver(t, nil)
	stop := bustest.Start(t, open(t, b, r, notifier.NotifyShadow, nil).Part().Run)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	settled(t, b)
	if got := r.keys(); len(got) > 0 {
		t.Errorf("posted %q", got)
	}
	stop()
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	c = channeltest.Add(c, schema.EventWorsened)
	store(t, b, c)
	if diff := cmp.Diff(ids(c), r.next(t).events); diff != "" {
		t.Errorf("the first real post lacks what was never sent (-want +got):\n%s", diff)
	}
}

func TestARefusedPostIsGivenUpAndItsEventsGoWithTheNextOne(t *testing.T) {
	r := newReceiver(t, func(nth int, w http.ResponseWriter) {
		if nth == 1 {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	})
	b := bustest.New(t)
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("webhook"))
	if !strings.Contains(letter.Reason, "422") || !strings.Contains(string(letter.Body), c.ID) {
		t.Errorf("dead letter does not say what was refused and why: %+v", letter)
	}
	settled(t, b)
	if got := len(r.all()); got != 1 {
		t.Fatalf("a refused post was tried %d times", got)
	}
	r.next(t)
	c = channeltest.Add(c, schema.EventWorsened)
	store(t, b, c)
	if diff := cmp.Diff(ids(c), r.next(t).events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAWrongSetUpIsLoggedLoudlyOnce(t *testing.T) {
	r := newReceiver(t, func(nth int, w http.ResponseWriter) {
		if nth <= 3 {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	b := bustest.New(t)
	var log locked
	n := open(t, b, r, notifier.NotifyOn, slog.New(slog.NewTextHandler(&log, nil)))
	bustest.Start(t, n.Part().Run)
	store(t, b, channeltest.Opened("checkout"))
	settled(t, b)
	if got := strings.Count(log.String(), "level=ERROR"); got != 1 {
		t.Errorf("%d errors logged, want 1:\n%s", got, log.String())
	}
	if got := len(r.all()); got != 4 {
		t.Errorf("%d attempts, want 4", got)
	}
}

func TestMessagesThatDoNotCountHarmNothing(t *testing.T) {
	b, r := bustest.New(t), newReceiver(t, nil)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	subject := b.Subjects().Alert(c.Cluster, c.Severity, c.ID)
	bustest.Inject(t, b, subject, nil, []byte("{"))
	bustest.Inject(t, b, subject, map[string]string{bus.EventHeader: "opened"}, []byte(`{"conversation":{"schema":"bellbuoy.conversation/v9"}}`))
	bustest.Inject(t, b, b.Subjects().Alert(c.Cluster, "severe", c.ID), nil, nil)
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	settled(t, b)
	if diff := cmp.Diff(ids(c), r.keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	letter := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead(bus.PartNotifier))
	if !strings.Contains(letter.Subject, "severe") {
		t.Errorf("dead letter of %q, want that of the impossible subject", letter.Subject)
	}
}

// locked is a buffer that a log may write to while a test reads it.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
