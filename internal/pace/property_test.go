package pace_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/pace"
)

// Whoever asks whenever: no stretch of time has more posts than the burst and one in every Every.
func TestTheRateIsNeverExceeded(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		rate := pace.Rate{Every: time.Duration(1+r.IntN(2000)) * time.Millisecond, Burst: r.IntN(5)}
		var s pace.State
		var posts []time.Time
		for now := start; len(posts) < 60; now = now.Add(time.Duration(r.Int64N(int64(rate.Every)))) {
			next, answer := s.Next(pace.Ask{Urgent: r.IntN(2) == 0, Rate: rate}, now)
			if s = next; answer.Why == pace.Free {
				posts = append(posts, now)
			}
		}
		for i := range posts {
			for j := i; j < len(posts); j++ {
				most := max(rate.Burst, 1) + int(posts[j].Sub(posts[i])/rate.Every)
				if n := j - i + 1; n > most {
					t.Fatalf("seed %d: %d posts in %s with %+v, at most %d may be", seed, n, posts[j].Sub(posts[i]), rate, most)
				}
			}
		}
	}
}

// Several notifiers that share the state, with posts that end in any order: while the breaker is open, at most one of
// them has a probe on its way, and nothing else goes out.
func TestAnOpenBreakerHasOneProbeAtATime(t *testing.T) {
	type flight struct {
		holder      string
		began, ends time.Time
	}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 2))
		var s pace.State
		var probes, trips int
		var inFlight []flight
		now := start
		for range 500 {
			now = now.Add(time.Duration(r.Int64N(int64(5 * time.Second))))
			rest := inFlight[:0]
			for _, f := range inFlight {
				if f.ends.After(now) {
					rest = append(rest, f)
					continue
				}
				if s.Prober == f.holder {
					probes = 0
				}
				if r.IntN(10) == 0 {
					s = s.Went(now)
				} else {
					s = s.Failed(f.holder, "down", f.began, now)
				}
				if !s.Open() {
					probes = 0
				}
				trips = max(trips, s.Trips)
			}
			inFlight = rest
			wasOpen, holder := s.Open(), strconv.Itoa(r.IntN(1000))
			next, answer := s.Next(pace.Ask{Holder: holder, Trial: r.IntN(20) == 0}, now)
			s = next
			if answer.Why != pace.Free {
				continue
			}
			if wasOpen != answer.Probe {
				t.Fatalf("seed %d: open %v, and a post that is a probe: %v", seed, wasOpen, answer.Probe)
			}
			if answer.Probe {
				if probes++; probes > 1 {
					t.Fatalf("seed %d: %d probes at once", seed, probes)
				}
			}
			inFlight = append(inFlight, flight{holder, now, now.Add(time.Duration(r.Int64N(int64(20 * time.Second))))})
		}
		if trips == 0 {
			t.Fatalf("seed %d: the breaker never opened", seed)
		}
	}
}
