package notifier_test

import (
	"errors"
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

// What the notifiers share outlives them: one that has just begun, and has tried nothing, says what is wrong.
func TestANewNotifierKnowsWhichChannelIsFailing(t *testing.T) {
	tests := []struct {
		name   string
		answer int
		steps  int
		want   string
	}{
		{"breaker-open", http.StatusBadGateway, 5, "502"},
		{"works", http.StatusOK, 5, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := bustest.Server(t)
			b, r := s.Connect(t), newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(tt.answer) })
			old := open(t, b, r, notifier.NotifyOn, nil)
			c := channeltest.Opened("checkout")
			store(t, b, c)
			for range tt.steps {
				if _, err := old.Step(t.Context(), nudge(t, c)); (err != nil) != (tt.want != "") {
					t.Fatal(err)
				}
			}
			fresh := open(t, s.Connect(t), r, notifier.NotifyOn, nil)
			if err := errors.Join(fresh.Learn(t.Context()), fresh.Trouble(t.Context())); err != nil {
				t.Fatal(err)
			}
			seq, err := b.Publish(t.Context(), b.Subjects().Finding("other"), []byte("{}"), "")
			if said := seq > 1; err != nil || said != (tt.want != "") {
				t.Fatalf("says that it fails: %v, %v", said, err)
			}
			if tt.want == "" {
				return
			}
			f := bustest.Next[schema.Finding](t, b, b.Subjects().Finding(schema.OwnCluster))
			if f.Condition != schema.ChannelFailing || !strings.Contains(strings.Join(f.Facts, "; "), tt.want) {
				t.Errorf("said %+v", f)
			}
		})
	}
}
