package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func TestServeAnswersAndTellsErrors(t *testing.T) {
	b := bustest.New(t)
	if _, err := b.Request(t.Context(), b.Subjects().API("list"), nil); !errors.Is(err, bus.ErrNobody) || !strings.Contains(err.Error(), "no analyzer answers") {
		t.Fatalf("with nobody there: %v", err)
	}
	answer := func(ctx context.Context, body []byte) (any, error) {
		switch string(body) {
		case "missing":
			return nil, fmt.Errorf("get: %w", &bus.APIError{Code: bus.CodeNotFound, Message: "no such conversation"})
		case "broken":
			return nil, fmt.Errorf("first line\nsecond line: %w", errBroken)
		case "panic":
			panic("secret detail")
		case "huge":
			return strings.Repeat("x", 9<<20), nil
		}
		return map[string]string{"heard": string(body)}, nil
	}
	bustest.Start(t, func(ctx context.Context) error {
		return b.Serve(ctx, bus.Service{Name: "bellbuoy", Version: "1.0.0", Endpoints: []bus.Endpoint{{Verb: "get", Handle: answer}}})
	})
	eventually(t, func() bool {
		_, err := b.Request(t.Context(), b.Subjects().API("get"), nil)
		return err == nil
	})
	tests := []struct{ ask, answer, code, message string }{
		{"hello", `{"heard":"hello"}`, "", ""},
		{"missing", "", bus.CodeNotFound, "no such conversation"},
		{"broken", "", bus.CodeInternal, "first line; second line: broken"},
		{"panic", "", bus.CodeInternal, "whoever was to answer met a fault of its own; its log has the details"},
		{"huge", "", bus.CodeInternal, "the answer is larger than a message may be: ask for less"},
	}
	for _, tt := range tests {
		t.Run(tt.ask, func(t *testing.T) {
			got, err := b.Request(t.Context(), b.Subjects().API("get"), []byte(tt.ask))
			if string(got) != tt.answer {
				t.Errorf("answer %q, want %q", got, tt.answer)
			}
			if told, ok := errors.AsType[*bus.APIError](err); ok {
				if told.Code != tt.code || told.Message != tt.message {
					t.Errorf("error %s %q, want %s %q", told.Code, told.Message, tt.code, tt.message)
				}
			} else if err != nil || tt.code != "" {
				t.Errorf("error %v, want code %q", err, tt.code)
			}
		})
	}
}

func TestServeEndsOnlyAfterItsHandlers(t *testing.T) {
	b := bustest.New(t)
	started, ended := make(chan struct{}), make(chan struct{})
	stop := bustest.Start(t, func(ctx context.Context) error {
		err := b.Serve(ctx, bus.Service{Name: "bellbuoy", Version: "1.0.0", Endpoints: []bus.Endpoint{{Verb: "wait", Handle: func(ctx context.Context, body []byte) (any, error) {
			if len(body) == 0 {
				return "ready", nil
			}
			close(started)
			<-ctx.Done()
			close(ended)
			return "bye", nil
		}}}})
		select {
		case <-ended:
		default:
			t.Error("Serve returned while a handler ran")
		}
		return err
	})
	eventually(t, func() bool {
		_, err := b.Request(t.Context(), b.Subjects().API("wait"), nil)
		return err == nil
	})
	answered := make(chan error, 1)
	go func() {
		_, err := b.Request(t.Context(), b.Subjects().API("wait"), []byte("now"))
		answered <- err
	}()
	receive(t, started)
	stop()
	if err := receive(t, answered); err != nil {
		t.Errorf("the request in hand at the stop: %v", err)
	}
}
