package host_test

import (
	"context"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

func TestCallThatHangsIsWaitedForOnce(t *testing.T) {
	over, stop := context.WithCancel(t.Context())
	stop()
	release := make(chan struct{})
	s := &host.Slot{}
	hang := func() int {
		<-release
		return 7
	}
	for _, ctx := range []context.Context{over, t.Context()} { // the second wait would be for ever
		s.Start(hang)
		if got, ok := s.Wait(ctx); ok {
			t.Fatalf("it came to %d", got)
		}
	}
	close(release)
	got, ok := 0, false
	for !ok && t.Context().Err() == nil {
		got, ok = s.Wait(t.Context())
	}
	if got != 7 {
		t.Errorf("it came to %d", got)
	}
	s.Start(func() int { return 8 })
	if got, ok := s.Wait(t.Context()); !ok || got != 8 {
		t.Errorf("the next one, which is waited for again, came to %d, %v", got, ok)
	}
}

func TestReadingAsAWholeIsBounded(t *testing.T) {
	m := newMachine(t, true)
	m.command("systemctl", "exec /bin/sleep 1000")
	m.command("nvidia-smi", "exec /bin/sleep 1000")
	s := m.open()
	s.WaitFor(time.Hour)
	s.Bound(time.Nanosecond)
	for range 2 {
		r := m.read(s)
		if r.Reads[schema.PartServices] != "ask systemd: no answer in time" || r.Reads[schema.PartGPUs] != "nvidia-smi has not answered yet" {
			t.Errorf("reads %v", r.Reads)
		}
		s.Bound(time.Hour) // the second reading does not wait for what hung at the first
	}
}
