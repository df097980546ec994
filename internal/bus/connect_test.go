package bus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// eventually waits until is holds.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	late := time.NewTimer(bustest.Within)
	defer late.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("not within %s", bustest.Within)
		}
	}
}

func TestWhatFailedWhileTheServerWasAwayIsNotStoredLater(t *testing.T) {
	t.Parallel()
	s := bustest.Server(t)
	b := s.Connect(t)
	subject := b.Subjects().Replies("x")
	s.Stop(t)
	eventually(t, func() bool { return b.Ready() != nil })
	if _, err := b.Publish(t.Context(), subject, []byte("lost"), ""); err == nil {
		t.Error("a publish without a server is no error")
	}
	if _, err := b.Append(t.Context(), write("a", 1, "warning", 0)); err == nil {
		t.Error("an append without a server is no error")
	}
	s.Start(t)
	eventually(t, func() bool { return b.Ready() == nil })
	publish(t, b, subject, "kept")
	all, err := b.RepliesAfter(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || string(all[0].Data) != "kept" {
		t.Errorf("stored: %v", all)
	}
	if got := bustest.Conversations(t, b); len(got) != 0 {
		t.Errorf("stored: %v", got)
	}
}

func TestConnectSaysWhereAndWhatToDoAndNoPassword(t *testing.T) {
	_, err := bus.Connect(t.Context(), bus.Options{URL: "nats://anna:hunter2@127.0.0.1:1"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"127.0.0.1:1", "BELLBUOY_NATS_URL", "bellbuoy up"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %q has the password", err)
	}
	if _, err := bus.Connect(t.Context(), bus.Options{}); err == nil || !strings.Contains(err.Error(), "BELLBUOY_NATS_URL") {
		t.Errorf("without a URL: %v", err)
	}
	if _, err := bus.Connect(t.Context(), bus.Options{URL: "nats://127.0.0.1:1", NKeySeed: "SUseed"}); err == nil || strings.Contains(err.Error(), "SUseed") {
		t.Errorf("with a wrong seed: %v", err)
	}
}

func TestConnectReachesAServerByItsURL(t *testing.T) {
	s := bustest.Server(t)
	b, err := bus.Connect(t.Context(), bus.Options{URL: s.URL(), Root: "other"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Check(t.Context(), bus.Watch); err != nil {
		t.Error(err)
	}
	if got := b.Subjects().Alerts(); got != "other.alerts.>" {
		t.Errorf("subject %s", got)
	}
}

func TestTwoConnectionsShareOneRegistry(t *testing.T) {
	s := bustest.Server(t)
	registry := prometheus.NewRegistry()
	for range 2 {
		b := s.ConnectWith(t, bus.Options{Registerer: registry})
		publish(t, b, b.Subjects().Context(cluster), "{}")
	}
	if n := counted(t, registry, "bellbuoy_bus_published_total", "context"); n != 2 {
		t.Errorf("%v messages counted, want 2", n)
	}
}
