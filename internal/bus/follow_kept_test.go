package bus_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func TestKeptRecordsAreFollowed(t *testing.T) {
	b := bustest.New(t)
	k := b.Kept(bus.PartNotifier)
	put := func(key, data string, expected uint64) uint64 {
		t.Helper()
		rev, err := k.Put(t.Context(), key, []byte(data), expected)
		if err != nil {
			t.Fatal(err)
		}
		return rev
	}
	put("other.a", "not this", 0)
	first := put("target.a", "1", 0)
	var got []string
	done := errors.New("done")
	caughtUp := func() {
		got = append(got, "caught up")
		second := put("target.a", "2", first)
		put("other.b", "nor this", 0)
		if err := k.Drop(t.Context(), "target.a", second); err != nil {
			t.Error(err)
		}
		put("target.b", "3", 0)
	}
	err := k.Follow(context.Background(), "target", caughtUp, func(key string, data []byte, rev uint64) error {
		if got = append(got, key+"="+string(data)); rev == 0 {
			t.Errorf("%s without its revision", key)
		}
		if key == "target.b" {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"target.a=1", "caught up", "target.a=2", "target.a=", "target.b=3"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
