package host

import (
	"cmp"
	"slices"
	"time"
)

// Asking systemd about a unit costs it and us most of a millisecond, listing all units no more than asking about ten.
// So all are listed with every reading, and asked about are those that something happens to, and of the others a few
// in turn: a restart of a unit that looks the same before and after is seen within a minute or so, a unit file that was
// enabled within a few.
const (
	lively     = 10 * time.Minute // how long a unit that restarted is looked at with every reading
	turnLive   = 10               // units in turn that run, have failed, or are a timer's
	turnAsleep = 3                // of the others
)

// looked is what is known of a unit since it was last asked about.
type looked struct {
	unit unit
	row  row
	at   int // the number of the reading; lower is longer ago
}

// due picks the units to ask about, out of those listed and known. restless tells of a unit that restarted lately.
func due(rows []row, known map[string]looked, restless func(id string) bool) []string {
	var ask, live, asleep []string
	for _, r := range rows {
		have, ok := known[r.ID]
		switch {
		case r.Load != loaded:
		case !ok, have.row != r, unsettled(r), restless(r.ID):
			ask = append(ask, r.ID)
		case r.Active == failed, r.Active == active && !have.unit.job(), have.unit.timed():
			live = append(live, r.ID)
		default:
			asleep = append(asleep, r.ID)
		}
	}
	longest := func(ids []string, n int) []string {
		slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(known[a].at, known[b].at) })
		return ids[:min(n, len(ids))]
	}
	return slices.Concat(ask, longest(live, turnLive), longest(asleep, turnAsleep))
}

func unsettled(r row) bool {
	return r.Active == activating || r.Active == deactivating || r.Active == reloading
}
