package bustest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func TestSettledWaitsForASlowHandlerAndForWhatItStores(t *testing.T) {
	b := bustest.New(t)
	var finished, heard atomic.Bool
	bustest.Start(t, func(ctx context.Context) error {
		return b.Consume(ctx, bus.Watch, 1, func(ctx context.Context, _ bus.Message) error {
			slow := time.NewTimer(300 * time.Millisecond)
			<-slow.C
			_, err := b.Publish(ctx, b.Subjects().Replies("x"), []byte("why?"), "")
			finished.Store(true)
			return err
		})
	})
	bustest.Start(t, func(ctx context.Context) error {
		return b.Consume(ctx, bus.Hear, 1, func(context.Context, bus.Message) error {
			slow := time.NewTimer(100 * time.Millisecond)
			<-slow.C
			heard.Store(true)
			return nil
		})
	})
	if _, err := b.Publish(t.Context(), b.Subjects().Context("prod"), []byte("{}"), ""); err != nil {
		t.Fatal(err)
	}
	bustest.Settled(t, b)
	if !finished.Load() || !heard.Load() {
		t.Errorf("settled while a handler was at work: watch finished %t, hear finished %t", finished.Load(), heard.Load())
	}
}

func TestSettledWaitsForAMessageThatComesLater(t *testing.T) {
	b := bustest.New(t)
	var handled atomic.Bool
	bustest.Start(t, func(ctx context.Context) error {
		return b.Consume(ctx, bus.Watch, 1, func(_ context.Context, m bus.Message) error {
			if m.Deliveries == 1 {
				return bus.Later(300*time.Millisecond, context.DeadlineExceeded)
			}
			handled.Store(true)
			return nil
		})
	})
	if _, err := b.Publish(t.Context(), b.Subjects().Context("prod"), []byte("{}"), ""); err != nil {
		t.Fatal(err)
	}
	bustest.Settled(t, b)
	if !handled.Load() {
		t.Error("settled while a message was still to come again")
	}
}

func TestNextReturnsEachStoredMessageOnce(t *testing.T) {
	b := bustest.New(t)
	subject := b.Subjects().Replies("x")
	for _, text := range []string{`"one"`, `"two"`} {
		if _, err := b.Publish(t.Context(), subject, []byte(text), ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"one", "two"} {
		if got := bustest.Next[string](t, b, subject); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
