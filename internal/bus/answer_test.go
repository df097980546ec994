package bus_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// answering starts what answers look-ups of cluster prod on a connection of its own, and waits until it is asked.
func answering(t *testing.T, s *bustest.NATS, handle func(context.Context, string, []byte) (any, error)) (stop func()) {
	t.Helper()
	b, reached := s.Connect(t), make(chan struct{})
	once := sync.OnceFunc(func() { close(reached) })
	stop = bustest.Start(t, func(ctx context.Context) error {
		return b.Answer(ctx, b.Subjects().Inspect("prod", "*"), func(ctx context.Context, subject string, body []byte) (any, error) {
			if string(body) == "are you there" {
				once()
				return nil, bus.ErrNotMine
			}
			return handle(ctx, subject, body)
		})
	})
	eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, _ = b.Request(ctx, b.Subjects().Inspect("prod", "logs"), []byte("are you there"))
		select {
		case <-reached:
			return true
		default:
			return false
		}
	})
	return stop
}

func TestAnswerIsGivenByWhoeverCallsItHis(t *testing.T) {
	s := bustest.Server(t)
	ask := s.Connect(t)
	logs := ask.Subjects().Inspect("prod", "logs")
	if _, err := ask.Request(t.Context(), logs, nil); !errors.Is(err, bus.ErrNobody) || !strings.Contains(err.Error(), "no collector answers") {
		t.Fatalf("with nobody there: %v", err)
	}
	heard := make(chan string, 1)
	answering(t, s, func(_ context.Context, subject string, _ []byte) (any, error) {
		heard <- subject
		return nil, bus.ErrNotMine
	})
	answering(t, s, func(_ context.Context, _ string, body []byte) (any, error) {
		switch string(body) {
		case "panic":
			panic("secret detail")
		case "bad":
			return nil, &bus.APIError{Code: bus.CodeBadRequest, Message: "no such object"}
		}
		return map[string]string{"heard": string(body)}, nil
	})
	for _, tt := range []struct{ ask, answer, problem string }{
		{"hello", `{"heard":"hello"}`, ""}, {"bad", "", "no such object"}, {"panic", "", "a fault of its own"},
	} {
		got, err := ask.Request(t.Context(), logs, []byte(tt.ask))
		if subject := receive(t, heard); subject != logs {
			t.Errorf("the other one heard %s", subject)
		}
		if string(got) != tt.answer || (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s: %q, %v", tt.ask, got, err)
		}
	}
}

func TestAnswerRefusesWhatIsTooMuchAtOnce(t *testing.T) {
	s := bustest.Server(t)
	ask := s.Connect(t)
	release := make(chan struct{})
	stop := answering(t, s, func(ctx context.Context, _ string, _ []byte) (any, error) {
		<-release
		return "done", nil
	})
	status := ask.Subjects().Inspect("prod", "status")
	answers := make(chan error, 40)
	var asking sync.WaitGroup
	for range cap(answers) {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), bustest.Within)
			defer cancel()
			_, err := ask.Request(ctx, status, nil)
			answers <- err
		})
	}
	for range cap(answers) - 16 {
		err := receive(t, answers)
		if api, ok := errors.AsType[*bus.APIError](err); !ok || api.Code != bus.CodeBusy {
			t.Fatalf("beyond sixteen: %v", err)
		}
	}
	close(release)
	for range 16 {
		if err := receive(t, answers); err != nil {
			t.Error(err)
		}
	}
	asking.Wait()
	stop()
	eventually(t, func() bool { // the server may hear of the end a moment later
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := ask.Request(ctx, status, nil)
		return errors.Is(err, bus.ErrNobody)
	})
}
