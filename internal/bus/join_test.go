package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// together puts n records that wait for the same moment. What each came to stands at its place.
func together(t *testing.T, j *bus.Joined, n int, expected func(i int) uint64) (revs []uint64, errs []error) {
	t.Helper()
	waiting := make([]bus.Waiting, n)
	j.Hold()
	for i := range n {
		waiting[i] = j.Enter(fmt.Sprintf("told.webhook.%d", i), "new", expected(i))
	}
	j.Resume()
	revs, errs = make([]uint64, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { revs[i], errs[i] = j.Await(t.Context(), waiting[i]) })
	}
	wg.Wait()
	return revs, errs
}

func missing(int) uint64 { return 0 }

func TestJoinedRecordsAreStoredEachUnderItsOwnRevision(t *testing.T) {
	b := bustest.New(t)
	j := b.Kept(bus.PartNotifier).Joined()
	const n = 100
	first, errs := together(t, j, n, missing)
	if j.Batches() != 1 {
		t.Errorf("%d batches, want 1", j.Batches())
	}
	for i := range n {
		data, rev, err := j.Get(t.Context(), fmt.Sprintf("told.webhook.%d", i))
		if errs[i] != nil || err != nil || string(data) != "new" || rev != first[i] {
			t.Fatalf("record %d: %v, put as revision %d, is %q, %d, %v", i, errs[i], first[i], data, rev, err)
		}
	}
	if _, errs := together(t, j, n, func(i int) uint64 { return first[i] }); errors.Join(errs...) != nil {
		t.Errorf("on top of their revisions: %v", errors.Join(errs...))
	}
}

func TestAConflictInABatchIsOnlyItsOwn(t *testing.T) {
	b := bustest.New(t)
	k := b.Kept(bus.PartNotifier)
	if _, err := k.Put(t.Context(), "told.webhook.7", []byte("theirs"), 0); err != nil {
		t.Fatal(err)
	}
	j := k.Joined()
	_, errs := together(t, j, 100, missing)
	if j.Batches() != 1 {
		t.Errorf("%d batches, want 1", j.Batches())
	}
	for i, err := range errs {
		want, data := "new", []byte(nil)
		if i == 7 {
			want = "theirs"
		}
		if conflict := errors.Is(err, bus.ErrConflict); conflict != (i == 7) || !conflict && err != nil {
			t.Errorf("record %d: %v", i, err)
		}
		if data, _, _ = k.Get(t.Context(), fmt.Sprintf("told.webhook.%d", i)); string(data) != want {
			t.Errorf("record %d is %q, want %q", i, data, want)
		}
	}
}

func TestTheSameRecordTwiceAtOnceIsStoredOnce(t *testing.T) {
	j := bustest.New(t).Kept(bus.PartNotifier).Joined()
	j.Hold()
	var waiting []bus.Waiting
	for i := range 40 {
		waiting = append(waiting, j.Enter(fmt.Sprintf("told.webhook.%d", i/2), fmt.Sprint(i), 0))
	}
	j.Resume()
	errs := make([]error, len(waiting))
	var wg sync.WaitGroup
	for i, w := range waiting {
		wg.Go(func() { _, errs[i] = j.Await(t.Context(), w) })
	}
	wg.Wait()
	for i := 0; i < len(errs); i += 2 {
		if errs[i] != nil || !errors.Is(errs[i+1], bus.ErrConflict) {
			t.Errorf("record %d: %v and %v, want one of them stored", i/2, errs[i], errs[i+1])
		}
	}
}

func TestWhoStopsWaitingForItsTurnIsNotStored(t *testing.T) {
	b := bustest.New(t)
	j := b.Kept(bus.PartNotifier).Joined()
	j.Hold()
	leaves, stays := j.Enter("told.webhook.leaves", "x", 0), j.Enter("told.webhook.stays", "x", 0)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := j.Await(gone, leaves); !errors.Is(err, context.Canceled) {
		t.Errorf("who leaves: %v", err)
	}
	j.Resume()
	if _, err := j.Await(t.Context(), stays); err != nil {
		t.Errorf("who stays: %v", err)
	}
	if data, _, err := j.Get(t.Context(), "told.webhook.leaves"); data != nil || err != nil {
		t.Errorf("who left has stored %q, %v", data, err)
	}
}

func TestABatchIsStoredThoughWhoSendsItStopsWaiting(t *testing.T) {
	j := bustest.New(t).Kept(bus.PartNotifier).Joined()
	j.Hold()
	var waiting []bus.Waiting
	for i := range 40 {
		waiting = append(waiting, j.Enter(fmt.Sprintf("told.webhook.%d", i), "x", 0))
	}
	j.Resume()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = j.Await(gone, waiting[0]) // it may still learn that it is stored
	for i, w := range waiting[1:] {
		if _, err := j.Await(t.Context(), w); err != nil {
			t.Errorf("record %d: %v", i+1, err)
		}
	}
}

func TestManyPutAtOnceAllGetThrough(t *testing.T) {
	j := bustest.New(t).Kept(bus.PartNotifier).Joined()
	errs := make([]error, 200)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			rev, err := j.Put(t.Context(), fmt.Sprintf("told.webhook.%d", i), []byte("one"), 0)
			if err == nil {
				_, err = j.Put(t.Context(), fmt.Sprintf("told.webhook.%d", i), []byte("two"), rev)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
