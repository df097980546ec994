package bus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const cluster = "prod"

// write is the step from revision-1 to revision of the conversation about a service.
func write(service string, revision int, severity string, expect uint64) bus.Write {
	o := schema.Object{Kind: schema.KindService, Name: service}
	id := schema.ConversationID(cluster, o)
	kind := schema.EventOpened
	if revision > 1 {
		kind = schema.EventWorsened
	}
	e := schema.Message{ID: fmt.Sprintf("%s-%d", id, revision), At: time.Unix(int64(revision), 0).UTC(), Kind: kind, Sender: schema.SenderSystem}
	return bus.Write{
		Conversation: schema.Conversation{
			Schema: schema.ConversationVersion, ID: id, Cluster: cluster, Object: o, Severity: severity,
			Conditions: []schema.Condition{}, Messages: []schema.Message{e}, Revision: revision,
		},
		Event: e, Expect: expect,
	}
}

func mustAppend(t *testing.T, b *bus.Bus, w bus.Write) uint64 {
	t.Helper()
	seq, err := b.Append(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func mustHead(t *testing.T, b *bus.Bus, id string) bus.Head {
	t.Helper()
	h, err := b.Head(t.Context(), cluster, id)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func body(t *testing.T, w bus.Write) []byte {
	t.Helper()
	raw, err := json.Marshal(schema.Alert{Event: w.Event, Conversation: w.Conversation})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// receive waits for the next value of c.
func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	late := time.NewTimer(bustest.Within)
	defer late.Stop()
	select {
	case v := <-c:
		return v
	case <-late.C:
		t.Fatalf("nothing came within %s", bustest.Within)
		panic("unreachable")
	}
}

// consume starts a consumer and returns what stops it.
func consume(t *testing.T, b *bus.Bus, consumer string, workers int, h bus.Handler) (stop func()) {
	t.Helper()
	return bustest.Start(t, func(ctx context.Context) error { return b.Consume(ctx, consumer, workers, h) })
}

func publish(t *testing.T, b *bus.Bus, subject, text string) uint64 {
	t.Helper()
	seq, err := b.Publish(t.Context(), subject, []byte(text), "")
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// unread are the consumers that a test with only these readers leaves alone.
func unread(readers ...string) []string {
	left := []string{}
	for _, c := range bus.Consumers(bus.Setup{Channels: []string{"webhook"}}) {
		read := false
		for _, r := range readers {
			read = read || r == c.Name
		}
		if !read {
			left = append(left, c.Name)
		}
	}
	return left
}

// notes keeps what is logged.
type notes struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.Write(b)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.String()
}

func (n *notes) logger() *slog.Logger { return slog.New(slog.NewTextHandler(n, nil)) }

// counted is the sum of a counter over the series with these label values, in the order of the labels' names, or over all.
func counted(t *testing.T, r prometheus.Gatherer, name string, labels ...string) (sum float64) {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			values := []string{}
			for _, l := range m.GetLabel() {
				values = append(values, l.GetValue())
			}
			if len(labels) == 0 || slices.Equal(values, labels) {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
