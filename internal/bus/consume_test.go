package bus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

var errBroken = errors.New("broken")

func TestAHandlersErrorIsItsVerdict(t *testing.T) {
	undecodable := bus.Undecodable(errBroken)
	tests := []struct {
		name       string
		results    []error // of the deliveries, in order; errPanic panics
		deliveries int
		reason     string // of the dead letter; empty: none
		verdicts   map[string]float64
	}{
		{"nil-acks", []error{nil}, 1, "", map[string]float64{"ack": 1}},
		{"an-error-comes-again", []error{errBroken, errBroken, nil}, 3, "", map[string]float64{"retry": 2, "ack": 1}},
		{"later-comes-again", []error{bus.Later(time.Millisecond, errBroken), nil}, 2, "", map[string]float64{"later": 1, "ack": 1}},
		{"poison-is-dead-at-once", []error{bus.Poison(errBroken)}, 1, "broken", map[string]float64{"dead": 1}},
		{"wrapped-poison-is-dead-at-once", []error{fmt.Errorf("read: %w", bus.Poison(errBroken))}, 1, "read: broken", map[string]float64{"dead": 1}},
		{"one-panic-comes-again", []error{errPanic, nil}, 2, "", map[string]float64{"retry": 1, "ack": 1}},
		{"five-panics-are-dead", []error{errPanic, errPanic, errPanic, errPanic, errPanic}, 5, "5 times in a row: panic: at the disco", map[string]float64{"retry": 4, "dead": 1}},
		{"five-times-undecodable-is-dead", []error{undecodable, undecodable, undecodable, undecodable, undecodable}, 5, "5 times in a row: broken", map[string]float64{"retry": 4, "dead": 1}},
		{"undecodable-in-other-words-comes-again", []error{undecodable, undecodable, bus.Undecodable(errors.New("other")), undecodable, undecodable, nil}, 6, "", map[string]float64{"retry": 5, "ack": 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := bustest.Server(t)
			registry := prometheus.NewRegistry()
			b := s.ConnectWith(t, bus.Options{Registerer: registry})
			subject := b.Subjects().Context(cluster)
			seq := publish(t, b, subject, "password=hunter2 and more")
			var deliveries atomic.Int64
			consume(t, b, bus.Watch, 1, func(_ context.Context, m bus.Message) error {
				n := deliveries.Add(1)
				if m.Deliveries != int(n) || m.Seq != seq || m.Epoch.IsZero() || m.At.Before(m.Epoch) {
					t.Errorf("delivery %d is %+v", n, m)
				}
				return outcome(tt.results[n-1])
			})
			bustest.Settled(t, b, unread(bus.Watch)...)
			if n := int(deliveries.Load()); n != tt.deliveries {
				t.Errorf("%d deliveries, want %d", n, tt.deliveries)
			}
			for verdict, want := range tt.verdicts {
				if got := counted(t, registry, "bellbuoy_bus_consumed_total", bus.Watch, verdict); got != want {
					t.Errorf("%v times %s, want %v", got, verdict, want)
				}
			}
			checkDead(t, b, subject, seq, tt.reason)
		})
	}
}

var errPanic = errors.New("the handler panics")

func outcome(err error) error {
	if errors.Is(err, errPanic) {
		panic("at the disco")
	}
	return err
}

func checkDead(t *testing.T, b *bus.Bus, subject string, seq uint64, reason string) {
	t.Helper()
	if reason == "" {
		s, err := stream(t, b).Stream(t.Context(), bus.StreamDead)
		if err != nil {
			t.Fatal(err)
		}
		if n := s.CachedInfo().State.Msgs; n != 0 {
			t.Errorf("%d dead letters, want none", n)
		}
		return
	}
	d := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("analyzer"))
	if strings.Contains(string(d.Body), "hunter2") || !strings.Contains(string(d.Body), "and more") {
		t.Errorf("body is %q, want it without its secret", d.Body)
	}
	got := bus.DeadLetter{Who: d.Who, Consumer: d.Consumer, Reason: d.Reason, Subject: d.Subject, Seq: d.Seq, Size: d.Size}
	want := bus.DeadLetter{Who: "analyzer", Consumer: bus.Watch, Reason: reason, Subject: subject, Seq: seq, Size: 25}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letter (-want +got):\n%s", diff)
	}
}

// With the growing delay of other errors the last delivery would be more than half an hour away; without any delay the
// message that is to come in an hour would be among the first to come again.
func TestLaterKeepsTheDelay(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	hour, soon := b.Subjects().Replies("hour"), b.Subjects().Replies("soon")
	publish(t, b, hour, "in an hour")
	publish(t, b, soon, "soon")
	var hours atomic.Int64
	last := make(chan struct{})
	consume(t, b, bus.Hear, 1, func(_ context.Context, m bus.Message) error {
		switch {
		case m.Subject == hour:
			hours.Add(1)
			return bus.Later(time.Hour, errBroken)
		case m.Deliveries < 15:
			return bus.Later(time.Millisecond, errBroken)
		}
		close(last)
		return nil
	})
	receive(t, last)
	if n := hours.Load(); n != 1 {
		t.Errorf("the message that is to come in an hour came %d times at once", n)
	}
}

func TestBackoffGrowsToFiveMinutes(t *testing.T) {
	tests := []struct {
		deliveries int
		spread     float64
		want       time.Duration
	}{
		{0, 0, 125 * time.Millisecond},
		{1, 0, 125 * time.Millisecond},
		{1, 1, 250 * time.Millisecond},
		{2, 0.5, 375 * time.Millisecond},
		{11, 1, 256 * time.Second},
		{12, 1, 5 * time.Minute},
		{1_000_000, 0, 150 * time.Second},
	}
	for _, tt := range tests {
		if got := bus.Backoff(tt.deliveries, tt.spread); got != tt.want {
			t.Errorf("delivery %d with %v: %s, want %s", tt.deliveries, tt.spread, got, tt.want)
		}
	}
}

func TestABusyWorkerHoldsNothingBack(t *testing.T) {
	t.Parallel()
	s := bustest.Server(t)
	busy, idle := s.Connect(t), s.Connect(t)
	bePatient(t, busy, bus.StreamContext, bus.Watch, time.Hour) // nothing may come again while it is held
	holding, release := make(chan string, 1), make(chan struct{})
	consume(t, busy, bus.Watch, 1, func(_ context.Context, m bus.Message) error {
		holding <- m.Subject
		<-release
		return nil
	})
	publish(t, busy, busy.Subjects().Context("c0"), "{}")
	receive(t, holding)
	for i := range 5 {
		publish(t, busy, busy.Subjects().Context(fmt.Sprintf("c%d", i+1)), "{}")
	}
	got := make(chan string, 5)
	consume(t, idle, bus.Watch, 1, func(_ context.Context, m bus.Message) error {
		got <- m.Subject
		return nil
	})
	for i := range 5 {
		if want := idle.Subjects().Context(fmt.Sprintf("c%d", i+1)); receive(t, got) != want {
			t.Errorf("message %d is not %s", i, want)
		}
	}
	close(release)
}

func TestWorkersWorkSideBySide(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	var together atomic.Int64
	all := make(chan struct{})
	consume(t, b, bus.Watch, 4, func(context.Context, bus.Message) error {
		if together.Add(1) == 4 {
			close(all)
		}
		<-all
		return nil
	})
	for i := range 4 {
		publish(t, b, b.Subjects().Context(fmt.Sprintf("c%d", i)), "{}")
	}
	receive(t, all)
	bustest.Settled(t, b, unread(bus.Watch)...)
}

// The server's patience is an hour here, so whatever comes again in this test was given back.
func TestAStoppedConsumerGivesBackWhatItDidNotHandle(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	bePatient(t, b, bus.StreamContext, bus.Watch, time.Hour)
	for i := range 3 {
		publish(t, b, b.Subjects().Context(fmt.Sprintf("c%d", i)), "{}")
	}
	started := make(chan struct{}, 3)
	stop := consume(t, b, bus.Watch, 2, func(ctx context.Context, _ bus.Message) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	receive(t, started)
	receive(t, started)
	stop()
	got := make(chan string, 3)
	consume(t, b, bus.Watch, 1, func(_ context.Context, m bus.Message) error {
		got <- m.Subject
		return nil
	})
	all := []string{receive(t, got), receive(t, got), receive(t, got)}
	slices.Sort(all)
	want := []string{b.Subjects().Context("c0"), b.Subjects().Context("c1"), b.Subjects().Context("c2")}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("came again (-want +got):\n%s", diff)
	}
}

// bePatient sets how long the server waits for the verdict on a message of a consumer.
func bePatient(t *testing.T, b *bus.Bus, stored, consumer string, d time.Duration) {
	t.Helper()
	c, err := stream(t, b).Consumer(t.Context(), stored, consumer)
	if err != nil {
		t.Fatal(err)
	}
	config := c.CachedInfo().Config
	config.AckWait = d
	if _, err := stream(t, b).UpdateConsumer(t.Context(), stored, config); err != nil {
		t.Fatal(err)
	}
}

// The handler goes on until the server has been told twice that it is at work. What comes again was not kept alive:
// the server's patience would have to end between two signs, of which three fit into it.
func TestALongHandlerIsKeptAlive(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	bePatient(t, b, bus.StreamAlerts, bus.Diagnose, 6*time.Second)
	signs := make(chan struct{}, 100)
	heard, err := b.Conn().Subscribe("$JS.ACK."+bus.StreamAlerts+"."+bus.Diagnose+".>", func(m *nats.Msg) {
		if strings.HasPrefix(string(m.Data), "+WPI") {
			signs <- struct{}{}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = heard.Unsubscribe() })
	var deliveries atomic.Int64
	consume(t, b, bus.Diagnose, 2, func(context.Context, bus.Message) error {
		deliveries.Add(1)
		<-signs
		<-signs
		return nil
	})
	mustAppend(t, b, write("checkout", 1, "warning", 0))
	bustest.Settled(t, b, unread(bus.Diagnose)...)
	if n := deliveries.Load(); n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
}

func TestConsumeGoesOnAfterTheServerWasAway(t *testing.T) {
	t.Parallel()
	s := bustest.Server(t)
	registry := prometheus.NewRegistry()
	b := s.ConnectWith(t, bus.Options{Registerer: registry})
	got := make(chan bus.Message, 1)
	consume(t, b, bus.Hear, 2, func(_ context.Context, m bus.Message) error {
		got <- m
		return nil
	})
	publish(t, b, b.Subjects().Replies("a"), "before")
	before := receive(t, got)
	for range 2 {
		s.Restart(t)
		publish(t, s.Connect(t), b.Subjects().Replies("a"), "after")
		after := receive(t, got)
		for string(after.Data) == "before" { // its ack may have been lost with the server
			after = receive(t, got)
		}
		if string(after.Data) != "after" || !after.Epoch.Equal(before.Epoch) {
			t.Errorf("got %q of %s, want the message stored after the restart, in the same epoch %s", after.Data, after.Epoch, before.Epoch)
		}
	}
	if n := counted(t, registry, "bellbuoy_bus_reconnects_total"); n < 1 {
		t.Errorf("%v reconnects counted", n)
	}
}

func TestConsumeGoesOnWhenItsStreamWasMadeAnew(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	got := make(chan bus.Message, 1)
	consume(t, b, bus.Hear, 1, func(_ context.Context, m bus.Message) error {
		got <- m
		return nil
	})
	publish(t, b, b.Subjects().Replies("a"), "before")
	before := receive(t, got)
	if err := stream(t, b).DeleteStream(t.Context(), bus.StreamReplies); err != nil {
		t.Fatal(err)
	}
	if err := b.Setup(t.Context(), bus.Setup{}); err != nil {
		t.Fatal(err)
	}
	publish(t, b, b.Subjects().Replies("a"), "after")
	if after := receive(t, got); !after.Epoch.After(before.Epoch) || after.Seq != before.Seq {
		t.Errorf("after: %d of %s; before: %d of %s; want the same sequence in a later epoch", after.Seq, after.Epoch, before.Seq, before.Epoch)
	}
}

func TestConsumeRefusesAConsumerThatIsNotInTheTopology(t *testing.T) {
	b := bustest.New(t)
	if err := b.Consume(t.Context(), "wotch", 1, nil); err == nil {
		t.Error("no error")
	}
}
