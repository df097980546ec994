package notifier

import (
	"strings"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// waiting remembers which nudges are put off, and until when. Another notifier may get one of them back, so an entry
// counts only until a little after it was due.
type waiting struct {
	mu       sync.Mutex
	due      map[string]time.Time // by subject
	critical map[string]bool      // those of them that are
}

const (
	overdue = time.Minute
	// late is for how long what was due a moment ago is still about to come; soon is how long before that it is: longer than
	// what waits for a probe of somebody else's waits.
	late = 2 * time.Second
	soon = 1500 * time.Millisecond
)

func newWaiting() *waiting { return &waiting{due: map[string]time.Time{}, critical: map[string]bool{}} }

func (w *waiting) add(subject string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due[subject] = at
	if rankOf(subject) == schema.SeverityRank(schema.SeverityCritical) {
		w.critical[subject] = true
	}
}

func (w *waiting) remove(subject string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.due, subject)
	delete(w.critical, subject)
}

func (w *waiting) count(now time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for subject, at := range w.due {
		if now.Sub(at) > overdue {
			delete(w.due, subject)
			delete(w.critical, subject)
		}
	}
	return len(w.due)
}

// ahead is how many others of that rank or worse wait; none for a nudge that has waited already.
func (w *waiting) ahead(subject string, rank int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, waited := w.due[subject]; waited {
		return 0
	}
	n := 0
	for other := range w.due {
		if rankOf(other) >= rank {
			n++
		}
	}
	return n
}

// criticalComes tells whether a critical nudge is about to come.
func (w *waiting) criticalComes(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for subject := range w.critical {
		if ago := now.Sub(w.due[subject]); ago >= -soon && ago < late {
			return true
		}
	}
	return false
}

// rankOf is the rank of the severity in a conversation's subject, whatever its root.
func rankOf(subject string) int {
	tokens := strings.Split(subject, ".")
	return schema.SeverityRank(tokens[max(len(tokens)-2, 0)])
}
