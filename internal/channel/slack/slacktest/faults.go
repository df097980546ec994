package slacktest

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// Fault is how a call goes wrong.
type Fault struct {
	refuses  *refusal
	accepted bool // what was asked is done nevertheless
	silent   bool // no answer: the call is held until the caller gives up
	reset    bool // no answer: the connection is broken off
	slow     time.Duration
}

// Throttled answers 429, to come again after a while, in whole seconds. Nothing is done.
func Throttled(after time.Duration) Fault {
	return Fault{refuses: &refusal{name: "ratelimited", status: http.StatusTooManyRequests, after: after}}
}

// Fails answers with a status such as 500 or 503. Nothing is done.
func Fails(status int) Fault {
	return Fault{refuses: &refusal{name: http.StatusText(status), status: status}}
}

// FailsAccepted answers with a status although what was asked is done.
func FailsAccepted(status int) Fault {
	f := Fails(status)
	f.accepted = true
	return f
}

// Refuses answers with one of Slack's own errors, such as edit_window_closed. Nothing is done.
func Refuses(name string) Fault { return Fault{refuses: refuse(name)} }

// Hangs does nothing and does not answer.
func Hangs() Fault { return Fault{silent: true} }

// HangsAccepted does what was asked and does not answer.
func HangsAccepted() Fault { return Fault{silent: true, accepted: true} }

// Resets does nothing and breaks the connection off.
func Resets() Fault { return Fault{reset: true} }

// ResetsAccepted does what was asked and breaks the connection off.
func ResetsAccepted() Fault { return Fault{reset: true, accepted: true} }

// Slow does what was asked and answers well, after a while.
func Slow(by time.Duration) Fault { return Fault{slow: by, accepted: true} }

func (f *Fault) does() bool        { return f == nil || f.accepted }
func (f *Fault) instead() bool     { return f != nil && f.refuses != nil }
func (f *Fault) refusal() *refusal { return f.refuses }

type faults struct {
	planned []planned
	random  func() (Fault, bool)
}

type planned struct {
	method string
	left   int
	fault  Fault
}

// Fault makes the next n calls of a method go wrong, those of every method if it is empty; all from now on if n < 0.
// Of several the oldest comes first.
func (s *Server) Fault(method string, n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.planned = append(s.faults.planned, planned{method, n, f})
}

// Random makes a share of all calls, from 0 to 1, go wrong in one of the ways. The same seed breaks the same calls of
// the same sequence.
func (s *Server) Random(seed uint64, share float64, ways ...Fault) {
	dice := rand.New(rand.NewPCG(seed, seed))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.random = func() (Fault, bool) {
		if len(ways) == 0 || dice.Float64() >= share {
			return Fault{}, false
		}
		return ways[dice.IntN(len(ways))], true
	}
}

// Heal ends every fault, planned and random.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults{}
}

// take gives the fault of a call, nil if it has none.
func (f *faults) take(method string) *Fault {
	for i := range f.planned {
		p := &f.planned[i]
		if p.left == 0 || p.method != "" && p.method != method {
			continue
		}
		if p.left > 0 {
			p.left--
		}
		way := p.fault
		return &way
	}
	if f.random != nil {
		if way, bad := f.random(); bad {
			return &way
		}
	}
	return nil
}

// holds keeps the answer back as the fault says, and tells whether there is to be one.
func (s *Server) holds(r *http.Request, f *Fault) bool {
	switch {
	case f == nil:
		return true
	case f.reset:
		return false
	case f.silent:
		s.hang(r, nil)
		return false
	case f.slow > 0:
		late := time.NewTimer(f.slow)
		defer late.Stop()
		return s.hang(r, late.C)
	}
	return true
}

// hang waits until the caller gives up, the workspace closes, or it is late enough, and tells whether that was it.
func (s *Server) hang(r *http.Request, late <-chan time.Time) bool {
	s.count(1)
	defer s.count(-1)
	select {
	case <-late:
		return true
	case <-r.Context().Done():
	case <-s.over:
	}
	return false
}

func (s *Server) count(by int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hanging += by
	s.change()
}
