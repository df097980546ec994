package bus_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// From a stored message to its handler: what every stage of the pipeline pays at least, with every write on the disk.
func BenchmarkPublishToHandler(b *testing.B) {
	bb := bustest.New(b)
	got := make(chan struct{}, 1)
	bustest.Start(b, func(ctx context.Context) error {
		return bb.Consume(ctx, bus.Watch, 1, func(context.Context, bus.Message) error {
			got <- struct{}{}
			return nil
		})
	})
	for b.Loop() {
		if _, err := bb.Publish(b.Context(), bb.Subjects().Context(cluster), []byte("{}"), ""); err != nil {
			b.Fatal(err)
		}
		<-got
	}
}

func BenchmarkAppend(b *testing.B) {
	bb := bustest.New(b)
	i := 0
	for b.Loop() {
		i++
		if _, err := bb.Append(b.Context(), write(fmt.Sprint(i), 1, schema.SeverityWarning, 0)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHead(b *testing.B) {
	bb := bustest.New(b)
	w := write("a", 1, schema.SeverityWarning, 0)
	if _, err := bb.Append(b.Context(), w); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := bb.Head(b.Context(), cluster, w.Conversation.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendAll1000(b *testing.B) {
	bb := bustest.New(b)
	n := 0
	for b.Loop() {
		ws := make([]bus.Write, 1000)
		for i := range ws {
			n++
			ws[i] = write(fmt.Sprint(n), 1, schema.SeverityWarning, 0)
		}
		if _, err := bb.AppendAll(b.Context(), ws); err != nil {
			b.Fatal(err)
		}
	}
}
