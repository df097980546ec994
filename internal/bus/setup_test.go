package bus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func streamConfig(t *testing.T, b *bus.Bus, name string) jetstream.StreamConfig {
	t.Helper()
	s, err := stream(t, b).Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().Config
}

func stream(t *testing.T, b *bus.Bus) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func TestSetupTwiceChangesNothing(t *testing.T) {
	b := bustest.New(t)
	before := map[string]jetstream.StreamConfig{}
	for _, row := range bus.Streams() {
		before[row.Name] = streamConfig(t, b, row.Name)
	}
	publish(t, b, b.Subjects().Context(cluster), "{}")
	if err := b.Setup(t.Context(), bus.Setup{Channels: []string{"webhook"}}); err != nil {
		t.Fatal(err)
	}
	for _, row := range bus.Streams() {
		if diff := cmp.Diff(before[row.Name], streamConfig(t, b, row.Name)); diff != "" {
			t.Errorf("stream %s (-before +after):\n%s", row.Name, diff)
		}
	}
	if _, err := b.LastContext(t.Context(), cluster); err != nil {
		t.Errorf("what was stored before: %v", err)
	}
}

func TestSetupGivesTheSettingsOfTheTable(t *testing.T) {
	b := bustest.New(t)
	c := streamConfig(t, b, bus.StreamAlerts)
	if c.MaxAge != 90*24*time.Hour || c.MaxMsgsPerSubject != 256 || c.MaxBytes != 4<<30 || !c.AllowAtomicPublish || !c.AllowDirect {
		t.Errorf("ALERTS is %+v", c)
	}
	if c.DenyDelete || c.DenyPurge {
		t.Error("ALERTS has flags that can never be undone")
	}
	if c := streamConfig(t, b, bus.StreamContext); c.MaxMsgsPerSubject != 1 || c.Compression != jetstream.S2Compression {
		t.Errorf("CONTEXT is %+v", c)
	}
	if c := streamConfig(t, b, bus.StreamReplies); c.Duplicates != time.Hour {
		t.Errorf("REPLIES remembers message ids for %s, want 1h", c.Duplicates)
	}
}

func TestSetupUpdatesWhatDiffers(t *testing.T) {
	b := bustest.New(t)
	if err := b.Setup(t.Context(), bus.Setup{LLMConcurrency: 12, Channels: []string{"webhook", "slack"}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{bus.Diagnose: 12, bus.Answer: 3, bus.Notify("slack"): 10_000} {
		c, err := stream(t, b).Consumer(t.Context(), bus.StreamAlerts, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.CachedInfo().Config.MaxAckPending; got != want {
			t.Errorf("%s: MaxAckPending %d, want %d", name, got, want)
		}
	}
}

func TestSetupRefusesTwoChannelsOfOneToken(t *testing.T) {
	b := bustest.New(t)
	err := b.Setup(t.Context(), bus.Setup{Channels: []string{"on call", "on.call"}})
	if err == nil || !strings.Contains(err.Error(), `"on call" and "on.call"`) {
		t.Errorf("error is %v, want one that names both", err)
	}
}

func TestSetupLeavesAStrangersStreamAlone(t *testing.T) {
	b := bustest.New(t)
	js := stream(t, b)
	if err := js.DeleteStream(t.Context(), bus.StreamDead); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: bus.StreamDead, Subjects: []string{"orders.>"}}); err != nil {
		t.Fatal(err)
	}
	err := b.Setup(t.Context(), bus.Setup{})
	if err == nil || !strings.Contains(err.Error(), "orders.>") {
		t.Errorf("error is %v, want one that says whose it is", err)
	}
	if diff := cmp.Diff([]string{"orders.>"}, streamConfig(t, b, bus.StreamDead).Subjects); diff != "" {
		t.Errorf("the stranger's subjects (-want +got):\n%s", diff)
	}
}

func TestCheckNamesEverythingThatIsMissing(t *testing.T) {
	b := bustest.New(t)
	if err := b.Check(t.Context(), bus.Watch, bus.Notify("webhook")); err != nil {
		t.Fatalf("after setup: %v", err)
	}
	for _, name := range []string{bus.StreamDead, "KEPT_ANALYZER"} {
		if err := stream(t, b).DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	err := b.Check(t.Context(), bus.Watch, bus.Notify("slack"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"stream DEAD", "stream KEPT_ANALYZER", "consumer notify-slack", "bellbuoy setup"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %q", err, want)
		}
	}
}
