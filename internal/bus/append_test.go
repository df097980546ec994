package bus_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestAppendStoresOnlyOnTopOfWhatItExpects(t *testing.T) {
	tests := []struct {
		name     string
		severity string // of the second write; the first is a warning
		expect   func(first uint64) uint64
		want     error
	}{
		{"the-head", schema.SeverityWarning, func(first uint64) uint64 { return first }, nil},
		{"the-head-of-another-severity", schema.SeverityCritical, func(first uint64) uint64 { return first }, nil},
		{"nothing", schema.SeverityWarning, func(uint64) uint64 { return 0 }, bus.ErrConflict},
		{"nothing-under-another-severity", schema.SeverityCritical, func(uint64) uint64 { return 0 }, bus.ErrConflict},
		{"something-newer", schema.SeverityWarning, func(first uint64) uint64 { return first + 7 }, bus.ErrConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := bustest.New(t)
			first := mustAppend(t, b, write("checkout", 1, schema.SeverityWarning, 0))
			_, err := b.Append(t.Context(), write("checkout", 2, tt.severity, tt.expect(first)))
			if !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
}

func TestAppendRefusesWhatNoReaderWouldAccept(t *testing.T) {
	b := bustest.New(t)
	good := write("checkout", 1, schema.SeverityWarning, 0)
	spoil := map[string]func(*bus.Write){
		"schema":   func(w *bus.Write) { w.Conversation.Schema = "" },
		"id":       func(w *bus.Write) { w.Conversation.ID = "0123456789abcdef" },
		"severity": func(w *bus.Write) { w.Conversation.Severity = "dire" },
		"kind":     func(w *bus.Write) { w.Event.Kind = "" },
	}
	for name, do := range spoil {
		w := good
		do(&w)
		if _, err := b.Append(t.Context(), w); err == nil {
			t.Errorf("a wrong %s is stored", name)
		}
	}
	if got := bustest.Conversations(t, b); len(got) != 0 {
		t.Errorf("stored: %+v", got)
	}
}

func TestAppendKeepsTheTraceAndTheKindInHeaders(t *testing.T) {
	b := bustest.New(t)
	w := write("checkout", 1, schema.SeverityWarning, 0)
	w.Conversation.TraceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	mustAppend(t, b, w)
	s, err := stream(t, b).Stream(t.Context(), bus.StreamAlerts)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetLastMsgForSubject(t.Context(), b.Subjects().Alerts())
	if err != nil {
		t.Fatal(err)
	}
	got := []string{m.Header.Get("Bellbuoy-Event"), m.Header.Get("traceparent"), m.Header.Get("Nats-Msg-Id")}
	want := []string{"opened", "00-" + w.Conversation.TraceID + "-" + w.Conversation.ID + "-01", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestEightWritersOpenEachConversationOnce(t *testing.T) {
	const writers, conversations = 8, 100
	s := bustest.Server(t)
	var won atomic.Int64
	var wg sync.WaitGroup
	for n := range writers {
		b := s.Connect(t)
		wg.Go(func() {
			severity := []string{schema.SeverityWarning, schema.SeverityCritical}[n%2]
			for i := range conversations {
				switch _, err := b.Append(t.Context(), write(fmt.Sprintf("service-%d", i), 1, severity, 0)); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, bus.ErrConflict):
					t.Errorf("append: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if got := won.Load(); got != conversations {
		t.Errorf("%d writes won, want %d", got, conversations)
	}
	b := s.Connect(t)
	all := bustest.Conversations(t, b)
	if len(all) != conversations {
		t.Errorf("%d conversations, want %d", len(all), conversations)
	}
	for _, c := range all {
		if n := len(bustest.Events(t, b, c.ID)); n != 1 {
			t.Errorf("%s was opened %d times", c.Object, n)
		}
	}
}

func TestAppendAllStoresEverything(t *testing.T) {
	for _, n := range []int{0, 1, 5, 6, 500, 1101} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			b := bustest.New(t)
			ws := make([]bus.Write, n)
			for i := range ws {
				ws[i] = write(fmt.Sprintf("service-%d", i), 1, schema.SeverityWarning, 0)
			}
			stored, err := b.AppendAll(t.Context(), ws)
			if err != nil {
				t.Fatal(err)
			}
			for i, ok := range stored {
				if !ok {
					t.Fatalf("write %d is not stored", i)
				}
			}
			if got := len(bustest.Conversations(t, b)); got != n {
				t.Errorf("%d conversations, want %d", got, n)
			}
		})
	}
}

func TestAConflictInABatchHarmsNobodyElse(t *testing.T) {
	b := bustest.New(t)
	mustAppend(t, b, write("service-3", 1, schema.SeverityCritical, 0))
	ws := make([]bus.Write, 20)
	for i := range ws {
		ws[i] = write(fmt.Sprintf("service-%d", i), 1, schema.SeverityWarning, 0)
	}
	stored, err := b.AppendAll(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	for i, ok := range stored {
		if ok != (i != 3) {
			t.Errorf("stored[%d] is %t", i, ok)
		}
	}
	for i, w := range ws {
		if n := len(bustest.Events(t, b, w.Conversation.ID)); n != 1 {
			t.Errorf("conversation %d has %d events, want 1", i, n)
		}
	}
	if h := mustHead(t, b, ws[3].Conversation.ID); h.Conversation.Severity != schema.SeverityCritical {
		t.Errorf("the winner was overwritten: %+v", h.Conversation)
	}
}

func TestTwoWritesToOneConversationInABatchDoNotHideEachOther(t *testing.T) {
	b := bustest.New(t)
	var ws []bus.Write
	for i := range 10 {
		ws = append(ws, write(fmt.Sprintf("service-%d", i), 1, schema.SeverityWarning, 0))
	}
	ws = append(ws, write("service-0", 1, schema.SeverityCritical, 0))
	stored, err := b.AppendAll(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	if !stored[0] || stored[10] {
		t.Errorf("stored is %v, want the first of service-0 and not the second", stored)
	}
	if n := len(bustest.Events(t, b, ws[0].Conversation.ID)); n != 1 {
		t.Errorf("service-0 has %d events, want 1", n)
	}
}
