// Package source is the seam between the collector and the platforms it reads: what a source is, and what one
// reading of it gives. Each platform is a package below this one, which sees this package, schema, scrub and config.
//
// A source keeps nothing that must outlive the process. What it needs again after a restart it hands over as State
// with every reading, and the collector stores that together with the windows it keeps for all sources.
package source

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Source reads one platform. Its methods are called from one goroutine.
type Source interface {
	// Read reads the platform once, within ctx. Its error means that nothing could be read; a part that could not is
	// unknown (nil) in the reading instead.
	Read(ctx context.Context) (Reading, error)
	Close() error
}

// Waker is a source that can tell that something has happened which is worth an extra reading at once.
type Waker interface {
	// Wake gives a channel that receives, without ever blocking the source, when a reading is due.
	Wake() <-chan struct{}
}

// Reading is what a source saw at one moment. RestartsTotal, ErrorsTotal, RestartCount24h, ErrorCount1h and
// LastFailure of its services are left to the collector, unless the source keeps such totals itself.
type Reading struct {
	Snapshot  schema.ClusterContext
	Happened  []Happening     // in order, each once, since the reading before or since State
	State     json.RawMessage // what the source wants back from the collector when it is opened again
	GapBefore bool            // happenings may have been lost before this reading

	// Reads says of each of schema.Parts that the source knows of whether it reads that part: empty, or why it cannot
	// here. A part that no source reads makes the snapshot's list of unread ones. nil: unknown, taken for all of them.
	Reads map[string]string
}

// ErrAbsent is in the error of a source whose platform this machine does not have. Whoever asked for that source by
// name is told so as of any failure; with SOURCE=auto the source is left out, and looked for again.
var ErrAbsent = errors.New("not there")

// Kinds of happening.
const (
	Failed    = "failed"    // counts towards errors; Failure says how
	Restarted = "restarted" // counts towards restarts
	Logged    = "logged"    // Count lines at error level, which count towards errors and are no failure
	Noted     = "noted"     // counts towards nothing, goes into recent events
)

// Happening is one thing that happened to one service. Key is the same whenever the same thing is reported again.
type Happening struct {
	Key     string
	At      time.Time
	Kind    string // failed, restarted, logged, noted
	Object  schema.Object
	Failure *schema.Failure // of Failed only
	Count   int64           // of Logged only
	Event   string          // the event's kind for recent events: die, oom, start, health_status, …; empty: none
	Text    string          // redacted
}
