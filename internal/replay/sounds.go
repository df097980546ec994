package replay

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// sounds tells whether a post of that kind calls somebody: what begins, what gets worse, what nobody has or somebody should
// not forget, and what still fails once a silence is over. What goes on in the same episode, and what is over, do not.
func sounds(kind string) bool {
	switch kind {
	case schema.EventOpened, schema.EventWorsened, schema.EventEscalated, schema.EventStillFiring, schema.EventUnsilenced:
		return true
	}
	return false
}

// loudest is the place of the event that makes the sound of a post of that kind, in what has just happened; -1: it makes
// none. A post may be about what happened before and was not told then: the newest event makes its sound.
func loudest(kind string, events []schema.Message) int {
	if !sounds(kind) {
		return -1
	}
	if i := slices.IndexFunc(events, func(m schema.Message) bool { return m.Kind == kind }); i >= 0 {
		return i
	}
	for i := range slices.Backward(events) {
		if sounds(events[i].Kind) {
			return i
		}
	}
	return len(events) - 1
}
