package analyzer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/rules"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// newWindowStack is a quietStack with the windows of a file, which all analyzers have.
func newWindowStack(t *testing.T, text string) *quietStack {
	t.Helper()
	s := bustest.Server(t)
	q := &quietStack{hook: e2e.NewReceiver(t)}
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cfg := analyzer.Config{Calls: analyzer.Calls{Concurrency: 4}, Rules: rules.File{Path: path}}
		a, err := analyzer.New(cfg, s.Connect(t), e2e.Quiet(), prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		e2e.Start(t, a.Part())
		q.any = a
	}
	e2e.StartNotifier(t, s, q.hook.URL)
	q.bus = s.Connect(t)
	q.Client = client.New(q.bus)
	q.publish(t, 1)
	return q
}

// daily is a window of every day from so long after now to so long after, to the minute, in UTC.
func daily(name, match string, now time.Time, from, to time.Duration) string {
	clock := func(d time.Duration) string { return now.Add(d).UTC().Format("15:04") }
	return fmt.Sprintf("  - {name: %s, match: {%s}, days: mon-sun, from: %q, to: %q, time_zone: UTC, reason: backups}\n", name, match, clock(from), clock(to))
}

func TestWhatOpensInAWindowIsToldAtItsEndOnce(t *testing.T) {
	now := time.Now()
	q := newWindowStack(t, "windows:\n"+
		daily("nights", `name: "check*", label.team: shop`, now, -time.Hour, time.Hour)+
		daily("mornings", "node: n1", now, time.Hour, 2*time.Hour)+
		daily("other", "cluster: test", now, -time.Hour, 5*time.Hour)+
		daily("later", "cluster: prod", now, 3*time.Hour, 4*time.Hour))
	q.fail(t)
	c := q.await(t, "the silence", silenced)
	end := now.Add(2 * time.Hour).Truncate(time.Minute)
	if c.SilencedBy != "window:nights" || !c.SilencedUntil.Equal(end) {
		t.Errorf("silenced by %s until %v, want %v", c.SilencedBy, c.SilencedUntil, end)
	}
	bustest.Settled(t, q.bus)
	if posts := q.hook.All(); len(posts) > 0 {
		t.Fatalf("told in the window:%s", e2e.Shown(posts))
	}
	q.publish(t, 0)
	for _, after := range []time.Duration{-time.Second, 0, time.Second} {
		if err := q.any.WakeAt(t.Context(), "prod", c.ID, end.Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	q.publish(t, 0) // by this machine's clock the window still holds
	posts := q.hook.Until(t, "the end of the window", func(posts []e2e.Post) bool { return len(posts) == 1 })
	bustest.Settled(t, q.bus)
	want := []string{schema.EventOpened, schema.EventSilenced, schema.EventUnsilenced}
	if c, err := q.Get(t.Context(), "checkout"); err != nil || !cmp.Equal(want, e2e.Kinds(c)) || len(q.hook.All()) != 1 || posts[0].Type != "conversation.opened" {
		t.Errorf("%v, %v:%s", e2e.Kinds(c), err, e2e.Shown(q.hook.All()))
	}
}

func TestWindowsAreListedAndNamedAndNotEnded(t *testing.T) {
	now := time.Now()
	q := newWindowStack(t, "windows:\n"+daily("nights", "cluster: prod", now, -time.Hour, time.Hour)+daily("later", "condition: disk", now, 2*time.Hour, 3*time.Hour))
	before, err := q.Why(t.Context(), "checkout")
	if r := reason(before, client.VerdictSilenced); err != nil || !strings.Contains(r.Text, "window:nights: backups") || r.Until.IsZero() {
		t.Errorf("while it is well, why says %+v, %v", r, err)
	}
	q.fail(t)
	q.await(t, "the silence", silenced)
	list, err := q.Silences(t.Context())
	if err != nil || len(list.Silences) != 2 {
		t.Fatalf("silences %+v, %v", list, err)
	}
	nights, later := list.Silences[0], list.Silences[1]
	if nights.ID != "window:nights" || !nights.Active || nights.Covers != 1 || !strings.HasPrefix(nights.Weekly, "mon-sun ") || nights.Reason != "backups" {
		t.Errorf("nights: %+v", nights)
	}
	if later.Active || later.Covers != 0 || !later.From.Equal(now.Add(2*time.Hour).Truncate(time.Minute)) {
		t.Errorf("later: %+v", later)
	}
	why, err := q.Why(t.Context(), "checkout")
	if r := reason(why, client.VerdictSilenced); err != nil || !strings.Contains(r.Text, "window:nights") || !r.Until.Equal(nights.Until) || len(why.Objects[0].Silences) != 1 {
		t.Errorf("why: %+v, %v", why, err)
	}
	for ref, says := range map[string]string{"window:nights": "BELLBUOY_RULES_FILE", "window:none": "there is no window:none"} {
		_, err = q.Unsilence(t.Context(), client.UnsilenceRequest{Ref: ref})
		if e := new(bus.APIError); !errors.As(err, &e) || !strings.Contains(e.Message, says) {
			t.Errorf("unsilence %s: %v", ref, err)
		}
	}
	if _, err = q.Unsilence(t.Context(), client.UnsilenceRequest{Ref: "checkout", Author: "ben"}); err != nil {
		t.Fatal(err)
	}
	q.hook.Until(t, "the alert", func(posts []e2e.Post) bool { return len(posts) == 1 })
	q.publish(t, 0)
	why, err = q.Why(t.Context(), "checkout")
	if r := reason(why, client.VerdictSilenced); err != nil || r.Verdict != "" {
		t.Errorf("taken out of the window, why says %+v, %v", r, err)
	}
	if c, err := q.Get(t.Context(), "checkout"); err != nil || silenced(c) {
		t.Errorf("it is %s, %v", c.State, err)
	}
}

func reason(r client.WhyResponse, verdict string) client.Reason {
	for _, o := range r.Objects {
		for _, x := range o.Reasons {
			if x.Verdict == verdict {
				return x
			}
		}
	}
	return client.Reason{}
}

// The longer of a silence by scope and a window counts, and the window takes over when somebody ends the silence.
func TestAWindowGoesOnWhereASilenceIsEnded(t *testing.T) {
	q := newWindowStack(t, "windows:\n"+daily("nights", "cluster: prod", time.Now(), -time.Hour, time.Hour))
	made, err := q.Silence(t.Context(), client.SilenceRequest{Ref: "cluster=prod", For: "5h", Reason: "moving the racks"})
	if err != nil {
		t.Fatal(err)
	}
	q.fail(t)
	if c := q.await(t, "the silence", silenced); c.SilencedBy != made.Silence.ID {
		t.Errorf("silenced by %s, want %s", c.SilencedBy, made.Silence.ID)
	}
	if _, err := q.Unsilence(t.Context(), client.UnsilenceRequest{Ref: made.Silence.ID}); err != nil {
		t.Fatal(err)
	}
	q.await(t, "the window", func(c schema.Conversation) bool { return silenced(c) && c.SilencedBy == "window:nights" })
	q.publish(t, 0)
	if posts := q.hook.All(); len(posts) > 0 {
		t.Errorf("told in the window:%s", e2e.Shown(posts))
	}
}

// What is silenced through any analyzer, and answered, holds for every snapshot that comes after the answer.
func TestNobodyIsToldOfWhatWasSilencedAMomentAgo(t *testing.T) {
	s := bustest.Server(t)
	hook := e2e.NewReceiver(t)
	for range 3 {
		e2e.StartAnalyzer(t, s, llm.Config{})
	}
	e2e.StartNotifier(t, s, hook.URL)
	b := s.Connect(t)
	asks := client.New(b)
	const rounds = 40
	for i := range rounds {
		cluster := fmt.Sprintf("c%d", i)
		e2e.Publish(t, b, e2e.Snapshot(cluster, 0, 0))
		bustest.Settled(t, b)
		if _, err := asks.Silence(t.Context(), client.SilenceRequest{Ref: "cluster=" + cluster, For: "1h", Reason: "x"}); err != nil {
			t.Fatal(err)
		}
		e2e.Publish(t, b, e2e.Snapshot(cluster, 1, 0))
		e2e.Await(t, b, cluster, e2e.CheckoutID(cluster), "the opening", silenced)
	}
	bustest.Settled(t, b)
	if posts := hook.All(); len(posts) > 0 {
		t.Errorf("%d of %d told:%s", len(posts), rounds, e2e.Shown(posts))
	}
}

// A silence that an analyzer makes while it decides a snapshot holds for that snapshot, although the list was read before.
func TestASilenceThatIsMadeWhileASnapshotIsDecidedCounts(t *testing.T) {
	s := bustest.Server(t)
	hook, a := e2e.NewReceiver(t), e2e.NewAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	asks := client.New(b)
	var armed atomic.Bool
	a.WhileReadingSilences(func() {
		if !armed.CompareAndSwap(true, false) {
			return
		}
		if _, err := asks.Silence(t.Context(), client.SilenceRequest{Ref: "cluster=prod", For: "1h", Reason: "x"}); err != nil {
			t.Error(err)
		}
	})
	e2e.Start(t, a.Part())
	e2e.StartNotifier(t, s, hook.URL)
	e2e.Publish(t, b, e2e.Snapshot("prod", 0, 0))
	bustest.Settled(t, b)
	armed.Store(true)
	e2e.Publish(t, b, e2e.Snapshot("prod", 1, 0))
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the opening", silenced)
	bustest.Settled(t, b)
	if posts := hook.All(); len(posts) > 0 || armed.Load() {
		t.Errorf("armed %v:%s", armed.Load(), e2e.Shown(posts))
	}
}
