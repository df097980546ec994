package pace

import "time"

// Went is the state after a post that went through. It ends no pause that lasts: the post was on its way before that.
func (s State) Went(now time.Time) State {
	after := State{Slot: s.Slot, OutFrom: s.OutFrom, OutUntil: s.OutUntil}
	if s.NotBefore.After(now) {
		after.NotBefore, after.PausedAt = s.NotBefore, now
	}
	if s.Open() {
		after.OutFrom, after.OutUntil = s.Since, now
	}
	return after
}

// Failed is the state after a post of holder that was on its way since began, and that the target's side failed to take.
// What was on its way when the breaker opened, and is not its probe, says nothing new.
func (s State) Failed(holder, problem string, began, now time.Time) State {
	if s.Open() && s.Prober != holder {
		return s
	}
	if s.Open() && began.Before(s.OpenUntil) {
		return s
	}
	s.Problem = problem
	if s.Failures == 0 {
		s.Since = now
	}
	s.Failures++
	if s.Open() || s.Failures >= TripAfter {
		s.OpenUntil = now.Add(openFor(s.Trips))
		s.Trips++
		s.Prober, s.ProbeEnds = "", time.Time{}
	}
	return s
}

// Answered is the state after a post that the target did answer, though it did not take it: it works, and a probe that
// ended so was no failure.
func (s State) Answered(now time.Time) State {
	if s.Failures == 0 {
		return s
	}
	after := s.Went(now)
	after.NotBefore, after.PausedAt, after.GoneAt = s.NotBefore, s.PausedAt, s.GoneAt
	return after
}

// Throttled is the state after the target has asked for a pause. That is no failure, and a pause of others that is
// longer stays.
func (s State) Throttled(until, now time.Time) State {
	s = s.Answered(now)
	if latest := now.Add(MaxPause); until.After(latest) {
		until = latest
	}
	if until.After(s.NotBefore) {
		s.NotBefore = until
	}
	if s.PausedAt.IsZero() {
		s.PausedAt = now
	}
	return s
}

// SaidGone is the state after the target has said that it is gone for good.
func (s State) SaidGone(problem string, now time.Time) State {
	if s.Gone() {
		return s
	}
	return State{GoneAt: now, Problem: problem, Slot: s.Slot, OutFrom: s.OutFrom, OutUntil: s.OutUntil}
}

// openFor is for how long the breaker opens after it has opened trips times in a row.
func openFor(trips int) time.Duration { return min(FirstOpen<<min(trips, 20), MaxOpen) }

// Unused is the state after a probe of holder that was never posted.
func (s State) Unused(holder string) State {
	if s.Prober == holder {
		s.Prober, s.ProbeEnds = "", time.Time{}
	}
	return s
}
