package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Memory is what has to be known of the snapshots before, one record per cluster, kept as JSON. Its zero value is
// that of a cluster never seen. It holds only objects with something to remember.
type Memory struct {
	Seq           uint64        `json:"seq"`                // of the newest snapshot folded in
	Epoch         time.Time     `json:"epoch,omitzero"`     // of the stream that Seq counts in
	TakenAt       time.Time     `json:"taken_at,omitzero"`  // of the newest snapshot folded in
	Since         time.Time     `json:"since,omitzero"`     // of the first; what happened before is no news
	Age           time.Duration `json:"age,omitempty"`      // time covered since of services, in steps as holds count them
	NodeAge       time.Duration `json:"node_age,omitempty"` // the same of nodes
	CountersSince time.Time     `json:"counters_since,omitzero"`
	Counted       uint64        `json:"counted,omitempty"`     // fingerprint of the services whose restarts were known
	Logged        uint64        `json:"logged,omitempty"`      // the same of those whose errors were known
	LoggedSince   time.Time     `json:"logged_since,omitzero"` // since when those have been the same ones
	LogsRead      time.Time     `json:"logs_read,omitzero"`    // since when the errors of any service have been known
	Collector     *collector    `json:"collector,omitempty"`   // whose snapshots are taken
	Clock         *clockMemory  `json:"clock,omitempty"`       // of its collector
	Heard         heard         `json:"heard,omitzero"`        // the newest snapshot folded in, whoever published it
	Ran           []byte        `json:"ran,omitempty"`         // what runs of each service that bears an image or the time of a deploy
	RanBefore     []byte        `json:"ran_before,omitempty"`  // the same of services that have left
	InStorm       *storm        `json:"storm,omitempty"`
	Explained     []explained   `json:"explained,omitempty"` // what objects are put down to
	Objects       []record      `json:"objects,omitempty"`   // sorted
}

// record is what is remembered of one object.
type record struct {
	Object     schema.Object `json:"object"`
	Conditions []condition   `json:"conditions,omitempty"` // in declared order; none of them idle
	Restarts   *restarts     `json:"restarts,omitempty"`
	Errors     *errorLog     `json:"errors,omitempty"`
	GPUErrors  []sample      `json:"gpu_errors,omitempty"` // of a node: index and last known total of each GPU
	Boot       int64         `json:"boot,omitempty"`       // of a node: its boot time, in Unix seconds
	OOM        time.Time     `json:"oom,omitzero"`         // the newest one already told
	Job        time.Time     `json:"job,omitzero"`         // the newest failure already told
	Draining   bool          `json:"draining,omitempty"`   // a node that was taken out of use on purpose
	Absent     time.Time     `json:"absent,omitzero"`      // complete snapshots lack it since then
	Missing    time.Duration `json:"missing,omitempty"`    // how long they have lacked it
	Gone       bool          `json:"gone,omitempty"`       // it was firing when it left for good
	Deploy     *deploy       `json:"deploy,omitempty"`     // of a service
	Flaps      *flaps        `json:"flaps,omitempty"`
	Places     places        `json:"places,omitempty"`    // of a service that is not well: where it ran
	Explained  int           `json:"explained,omitempty"` // what it is put down to while it is firing: the how manieth of the memory's
	Alone      alone         `json:"alone,omitempty"`
}

// condition is one condition of an object. Severity, Title and Facts are those of the last snapshot that showed it.
type condition struct {
	Name string `json:"name"`
	phase
	Worse    phase         `json:"worse,omitzero"`   // of what makes it more severe
	Over     []string      `json:"over,omitempty"`   // of several numbers: which ones have made it true
	Unread   time.Time     `json:"unread,omitzero"`  // nothing has read its part since then
	Blind    time.Duration `json:"blind,omitempty"`  // for how long
	Graced   bool          `json:"graced,omitempty"` // its hold is over, and the grace after a deploy keeps it back
	After    string        `json:"after,omitempty"`  // the deploy in whose grace it began, as a fact
	Severity string        `json:"severity,omitempty"`
	Title    string        `json:"title,omitempty"`
	Facts    []string      `json:"facts,omitempty"`
}

// find is the condition of that name, idle where none is remembered.
func (r *record) find(name string) condition {
	for i := range r.Conditions {
		if r.Conditions[i].Name == name {
			return r.Conditions[i]
		}
	}
	return condition{Name: name}
}

// worth tells whether there is anything to remember.
func (r *record) worth() bool {
	return len(r.Conditions) > 0 || r.Restarts != nil || r.Errors != nil || r.GPUErrors != nil || r.Boot != 0 ||
		!r.OOM.IsZero() || !r.Job.IsZero() || r.Draining || r.Gone || r.Deploy != nil || r.Flaps != nil
}

func (r *record) firing() bool {
	return slices.ContainsFunc(r.Conditions, func(c condition) bool { return c.Firing })
}

const (
	maxDeploys = 2000 // services whose deploys are remembered at once; the grace of others is over
	maxFlaps   = 4000 // objects whose beginnings are remembered at once, but for those that are flapping
)

// bound forgets what is too many for the memory's record.
func bound(records []record) {
	var deploys, flaps int
	for i := range records {
		r := &records[i]
		if r.Deploy != nil {
			if deploys++; deploys > maxDeploys {
				r.Deploy = nil
			}
		}
		if r.Flaps != nil && r.Flaps.Note == "" {
			if flaps++; flaps > maxFlaps {
				r.Flaps = nil
			}
		}
	}
}

func compareObjects(a, b schema.Object) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// recall is what is remembered of o, an empty record where nothing is.
func (m *Memory) recall(o schema.Object) record {
	i, found := slices.BinarySearchFunc(m.Objects, o, func(r record, o schema.Object) int { return compareObjects(r.Object, o) })
	if !found {
		return record{Object: o}
	}
	return m.Objects[i]
}
