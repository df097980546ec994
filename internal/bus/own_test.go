package bus_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestDeathsAreToldByWhoGaveUpAndNotOfBellbuoyItself(t *testing.T) {
	b := bustest.New(t)
	bury := func(who, subject, reason string) {
		t.Helper()
		if err := b.Dead(t.Context(), who, bus.DeadLetter{Reason: reason, Subject: subject, Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	id := schema.ConversationID(schema.OwnCluster, schema.Object{Kind: schema.KindDead, Name: "webhook"})
	bury("analyzer", b.Subjects().Context("prod"), "no snapshot")
	bury("webhook", b.Subjects().Alert("prod", "warning", id), "refused")
	bury("webhook", b.Subjects().Alert("prod", "warning", id), "refused again")
	bury("webhook", b.Subjects().Alert(schema.OwnCluster, "warning", id), "of itself")
	bury("notifier", b.Subjects().Finding(schema.OwnCluster), "of itself")
	for i := range 60 {
		bury("flood", fmt.Sprintf("x.%d", i), "one of many")
	}
	got, err := b.Deaths(t.Context(), time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := []bus.Died{
		{Who: "analyzer", Count: 1, Reason: "no snapshot"},
		{Who: "flood", Count: 50, More: true, Reason: "one of many"},
		{Who: "webhook", Count: 2, Reason: "refused again"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(bus.Died{}, "First", "Last")); diff != "" {
		t.Errorf("deaths (-want +got):\n%s", diff)
	}
	if got, err := b.Deaths(t.Context(), time.Now().Add(time.Minute)); err != nil || got != nil {
		t.Errorf("since a minute from now: %v, %v", got, err)
	}
}

func TestFillsAreOfTheStreamsThatHaveALimit(t *testing.T) {
	b := bustest.New(t)
	before, err := b.Fills(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bustest.Shrink(t, b, bus.StreamReplies, 10_000)
	if _, err := b.Publish(t.Context(), b.Subjects().Replies("0123456789abcdef"), make([]byte, 5000), ""); err != nil {
		t.Fatal(err)
	}
	after, err := b.Fills(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range before {
		names = append(names, f.Stream)
	}
	if diff := cmp.Diff([]string{bus.StreamAlerts, bus.StreamReplies, bus.StreamFindings, bus.StreamDead}, names); diff != "" {
		t.Errorf("streams (-want +got):\n%s", diff)
	}
	if f := after[1]; f.Limit != 10_000 || f.Bytes < 5000 || before[1].Bytes != 0 {
		t.Errorf("replies: %+v, before %+v", f, before[1])
	}
}

func TestARecordWithATimeGoesByItself(t *testing.T) {
	b := bustest.New(t)
	k := b.Kept(bus.PartAnalyzer)
	rev, err := k.PutFor(t.Context(), "findings.a", []byte("1"), 0, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if rev, err = k.PutFor(t.Context(), "findings.a", []byte("2"), rev, time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := k.PutFor(t.Context(), "findings.a", []byte("3"), 0, time.Second); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("over what is there: %v", err)
	}
	data, got, err := k.Get(t.Context(), "findings.a")
	if err != nil || string(data) != "2" || got != rev {
		t.Errorf("%q at %d, %v", data, got, err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for data != nil {
		select {
		case <-t.Context().Done():
			t.Fatal("it stays")
		case <-tick.C:
		}
		if data, _, err = k.Get(t.Context(), "findings.a"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.PutFor(t.Context(), "findings.a", []byte("4"), 0, time.Second); err != nil {
		t.Error(err)
	}
}
