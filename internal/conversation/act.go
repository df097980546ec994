package conversation

import (
	"cmp"
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// The verbs, one function each: what it does, or why not.

// Bounds of a silence, and its length if none is said.
const (
	defaultSilence = time.Hour
	minSilence     = time.Minute
	maxSilence     = 30 * 24 * time.Hour
)

func (r *reply) acknowledge() {
	switch owner := r.was.Owner; {
	case !r.isOpen("acknowledged"):
	case owner == r.name() && acknowledged(r.was):
		r.refuse(fmt.Sprintf("%s has it already.", owner))
	case owner != "" && owner != r.name():
		r.c.Owner = r.name()
		r.did(schema.EventAcknowledged, fmt.Sprintf("%s takes it over from %s.", r.name(), owner))
	default:
		r.c.Owner = r.name()
		r.did(schema.EventAcknowledged, r.name()+" has it.")
	}
}

func (r *reply) unacknowledge() {
	switch owner := r.was.Owner; {
	case !r.isOpen("given back"):
	case owner == "":
		r.refuse("Nobody has acknowledged it.")
	case owner == r.name():
		r.c.Owner = ""
		r.did(schema.EventUnacknowledged, owner+" gives it back.")
	default:
		r.c.Owner = ""
		r.did(schema.EventUnacknowledged, fmt.Sprintf("%s no longer has it, says %s.", owner, r.name()))
	}
}

func (r *reply) silence() {
	until := r.at.Add(cmp.Or(r.verb.For, defaultSilence))
	switch {
	case r.verb.For == 0 && !r.Until.IsZero():
		until = utc(r.Until) // a gateway knows what tomorrow is where the person is
	case r.verb.Until != "":
		until = r.verb.until(r.at)
	}
	switch {
	case !r.isOpen("silenced"):
	case until.Sub(r.at) < minSilence:
		r.refuse("Not silenced: that would be over at once. Say for how long, like silence 2h.")
	case until.Sub(r.at) > maxSilence:
		r.refuse("Not silenced: 30 days is the longest. Say dismiss if it need not be told at all.")
	default:
		r.c.SilencedUntil, r.c.SilencedBy = until, ""
		r.did(schema.EventSilenced, fmt.Sprintf("Silenced by %s until %s.", r.name(), clock(until, r.at)))
	}
}

func (r *reply) unsilence() {
	if r.was.Closed() || r.was.SilencedUntil.IsZero() {
		r.refuse("It is not silenced.")
		return
	}
	r.c.SilencedUntil = time.Time{}
	r.did(schema.EventUnsilenced, fmt.Sprintf("%s ended the silence.", r.name()))
}

func (r *reply) resolve() {
	switch {
	case !r.isOpen("resolved"):
	case watched(r.was) >= 0:
		r.refuse(fmt.Sprintf("%s called it resolved already; it is watched until %s.",
			who(r.was.Messages[watched(r.was)].Author), clock(watchEnd(r.was), r.at)))
	default:
		r.c.SilencedUntil = time.Time{} // whoever says so wants to hear if not
		r.did(schema.EventResolved, fmt.Sprintf("%s says it is resolved. Watching for %s.",
			r.name(), span(watchIntervals*interval(r.was))))
	}
}

func (r *reply) dismiss() {
	if !r.isOpen("dismissed") {
		return
	}
	r.c.SilencedUntil = time.Time{}
	r.close(schema.StateDismissed)
	r.did(schema.EventDismissed, fmt.Sprintf("Dismissed by %s: quiet until it was well once or gets worse.", r.name()))
}

func (r *reply) reopenByHand() {
	if !r.was.Closed() && watched(r.was) < 0 {
		r.refuse("It is open.")
		return
	}
	anew := !byModel(r.was.Diagnosis) || r.was.Closed() && r.at.Sub(endedAt(r.was)) >= sameEpisode
	r.unclose()
	r.c.SilencedUntil = time.Time{}
	r.did(schema.EventReopened, fmt.Sprintf("Reopened by %s.", r.name()))
	if i := owing(r.was); anew && i >= 0 {
		r.c.Messages[len(r.c.Messages)-1].Settles = r.was.Messages[i].ID
	}
}

func (r *reply) judge() {
	switch {
	case r.was.Diagnosis == nil:
		r.refuse("There is no diagnosis to judge.")
	case r.verb.Name == VerbRight:
		r.did(schema.EventJudged, fmt.Sprintf("%s says the diagnosis is right.", r.name()))
	case r.verb.Note != "":
		r.person(schema.EventJudged, fmt.Sprintf("%s says the diagnosis is wrong: %s", r.name(), r.verb.Note))
	default:
		r.person(schema.EventJudged, fmt.Sprintf("%s says the diagnosis is wrong.", r.name()))
	}
}

func (r *reply) approve() {
	if run := nextCommand(r.was); run != "" {
		r.refuse(fmt.Sprintf("Bellbuoy cannot run commands yet: run `%s`, then say done.", run))
		return
	}
	r.refuse("Bellbuoy cannot run commands yet, and there is none to run.")
}

// allowed lists what the author may say now.
func (r *reply) allowed() string {
	if r.deny != "" {
		return "You can ask, and say help. " + prose(r.deny, maxContent)
	}
	return allowed(r.was)
}

// allowed lists what may be said to c now.
func allowed(c schema.Conversation) string {
	const always = "Anything else is a question."
	judge := ""
	if c.Diagnosis != nil {
		judge = "right or wrong … (the diagnosis), "
	}
	switch {
	case c.Closed():
		return fmt.Sprintf("It is closed (%s). You can say reopen, %shelp. %s", c.ClosedAs, judge, always)
	case !c.SilencedUntil.IsZero():
		return fmt.Sprintf("You can say unsilence, silence 2h, ack, unack, resolve, dismiss, %shelp. %s", judge, always)
	case watched(c) >= 0:
		return fmt.Sprintf("You can say reopen (it is not resolved), ack, unack, silence 2h, dismiss, %shelp. %s", judge, always)
	case c.Owner != "":
		return fmt.Sprintf("You can say unack, ack (to take it over), silence 2h, resolve, dismiss, %shelp. %s", judge, always)
	}
	return fmt.Sprintf("You can say ack, silence 2h, resolve, dismiss, %shelp. %s", judge, always)
}
