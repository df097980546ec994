package bus

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// verdict is what becomes of a message.
type verdict struct {
	outcome string
	delay   time.Duration // before the next delivery
	reason  string        // why it goes to DEAD
}

// Outcomes of a delivery, as they are counted.
const (
	acked   = "ack"
	later   = "later"
	retried = "retry"
	dead    = "dead"
	stopped = "stopped"
)

const (
	firstDelay  = 250 * time.Millisecond
	maxDelay    = 5 * time.Minute
	maxSameFail = 5
)

type poisonError struct{ error }

func (e poisonError) Unwrap() error { return e.error }

// Poison marks err: the message can never be handled.
func Poison(err error) error { return poisonError{err} }

type laterError struct {
	error
	delay time.Duration
}

func (e laterError) Unwrap() error { return e.error }

// Later marks err: the message is to come again after d, however often it came before.
func Later(d time.Duration, err error) error { return laterError{err, d} }

type undecodableError struct{ error }

func (e undecodableError) Unwrap() error { return e.error }

// Undecodable marks err: something that this message leads to cannot be read, which may pass.
func Undecodable(err error) error { return undecodableError{err} }

type panicError struct {
	value any
	stack []byte
}

func (e panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// sheltered runs handle and makes an error of its panic.
func sheltered(handle func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError{v, debug.Stack()}
		}
	}()
	return handle()
}

// judge says what becomes of a message whose handler returned err on its nth delivery. same counts the deliveries
// in a row, this one included, that ended in the same panic or undecodable error; spread, in [0,1), is chance.
func judge(err error, deliveries, same int, spread float64) verdict {
	var poison poisonError
	var wait laterError
	switch {
	case err == nil:
		return verdict{outcome: acked}
	case errors.As(err, &poison):
		return verdict{outcome: dead, reason: err.Error()}
	case same >= maxSameFail:
		return verdict{outcome: dead, reason: fmt.Sprintf("%d times in a row: %v", same, err)}
	case errors.As(err, &wait):
		return verdict{outcome: later, delay: wait.delay}
	}
	return verdict{outcome: retried, delay: backoff(deliveries, spread)}
}

// backoff doubles from 250 ms to 5 min; of each step the second half is chance.
func backoff(deliveries int, spread float64) time.Duration {
	step := maxDelay
	if n := max(0, deliveries-1); n < 20 {
		step = min(firstDelay<<n, maxDelay)
	}
	return step/2 + time.Duration(spread*float64(step/2))
}

// streaks counts, for each message in hand, how often in a row it failed in the same way. It is this process's memory
// only: several processes count apart, and a message is given up a little later.
type streaks struct {
	mu   sync.Mutex
	runs map[uint64]streak
}

type streak struct {
	text string
	n    int
}

const maxStreaks = 10_000

// count notes that message seq ended with err and returns the length of its streak, 0 for an ordinary end.
func (s *streaks) count(seq uint64, err error) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := failure(err)
	if text == "" {
		delete(s.runs, seq)
		return 0
	}
	if s.runs == nil || len(s.runs) >= maxStreaks {
		s.runs = map[uint64]streak{}
	}
	run := s.runs[seq]
	if run.text != text {
		run = streak{text: text}
	}
	run.n++
	s.runs[seq] = run
	return run.n
}

// failure is what makes two failures the same: any panic is like any other, undecodables are alike by their words.
func failure(err error) string {
	var p panicError
	var u undecodableError
	switch {
	case errors.As(err, &p):
		return "panic"
	case errors.As(err, &u):
		return u.Error()
	}
	return ""
}

func chance() float64 { return rand.Float64() }
