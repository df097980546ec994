package bustest

import (
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// Shrink gives a stream another limit, in bytes, so that little fills it.
func Shrink(t testing.TB, b *bus.Bus, stream string, bytes int64) {
	t.Helper()
	s, err := js(t, b).Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	config := s.CachedInfo().Config
	config.MaxBytes = bytes
	if _, err := js(t, b).UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
}
