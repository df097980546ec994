package collector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

func TestCountsRiseAndFallOutOfTheirWindows(t *testing.T) {
	e := newEngine()
	w := collect(t, newLedger(), e.fake())
	steps := []struct {
		name  string
		after time.Duration
		when  func(at time.Time)
		want  counts
	}{
		{"nothing-has-happened", 0, func(time.Time) {}, counts{}},
		{"failures-and-restarts", time.Minute, func(at time.Time) {
			e.happens("f1", source.Failed, at)
			e.happens("r1", source.Restarted, at)
			e.happens("f2", source.Failed, at)
			e.happens("n1", source.Noted, at)
		}, counts{2, 1, 2, 1}},
		{"reported-again", 2 * time.Minute, func(at time.Time) { e.happens("f1", source.Failed, at) }, counts{2, 1, 2, 1}},
		{"another-half-an-hour-later", 31 * time.Minute, func(at time.Time) { e.happens("f3", source.Failed, at) }, counts{3, 1, 3, 1}},
		{"first-failures-are-an-hour-old", 62 * time.Minute, func(time.Time) {}, counts{1, 1, 3, 1}},
		{"too-old-for-a-window-when-reported", 63 * time.Minute, func(at time.Time) { e.happens("f4", source.Failed, at.Add(-2*time.Hour)) }, counts{1, 1, 4, 1}},
		{"clock-ahead", 64 * time.Minute, func(at time.Time) { e.happens("f5", source.Failed, at.Add(24*time.Hour)) }, counts{2, 1, 5, 1}},
		{"restart-is-a-day-old", 25 * time.Hour, func(time.Time) {}, counts{0, 0, 5, 1}},
	}
	for _, tt := range steps {
		now := start.Add(tt.after)
		tt.when(now)
		if diff := cmp.Diff(tt.want, countsOf(t, w.at(t, now))); diff != "" {
			t.Errorf("%s: counts (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestNewestFailureIsTheLast(t *testing.T) {
	e := newEngine()
	w := collect(t, newLedger(), e.fake())
	e.happens("newer", source.Failed, start.Add(-time.Minute))
	e.happens("older", source.Failed, start.Add(-time.Hour))
	got := w.at(t, start).Services[0].LastFailure
	want := &schema.Failure{Reason: schema.FailureExit, At: start.Add(-time.Minute)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("last failure (-want +got):\n%s", diff)
	}
}

func TestRecentEventsReachBackAQuarterOfAnHour(t *testing.T) {
	e := newEngine()
	w := collect(t, newLedger(), e.fake())
	e.happens("old", source.Noted, start.Add(-16*time.Minute))
	e.happens("b", source.Noted, start.Add(-time.Minute))
	e.happens("a", source.Noted, start.Add(-2*time.Minute))
	var got []string
	for _, event := range w.at(t, start).RecentEvents {
		got = append(got, event.Object+" "+event.Kind+" "+event.Text)
	}
	if diff := cmp.Diff([]string{"web die a", "web die b"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for i := range 300 {
		e.happens(fmt.Sprint("many", i), source.Noted, start)
	}
	events := w.at(t, start).RecentEvents
	if len(events) != schema.MaxEvents || events[schema.MaxEvents-1].Text != "many299" {
		t.Errorf("%d events, the newest %q", len(events), events[len(events)-1].Text)
	}
}

func TestKilledCollectorForgetsNothingAndRepeatsNothing(t *testing.T) {
	broken := errors.New("killed here")
	tests := []struct {
		name string
		kill func(w *world)
	}{
		{"before-the-record-is-stored", func(w *world) { w.ledger.fail = broken }},
		{"while-the-record-is-stored", func(w *world) { w.ledger.lose = true }},
		{"between-record-and-snapshot", func(w *world) { w.board.fail = broken }},
		{"after-the-snapshot", func(*world) {}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, l := newEngine(), newLedger()
			first := collect(t, l, e.fake())
			e.happens("f1", source.Failed, start)
			since := first.at(t, start).CountersSince
			e.happens("f2", source.Failed, start)
			e.happens("r2", source.Restarted, start)
			tt.kill(first)
			_ = first.Step(t.Context(), start)
			first.kill()

			l.fail, l.lose = nil, false
			e.happens("f3", source.Failed, start)
			second := collect(t, l, e.fake())
			got := second.at(t, start.Add(time.Minute))
			if diff := cmp.Diff(counts{3, 1, 3, 1}, countsOf(t, got)); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if len(got.RecentEvents) != 4 || !got.CountersSince.Equal(since) {
				t.Errorf("%d events, counted since %v, before since %v", len(got.RecentEvents), got.CountersSince, since)
			}
		})
	}
}

func TestRecordThatCouldNotBeStoredIsStoredNextTime(t *testing.T) {
	e, l := newEngine(), newLedger()
	w := collect(t, l, e.fake())
	w.at(t, start)
	for i, trouble := range []func(){func() { l.fail = errors.New("no server") }, func() { l.lose = true }} {
		trouble()
		e.happens(fmt.Sprint("f", i), source.Failed, start)
		if err := w.Step(t.Context(), start); err == nil {
			t.Error("a snapshot was published without its record")
		}
		l.fail = nil
	}
	if diff := cmp.Diff(counts{2, 0, 2, 0}, countsOf(t, w.at(t, start))); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if len(w.board.shown) != 2 {
		t.Errorf("%d snapshots published, want the first and the last", len(w.board.shown))
	}
}

func TestUnchangedRecordIsNotStoredAgain(t *testing.T) {
	w := collect(t, newLedger(), newEngine().fake())
	for range 3 {
		w.at(t, start)
	}
	if w.ledger.puts != 1 {
		t.Errorf("stored %d times", w.ledger.puts)
	}
}

func TestTwoCollectorsOfOneClusterCountTogether(t *testing.T) {
	e, l := newEngine(), newLedger()
	one, other := collect(t, l, e.fake()), collect(t, l, e.fake())
	for i := range 5 {
		e.happens(fmt.Sprint("f", i), source.Failed, start)
		for _, w := range []*world{one, other} {
			want := int64(i + 1)
			if diff := cmp.Diff(counts{want, 0, want, 0}, countsOf(t, w.at(t, start))); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		}
	}
}

func TestUnreadableRecordBeginsAnew(t *testing.T) {
	l := newLedger()
	l.records["windows.prod"], l.revs["windows.prod"] = []byte("{broken"), 7
	e := newEngine()
	e.happens("f1", source.Failed, start)
	got := collect(t, l, e.fake()).at(t, start)
	if diff := cmp.Diff(counts{1, 0, 1, 0}, countsOf(t, got)); diff != "" || !got.CountersSince.Equal(start) {
		t.Errorf("counted since %v (-want +got):\n%s", got.CountersSince, diff)
	}
}

func TestFailingSourceKeepsItsLastPartMarkedStale(t *testing.T) {
	e, steady := newEngine(), newEngine()
	steady.services = []schema.ServiceSummary{{Name: "other"}}
	other := steady.fake()
	other.Name = "steady"
	w := collect(t, newLedger(), e.fake(), other)
	w.at(t, start)

	e.set(func() { e.down = errors.New("engine gone: password=hunter2") })
	for range 2 {
		got := w.at(t, start.Add(time.Second))
		if len(got.Services) != 2 || len(got.Stale) != 1 || got.Stale[0].Source != "engine" || got.Stale[0].Since.IsZero() {
			t.Fatalf("services %+v, stale %+v", got.Services, got.Stale)
		}
		if strings.Contains(got.Stale[0].Error, "hunter2") || !strings.Contains(got.Stale[0].Error, "engine gone") {
			t.Errorf("stale says %q", got.Stale[0].Error)
		}
	}
	e.set(func() { e.down = nil })
	got := w.at(t, start.Add(2*time.Second))
	var kinds []string
	for _, event := range got.RecentEvents {
		kinds = append(kinds, event.Kind+" "+event.Object)
	}
	if diff := cmp.Diff([]string{"source_failed engine", "source_recovered engine"}, kinds); diff != "" || got.Stale != nil {
		t.Errorf("stale %v, events (-want +got):\n%s", got.Stale, diff)
	}
}

func TestSourceThatNeverAnsweredIsStaleAndOpenedAgain(t *testing.T) {
	e := newEngine()
	closed := errors.New("no engine here")
	f := e.fake()
	f.Open = func(ctx context.Context, state json.RawMessage) (source.Source, error) {
		if closed != nil {
			return nil, closed
		}
		return e.fake().Open(ctx, state)
	}
	w := collect(t, newLedger(), f)
	if got := w.at(t, start); len(got.Stale) != 1 || !strings.Contains(got.Stale[0].Error, "open source engine: no engine here") {
		t.Errorf("stale: %+v", got.Stale)
	}
	closed = nil
	if got := w.at(t, start); got.Stale != nil || len(got.Services) != 1 {
		t.Errorf("after opening: %+v", got)
	}
}

func TestSlowSourceDelaysOthersByItsBudgetOnlyAndIsTakenLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, quick := newEngine(), newEngine()
		slow.services = []schema.ServiceSummary{{Name: "other"}}
		f := slow.fake()
		f.Name = "slow"
		hang := make(chan struct{})
		slow.hang = hang
		w := &world{board: &board{}}
		c, err := collector.NewWith(collector.Config{Cluster: "prod", Interval: time.Second}, w.board, newLedger(), bustest.Log(t), nil, f, quick.fake())
		if err != nil {
			t.Fatal(err)
		}
		w.Collector, w.kill = c, c.Sources(t)

		began := time.Now()
		got := w.at(t, start)
		if took := time.Since(began); took > collector.Budget(time.Second)+time.Second {
			t.Errorf("the snapshot took %v", took)
		}
		if len(got.Services) != 1 || len(got.Stale) != 1 || got.Stale[0].Error != "no answer in time" {
			t.Errorf("services %+v, stale %+v", got.Services, got.Stale)
		}
		slow.happens("late", source.Failed, start)
		slow.set(func() { slow.hang = nil })
		close(hang)
		got = w.at(t, start)
		if len(got.Services) == 2 && got.Stale == nil {
			t.Error("a reading past its time was taken for a good one: this source reports that ctx is done")
		}
		if got = w.at(t, start); len(got.Services) != 2 || got.Stale != nil {
			t.Errorf("then: services %+v, stale %+v", got.Services, got.Stale)
		}
	})
}

func TestGapIsToldInRecentEvents(t *testing.T) {
	e := newEngine()
	e.gap = true
	got := collect(t, newLedger(), e.fake()).at(t, start)
	if len(got.RecentEvents) != 1 || got.RecentEvents[0].Kind != "source_gap" {
		t.Errorf("events: %+v", got.RecentEvents)
	}
}

func TestSourceIsOpenedWithTheStateItGaveLast(t *testing.T) {
	e, l := newEngine(), newLedger()
	e.happens("f1", source.Failed, start)
	first := collect(t, l, e.fake())
	first.at(t, start)
	first.kill()
	collect(t, l, e.fake()).at(t, start)
	if diff := cmp.Diff([]string{"", "1"}, e.opened); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}
