package notifier

import (
	"context"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// Several notifiers with several workers each, which learn of each other late or not at all: no change is lost.
func TestChangesOfWhatIsSharedAreNotLost(t *testing.T) {
	b := bustest.New(t)
	kept := b.Kept(bus.PartNotifier)
	const notifiers, workers, each = 3, 4, 10
	all := make([]*shared[int], notifiers)
	var g errgroup.Group
	for i := range all {
		all[i] = newShared[int](kept, "target", bustest.Log(t))
		for range workers {
			g.Go(func() error {
				for range each {
					if err := all[i].change(t.Context(), "a", func(n int) (int, bool) { return n + 1, true }); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := all[0].reload(t.Context(), "a"); err != nil || all[0].get("a") != notifiers*workers*each {
		t.Errorf("%d after %d changes, %v", all[0].get("a"), notifiers*workers*each, err)
	}
}

func TestWhatIsSharedIsFollowedAndNeverGrowsOlder(t *testing.T) {
	b := bustest.New(t)
	kept := b.Kept(bus.PartNotifier)
	here, there := newShared[int](kept, "target", bustest.Log(t)), newShared[int](kept, "target", bustest.Log(t))
	to := func(s *shared[int], name string, n int) {
		t.Helper()
		if err := s.change(t.Context(), name, func(int) (int, bool) { return n, true }); err != nil {
			t.Fatal(err)
		}
	}
	to(there, "a", 1)
	known := make(chan struct{})
	bustest.Start(t, func(ctx context.Context) error { return here.follow(ctx, kept, func() { close(known) }) })
	<-known
	if got := here.get("a"); got != 1 {
		t.Errorf("%d, want what was there at the beginning", got)
	}
	here.heard("a", version[int]{value: 0, rev: 0})
	if got := here.get("a"); got != 1 {
		t.Errorf("%d: it took what is older", got)
	}
	if _, err := kept.Put(t.Context(), "target.broken", []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	if err := here.reload(t.Context(), "broken"); err != nil || here.get("broken") != 0 {
		t.Errorf("a record that is not readable: %d, %v", here.get("broken"), err)
	}
	to(here, "broken", 7)
}
