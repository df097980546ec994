package console_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// BenchmarkEvents prints the opening of 10,000 conversations, as `up` and `watch` do when all of them begin at once.
func BenchmarkEvents(b *testing.B) {
	var all []schema.Conversation
	for i := range 10_000 {
		all = append(all, channeltest.Opened(fmt.Sprintf("service-%d", i)))
	}
	for b.Loop() {
		p := console.New(io.Discard, console.Options{})
		for _, c := range all {
			p.Event(c, c.Messages[0])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(all)), "µs/event")
}
