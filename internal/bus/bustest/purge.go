package bustest

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// Purge removes what a stream keeps of a subject, as an operator does.
func Purge(t testing.TB, b *bus.Bus, stream, subject string) {
	t.Helper()
	s, err := js(t, b).Stream(t.Context(), stream)
	if err == nil {
		err = s.Purge(t.Context(), jetstream.WithPurgeSubject(subject))
	}
	if err != nil {
		t.Fatal(err)
	}
}
