package host

import "context"

// slot runs a function that may hang, one call at a time. A call that hangs keeps its goroutine until the kernel lets
// it go, which nothing can hasten; that there is never a second one is what a slot is for.
type slot[T any] struct {
	out  chan T // of the call under way; nil: none
	late bool   // a reading has waited for it in vain, so that no other does
}

// start begins a call, unless the one before still hangs or its result has not been taken. That was too late for its
// reading and is as good for the next.
func (s *slot[T]) start(do func() T) {
	if s.out != nil {
		return
	}
	out := make(chan T, 1)
	s.out, s.late = out, false
	go func() { out <- do() }()
}

// wait gives what the call under way comes to; it is false if that takes longer than ctx, or if it has taken too long
// for a reading before: what hangs would make every one of them late.
func (s *slot[T]) wait(ctx context.Context) (T, bool) {
	select { // both may be so
	case v := <-s.out:
		s.out = nil
		return v, true
	default:
	}
	var none T
	if s.late {
		return none, false
	}
	select {
	case v := <-s.out:
		s.out = nil
		return v, true
	case <-ctx.Done():
		s.late = true
		return none, false
	}
}

// hangs tells whether a call is under way that has come to nothing yet.
func (s *slot[T]) hangs() bool { return s.out != nil && len(s.out) == 0 }
