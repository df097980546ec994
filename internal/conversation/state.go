package conversation

import (
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// watchIntervals is for how many snapshots a conversation that a person called resolved is watched.
const watchIntervals = 8

// State is the state that c's history amounts to; empty for the zero conversation.
func State(c schema.Conversation) string {
	switch {
	case c.ID == "":
		return ""
	case c.Closed():
		return c.ClosedAs
	case !c.SilencedUntil.IsZero():
		return schema.StateSilenced
	case watched(c) >= 0:
		return schema.StateWatching
	case acknowledged(c):
		return schema.StateAcknowledged
	case byModel(c.Diagnosis):
		return schema.StateDiagnosed
	}
	return schema.StateInvestigating
}

// wakeAt is the earliest deadline that is still pending; a closed conversation has none.
func wakeAt(c schema.Conversation) time.Time {
	if c.Closed() {
		return time.Time{}
	}
	return earliest(c.SilencedUntil, watchEnd(c), escalateAt(c), remindAt(c))
}

// earliest of those times that are set.
func earliest(times ...time.Time) (at time.Time) {
	for _, t := range times {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

// watched is the index of the resolve whose watch is still on, or -1.
func watched(c schema.Conversation) int {
	i := last(c, schema.EventOpened, schema.EventReopened, schema.EventResolved, schema.EventStillFiring)
	if i >= 0 && c.Messages[i].Kind == schema.EventResolved {
		return i
	}
	return -1
}

// watchEnd is when the watch is over; zero if there is none.
func watchEnd(c schema.Conversation) time.Time {
	i := watched(c)
	if i < 0 {
		return time.Time{}
	}
	return c.Messages[i].At.Add(watchIntervals * interval(c))
}

func interval(c schema.Conversation) time.Duration {
	if c.Interval <= 0 {
		return schema.DefaultInterval
	}
	return time.Duration(c.Interval * float64(time.Second))
}

// acknowledged tells whether the owner's acknowledgement still holds. An owner whose acknowledgement was broken
// through stays named, but does not have it.
func acknowledged(c schema.Conversation) bool {
	i := last(c, schema.EventOpened, schema.EventReopened, schema.EventAcknowledged, schema.EventUnacknowledged)
	return c.Owner != "" && i >= 0 && c.Messages[i].Kind == schema.EventAcknowledged
}

// byModel tells whether d is a model's verdict.
func byModel(d *schema.Diagnosis) bool { return d != nil && d.Source != schema.SourceRules }

// last is the index of the newest message of one of kinds, or -1.
func last(c schema.Conversation, kinds ...string) int {
	for i, m := range slices.Backward(c.Messages) {
		if slices.Contains(kinds, m.Kind) {
			return i
		}
	}
	return -1
}
