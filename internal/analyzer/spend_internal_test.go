package analyzer

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/spend"
)

// Four analyzers reserve and settle at once, over a real server, each with a connection and a memory of its own.
func TestReservationsOfManyAtOnceNeverExceedTheBudget(t *testing.T) {
	const analyzers, workers, tries, limit = 4, 6, 8, 70
	s := bustest.ServerUnsynced(t)
	now := time.Date(2026, 11, 24, 20, 15, 0, 0, time.UTC)
	clock := func(context.Context) (time.Time, error) { return now, nil }
	var taken, refused, tokens atomic.Int64
	var all sync.WaitGroup
	var one *ledger
	for range analyzers {
		l := &ledger{kept: s.Connect(t).Kept("analyzer"), limits: spend.Limits{CallsPerHour: limit}, clock: clock}
		one = l
		for range workers {
			all.Go(func() {
				for range tries {
					id, err := l.reserve(t.Context(), 1000)
					if errors.As(err, &spend.Spent{}) {
						refused.Add(1)
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					taken.Add(1)
					used := rand.IntN(1000)
					tokens.Add(int64(used))
					if err := l.settle(t.Context(), id, schema.Usage{Calls: 1, Tokens: used}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	is, _, err := one.read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if taken.Load() != limit || refused.Load() != analyzers*workers*tries-limit {
		t.Errorf("%d taken, %d refused, of a budget of %d", taken.Load(), refused.Load(), limit)
	}
	if is.Hour.Calls != limit || int64(is.Hour.Tokens) != tokens.Load() || len(is.Held) != 0 {
		t.Errorf("booked are %d calls, %d tokens and %d held; used were %d tokens", is.Hour.Calls, is.Hour.Tokens, len(is.Held), tokens.Load())
	}
}

func TestBudgetsGoByTheClockOfTheServer(t *testing.T) {
	clock := serverClock(bustest.New(t))
	now, err := clock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if off := time.Since(now).Abs(); off > 10*time.Second || now.Location() != time.UTC {
		t.Errorf("%s, which is %s off, though the server runs here", now, off)
	}
}
