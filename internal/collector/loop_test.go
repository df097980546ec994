package collector_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/collector"
)

// looping runs a loop of 15 s in a bubble and returns how to wake it and the times of its steps.
func looping(t *testing.T, each func()) (wake chan struct{}, steps *[]time.Duration) {
	t.Helper()
	wake, steps = make(chan struct{}, 1), new([]time.Duration)
	ctx, cancel := context.WithCancel(t.Context())
	began, done := time.Now(), make(chan struct{})
	go func() {
		defer close(done)
		collector.Loop(ctx, 15*time.Second, wake, func(now time.Time) {
			*steps = append(*steps, now.Sub(began))
			each()
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()
	return wake, steps
}

// pass lets time go by in a bubble.
func pass(d time.Duration) { <-time.NewTimer(d).C }

func TestLoopStepsAtOnceAndThenAboutEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, steps := looping(t, func() {})
		pass(100 * 15 * time.Second)
		synctest.Wait()
		if n := len(*steps); n < 95 || n > 106 || (*steps)[0] != 0 {
			t.Errorf("%d steps in 100 intervals, the first at %v", n, (*steps)[0])
		}
		varies := map[time.Duration]bool{}
		for i := range *steps {
			if i == 0 {
				continue
			}
			gap := (*steps)[i] - (*steps)[i-1]
			varies[gap] = true
			if gap < 14250*time.Millisecond || gap > 15750*time.Millisecond {
				t.Errorf("gap of %v", gap)
			}
		}
		if len(varies) < 50 {
			t.Errorf("only %d different gaps", len(varies))
		}
	})
}

func TestWakeBringsAnExtraStepWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake, steps := looping(t, func() {})
		pass(5 * time.Second)
		woken := 5 * time.Second
		wake <- struct{}{}
		pass(time.Second)
		synctest.Wait()
		if n := len(*steps); n != 2 || (*steps)[1] < woken || (*steps)[1] > woken+time.Second {
			t.Errorf("steps at %v", *steps)
		}
	})
}

func TestManyWakesBringOneExtraStepEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake, steps := looping(t, func() {})
		for range 100 {
			select {
			case wake <- struct{}{}:
			default:
			}
			pass(50 * time.Millisecond)
			synctest.Wait()
		}
		if n := len(*steps); n < 5 || n > 6 {
			t.Errorf("%d steps in 5 s of wakes: %v", n, *steps)
		}
		for i := range *steps {
			if i > 0 && (*steps)[i]-(*steps)[i-1] < time.Second {
				t.Errorf("steps %v apart", (*steps)[i]-(*steps)[i-1])
			}
		}
	})
}

func TestSlowStepsDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake, steps := looping(t, func() { pass(40 * time.Second) })
		wake <- struct{}{}
		pass(150 * time.Second)
		synctest.Wait()
		if n := len(*steps); n != 4 {
			t.Errorf("%d steps in 150 s of 40 s each: %v", n, *steps)
		}
	})
}
