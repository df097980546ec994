package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// follow follows everything and returns what comes, and what is closed when it has caught up.
func follow(t *testing.T, b *bus.Bus) (heads <-chan bus.Head, caughtUp <-chan struct{}) {
	t.Helper()
	c, done := make(chan bus.Head, 100), make(chan struct{})
	bustest.Start(t, func(ctx context.Context) error {
		return b.Follow(ctx, b.Subjects().Alerts(), func() { close(done) }, func(h bus.Head) error {
			c <- h
			return nil
		})
	})
	return c, done
}

func TestFollowCatchesUpAndGoesOn(t *testing.T) {
	b := bustest.New(t)
	first := mustAppend(t, b, write("a", 1, schema.SeverityWarning, 0))
	second := mustAppend(t, b, write("a", 2, schema.SeverityWarning, first))
	bustest.Inject(t, b, b.Subjects().Alert(cluster, schema.SeverityWarning, "0123456789abcdef"), nil, []byte("not a head"))
	third := mustAppend(t, b, write("b", 1, schema.SeverityWarning, 0))
	heads, caughtUp := follow(t, b)
	receive(t, caughtUp)
	fourth := mustAppend(t, b, write("a", 3, schema.SeverityCritical, second))
	var got []uint64
	for range 3 {
		got = append(got, receive(t, heads).Seq)
	}
	if diff := cmp.Diff([]uint64{second, third, fourth}, got); diff != "" {
		t.Errorf("sequences (-want +got):\n%s", diff)
	}
}

func TestFollowOfNothingHasCaughtUp(t *testing.T) {
	_, caughtUp := follow(t, bustest.New(t))
	receive(t, caughtUp)
}

func TestFollowLosesAndRepeatsNothingOverARestart(t *testing.T) {
	t.Parallel()
	s := bustest.Server(t)
	heads, caughtUp := follow(t, s.Connect(t))
	receive(t, caughtUp)
	var want, got []string
	for i := range 4 {
		b := s.Connect(t)
		for j := range 3 {
			name := fmt.Sprintf("service-%d-%d", i, j)
			mustAppend(t, b, write(name, 1, schema.SeverityWarning, 0))
			want = append(want, name)
		}
		if i%2 == 0 {
			s.Restart(t)
		}
	}
	for range want {
		got = append(got, receive(t, heads).Conversation.Object.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conversations (-want +got):\n%s", diff)
	}
}

func TestFollowEndsWithTheErrorOfItsCaller(t *testing.T) {
	b := bustest.New(t)
	mustAppend(t, b, write("a", 1, schema.SeverityWarning, 0))
	err := b.Follow(t.Context(), b.Subjects().Alerts(), nil, func(bus.Head) error { return errBroken })
	if !errors.Is(err, errBroken) {
		t.Errorf("error is %v, want the caller's", err)
	}
}

func TestFollowBeginsAgainWhenTheStreamWasMadeAnew(t *testing.T) {
	t.Parallel()
	b := bustest.New(t)
	heads, _ := follow(t, b)
	for i := range 3 {
		mustAppend(t, b, write(fmt.Sprintf("before-%d", i), 1, schema.SeverityWarning, 0))
		receive(t, heads)
	}
	if err := stream(t, b).DeleteStream(t.Context(), bus.StreamAlerts); err != nil {
		t.Fatal(err)
	}
	if err := b.Setup(t.Context(), bus.Setup{}); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, b, write("after", 1, schema.SeverityWarning, 0))
	if got := receive(t, heads).Conversation.Object.Name; got != "after" {
		t.Errorf("got %s, want after", got)
	}
}

func TestFollowContextsGivesTheNewestAndThenEach(t *testing.T) {
	for name, c := range map[string]struct {
		cluster string
		want    []string
	}{
		"all-clusters": {"", []string{"b 2", "a 3", "b 4", "a 5"}},
		"one-cluster":  {"a", []string{"a 3", "a 5"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := bustest.New(t)
			for i, cluster := range []string{"a", "b", "a"} {
				publish(t, b, b.Subjects().Context(cluster), fmt.Sprintf("%s %d", cluster, i+1))
			}
			bodies, caughtUp := make(chan string, 10), make(chan struct{})
			bustest.Start(t, func(ctx context.Context) error {
				return b.FollowContexts(ctx, c.cluster, func() { close(caughtUp) }, func(m bus.Message) error {
					bodies <- string(m.Data)
					return nil
				})
			})
			receive(t, caughtUp)
			var got []string
			for range len(c.want) / 2 {
				got = append(got, receive(t, bodies))
			}
			for i, cluster := range []string{"b", "a"} {
				publish(t, b, b.Subjects().Context(cluster), fmt.Sprintf("%s %d", cluster, i+4))
				if c.cluster == "" || c.cluster == cluster {
					got = append(got, receive(t, bodies))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("snapshots (-want +got):\n%s", diff)
			}
		})
	}
}
