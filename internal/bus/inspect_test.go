package bus_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func inspect(t *testing.T, b *bus.Bus, s bus.Setup) bus.Inspection {
	t.Helper()
	i, err := b.Inspect(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// drifting is what differs anywhere.
func drifting(i bus.Inspection) []string {
	var all []string
	for _, s := range i.Streams {
		for _, d := range s.Drift {
			all = append(all, s.Name+": "+d.String())
		}
	}
	for _, c := range i.Consumers {
		for _, d := range c.Drift {
			all = append(all, c.Name+": "+d.String())
		}
	}
	return all
}

func TestInspectFindsNoDriftAfterSetup(t *testing.T) {
	b := bustest.New(t)
	s := bus.Setup{Channels: []string{"webhook"}}
	i := inspect(t, b, s)
	if diff := cmp.Diff([]string(nil), drifting(i)); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	if len(i.Streams) != len(bus.Streams()) || len(i.Consumers) != len(bus.Consumers(s)) || i.Outdated() || i.MaxPayload < bus.MinPayload || i.Skew != 0 {
		t.Errorf("inspection %+v", i)
	}
}

func TestInspectNamesDriftAndSetupPutsItRight(t *testing.T) {
	b := bustest.New(t)
	bustest.Drift(t, b, bus.StreamContext, time.Hour)
	bustest.DriftConsumer(t, b, bus.StreamContext, bus.Watch, time.Minute)
	s := bus.Setup{Channels: []string{"webhook"}}
	want := []string{"CONTEXT: max age is 1h0m0s, not 24h0m0s", "watch: ack wait is 1m0s, not 5s"}
	if diff := cmp.Diff(want, drifting(inspect(t, b, s))); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	if err := b.Setup(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string(nil), drifting(inspect(t, b, s))); diff != "" {
		t.Errorf("drift after setup (-want +got):\n%s", diff)
	}
}

func TestInspectSeesConsumersOfOtherChannels(t *testing.T) {
	b := bustest.New(t)
	if err := b.Setup(t.Context(), bus.Setup{Channels: []string{"slack"}}); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, b, write("a", 1, "warning", 0))
	last := inspect(t, b, bus.Setup{Channels: []string{"webhook"}}).Consumers
	got := last[len(last)-1]
	want := bus.ConsumerState{Name: "notify-slack", Stream: bus.StreamAlerts, Pending: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("other channel's consumer (-want +got):\n%s", diff)
	}
}

func TestInspectSaysWhatIsForbiddenWithoutWaiting(t *testing.T) {
	url := bustest.Raw(t, `jetstream {}
		authorization { users [ { user: u, password: p, permissions: { publish: { deny: ["$JS.API.STREAM.INFO.DEAD"] } } } ] }`)
	b, err := bus.Connect(t.Context(), bus.Options{URL: strings.Replace(url, "nats://", "nats://u:p@", 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, s := range inspect(t, b, bus.Setup{}).Streams {
		if s.Name != bus.StreamDead {
			if !s.Missing {
				t.Errorf("%s: %+v", s.Name, s)
			}
			continue
		}
		trouble, ok := errors.AsType[*bus.Trouble](s.Err)
		if !ok || !errors.Is(s.Err, bus.ErrDenied) || !strings.Contains(trouble.Fix, "$JS.API.STREAM.INFO.DEAD") {
			t.Errorf("error %v", s.Err)
		}
	}
}

func TestInspectKnowsJetStreamOff(t *testing.T) {
	b, err := bus.Connect(t.Context(), bus.Options{URL: bustest.Raw(t, "")})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Inspect(t.Context(), bus.Setup{}); !errors.Is(err, bus.ErrNoJetStream) {
		t.Errorf("error %v", err)
	}
}

func TestConnectTellsARefusedUserFromAnAbsentServer(t *testing.T) {
	url := bustest.Raw(t, `authorization { user: u, password: p }`)
	tests := []struct{ name, url, fix string }{
		{"wrong-password", strings.Replace(url, "nats://", "nats://u:hunter2@", 1), "BELLBUOY_NATS_CREDS"},
		{"nobody-there", "nats://hunter2@127.0.0.1:1", "bellbuoy up"},
		{"no-tls-there", strings.Replace(url, "nats://", "tls://hunter2@", 1), "nats:// for one without"},
		{"unreadable-url", "nats://u:hunter2@[", "BELLBUOY_NATS_URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bus.Connect(t.Context(), bus.Options{URL: tt.url})
			trouble, ok := errors.AsType[*bus.Trouble](err)
			if !ok || !strings.Contains(trouble.Fix, tt.fix) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want a fix with %q and no password", err, tt.fix)
			}
		})
	}
}

func TestDeadLettersAreCountedByTime(t *testing.T) {
	b := bustest.New(t)
	long := time.Now().Add(-time.Hour)
	if n, newest, err := b.DeadSince(t.Context(), long); n != 0 || !newest.At.IsZero() || err != nil {
		t.Errorf("of none: %d, %v, %v", n, newest, err)
	}
	for _, reason := range []string{"one", "two", "three"} {
		if err := b.Dead(t.Context(), "analyzer", bus.DeadLetter{Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	n, newest, err := b.DeadSince(t.Context(), long)
	if n != 3 || newest.Reason != "three" || err != nil {
		t.Errorf("%d, the newest %q, %v", n, newest.Reason, err)
	}
	if n, _, err := b.DeadSince(t.Context(), time.Now().Add(time.Hour)); n != 0 || err != nil {
		t.Errorf("since later than all: %d, %v", n, err)
	}
}

func TestInstancesAreAllThatServe(t *testing.T) {
	b := bustest.New(t)
	if _, err := b.Instances(t.Context(), "service"); !errors.Is(err, bus.ErrNobody) {
		t.Errorf("of none: %v", err)
	}
}
