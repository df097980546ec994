package notifier

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestAWindowOpensForTheQuickAndClosesForTheSlow(t *testing.T) {
	tests := []struct {
		name string
		size int
		took time.Duration
		want int
	}{
		{"quick", 64, time.Millisecond, 65},
		{"quick-and-open", workers, time.Millisecond, workers},
		{"neither", 100, 500 * time.Millisecond, 100},
		{"slow", 200, 2 * time.Second, 100},
		{"slow-and-closed", 70, 2 * time.Second, leastWindow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := resized(tt.size, tt.took); got != tt.want {
				t.Errorf("%d becomes %d, want %d", tt.size, got, tt.want)
			}
		})
	}
}

func TestWhoWaitsForRoomEntersInOrder(t *testing.T) {
	w := &window{size: 1}
	if err := w.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	first, second := make(chan struct{}), make(chan struct{})
	w.waiting = append(w.waiting, first, second)
	w.leave()
	select {
	case <-first:
	default:
		t.Error("the first who waits has no room")
	}
	select {
	case <-second:
		t.Error("the second has room as well")
	default:
	}
	w.leave()
	<-second
	w.leave()
	if w.used != 0 || len(w.waiting) != 0 {
		t.Errorf("in the end %d are in and %d wait", w.used, len(w.waiting))
	}
}

func TestWhoStopsWaitingForRoomTakesNone(t *testing.T) {
	w := &window{size: 1}
	if err := w.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.enter(over); !errors.Is(err, context.Canceled) {
		t.Errorf("entering is %v", err)
	}
	if len(w.waiting) != 0 {
		t.Error("it still waits")
	}
	w.leave()
	if err := w.enter(t.Context()); err != nil || w.used != 1 {
		t.Errorf("the next: %v, %d are in", err, w.used)
	}
}

func TestAWiderWindowLetsThoseInWhoWait(t *testing.T) {
	w := newWindow()
	w.used = leastWindow
	room := make(chan struct{})
	w.waiting = append(w.waiting, room)
	w.took(time.Millisecond)
	<-room
	if w.used != leastWindow+1 {
		t.Errorf("%d are in", w.used)
	}
}
