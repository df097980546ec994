package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// bell is a webhook for measurements. It notes when a post came and of what, and does nothing else: it shares the
// machine with what is measured.
type bell struct {
	*httptest.Server
	rung chan ring
}

// ring is one post.
type ring struct {
	at       time.Time
	id       string // of the conversation
	revision int
}

func newBell(b *testing.B) *bell {
	b.Helper()
	l := &bell{rung: make(chan ring, 4096)}
	l.Server = httptest.NewServer(http.HandlerFunc(l.take))
	b.Cleanup(l.Close)
	return l
}

func (l *bell) take(w http.ResponseWriter, q *http.Request) {
	at := time.Now()
	id, revision, _ := strings.Cut(q.Header.Get("Webhook-Id"), "-")
	n, err := strconv.Atoi(revision)
	if _, drained := io.Copy(io.Discard, q.Body); err != nil || drained != nil {
		http.Error(w, "not a post of a conversation", http.StatusBadRequest)
		return
	}
	l.rung <- ring{at, id, n}
}

// until waits until the conversation has been told up to the revision, and gives when the post that did so came.
// Rings of other conversations are forgotten.
func (l *bell) until(b *testing.B, id string, revision int) time.Time {
	b.Helper()
	late := time.NewTimer(bustest.Within)
	defer late.Stop()
	for {
		select {
		case r := <-l.rung:
			if r.id == id && r.revision >= revision {
				return r.at
			}
		case <-late.C:
			b.Fatalf("revision %d of %s was not told within %s", revision, id, bustest.Within)
		}
	}
}

// first waits until every one of the conversations has been told, and gives when each was for the first time.
func (l *bell) first(b *testing.B, of map[string]time.Time) map[string]time.Time {
	b.Helper()
	got := map[string]time.Time{}
	late := time.NewTimer(bustest.Within)
	defer late.Stop()
	for len(got) < len(of) {
		select {
		case r := <-l.rung:
			if _, wanted := of[r.id]; wanted && got[r.id].IsZero() {
				got[r.id] = r.at
			}
		case <-late.C:
			b.Fatalf("only %d of %d alerts were told within %s", len(got), len(of), bustest.Within)
		}
	}
	return got
}
