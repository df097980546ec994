package notifier_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// A channel whose posts another notifier gets through is no longer failing, though nothing is left to try here.
func TestAChannelsTroubleIsSaidUntilAPostGoesThroughWhoeverMakesIt(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	s := bustest.Server(t)
	b, r := s.Connect(t), newReceiver(t, func(_ int, w http.ResponseWriter) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	here, there := open(t, b, r, notifier.NotifyOn, nil), open(t, s.Connect(t), r, notifier.NotifyOn, nil)
	trouble := func() {
		t.Helper()
		if err := here.Trouble(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var all []schema.Conversation
	for i := range 5 {
		trouble() // which is none yet
		c := channeltest.Opened(fmt.Sprintf("service-%d", i))
		store(t, b, c)
		if _, err := here.Step(t.Context(), nudge(t, c)); err == nil {
			t.Fatal("a post went through")
		}
		all = append(all, c)
	}
	trouble()
	trouble()
	down.Store(false)
	if err := there.Learn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if wait, err := there.Step(t.Context(), nudge(t, all[0])); wait < 20*time.Second || err == nil {
		t.Fatalf("the breaker that the other one opened: wait %s, %v", wait, err)
	}
	there.SetNow(func() time.Time { return time.Now().Add(time.Minute) })
	for _, c := range all {
		if wait, err := there.Step(t.Context(), nudge(t, c)); wait != 0 || err != nil {
			t.Fatalf("wait %s, %v", wait, err)
		}
	}
	if err := here.Learn(t.Context()); err != nil {
		t.Fatal(err)
	}
	trouble()
	trouble()
	var got []string
	for range 2 {
		f := bustest.Next[schema.Finding](t, b, b.Subjects().Finding(schema.OwnCluster))
		got = append(got, fmt.Sprintf("%s %s firing=%v", f.Object, f.Condition, f.Firing))
		if !strings.HasPrefix(f.Source, "notifier ") {
			t.Errorf("source %q", f.Source)
		}
	}
	want := []string{"webhook channel_failing firing=true", "webhook channel_failing firing=false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if seq, err := b.Publish(t.Context(), b.Subjects().Finding("other"), []byte("{}"), ""); err != nil || seq != 3 {
		t.Errorf("the next message is number %d, %v: more was said", seq, err)
	}
}
