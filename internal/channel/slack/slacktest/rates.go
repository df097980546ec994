package slacktest

import "time"

// tier is a kind of limit on how often a method may be called.
type tier int

const (
	unlimited  tier = iota
	perChannel      // chat.postMessage: by channel
	tier3           // by token and method
	tier4
)

// Rate allows a call every so often, and a few at once.
type Rate struct {
	Every time.Duration
	Burst int
}

// Rates are the limits of a workspace. One that is zero does not limit.
type Rates struct {
	Post  Rate // chat.postMessage, for each channel
	Tier3 Rate // chat.update, chat.delete, histories and most others, for each token and method
	Tier4 Rate
}

// SlackRates is what Slack says that it allows. How short its short bursts are it does not say.
func SlackRates() Rates {
	return Rates{
		Post:  Rate{Every: time.Second, Burst: 3},
		Tier3: Rate{Every: time.Minute / 50, Burst: 50},
		Tier4: Rate{Every: time.Minute / 100, Burst: 100},
	}
}

// Faster gives the same limits in a world that runs so many times faster.
func (r Rates) Faster(times int) Rates {
	for _, one := range []*Rate{&r.Post, &r.Tier3, &r.Tier4} {
		one.Every /= time.Duration(times)
	}
	return r
}

func (r Rates) of(t tier) Rate {
	switch t {
	case perChannel:
		return r.Post
	case tier3:
		return r.Tier3
	case tier4:
		return r.Tier4
	default:
		return Rate{}
	}
}

// bucket is full again at a time; what is missing until then was taken.
type bucket struct{ full time.Time }

type rates struct {
	limits  Rates
	buckets map[string]bucket
}

// over takes one call, or tells how long to wait for the next.
func (r *rates) over(t tier, method, token, channel string, now time.Time) time.Duration {
	limit := r.limits.of(t)
	if limit.Every <= 0 {
		return 0
	}
	key := method + " " + token
	if t == perChannel {
		key += " " + channel
	}
	b := r.buckets[key]
	if b.full.Before(now) {
		b.full = now
	}
	room := time.Duration(max(limit.Burst, 1)) * limit.Every
	if wait := b.full.Add(limit.Every).Sub(now) - room; wait > 0 {
		return wait
	}
	b.full = b.full.Add(limit.Every)
	r.buckets[key] = b
	return 0
}

// SetRates changes the limits from now on.
func (s *Server) SetRates(r Rates) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rates = rates{limits: r, buckets: map[string]bucket{}}
}
