package conversation

import (
	"maps"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	// sameEpisode is how soon after its end a conversation goes on in the same episode.
	sameEpisode = 30 * time.Minute
	// oneFailure is how long several rules may take to see one failure: what they add in that time is for the
	// diagnosis that is owed already.
	oneFailure = 5 * time.Minute
)

// NeedsEvidence tells whether f would open, reopen or worsen c, which is when Next takes f's Evidence, Links and
// Diagnosis.
func NeedsEvidence(c schema.Conversation, f Found) bool {
	next, _ := Next(c, f)
	return next.Revision > c.Revision && last(newest(next, next.Revision-c.Revision),
		schema.EventOpened, schema.EventReopened, schema.EventWorsened) >= 0
}

// newest is c with its last n messages only.
func newest(c schema.Conversation, n int) schema.Conversation {
	c.Messages = c.Messages[max(0, len(c.Messages)-n):]
	return c
}

func found(c schema.Conversation, f Found) (schema.Conversation, string) {
	f.At = utc(f.At)
	now := worstFirst(f.Conditions, f.At)
	if c.ID == "" {
		switch {
		case len(now) == 0 || f.Removed:
			return c, "nothing is wrong"
		case f.Cause != nil:
			return c, explained(*f.Cause)
		}
		return begin(c, f.At).open(f, now)
	}
	switch {
	case c.Cluster != f.Cluster || c.Object != f.Object:
		return c, "about another object"
	case superseded(c, f):
		return foundTwice(c, f)
	case f.Removed || len(now) == 0:
		return foundWell(c, f)
	case f.Cause != nil:
		return foundExplained(c, f)
	case c.Closed():
		return foundAgain(c, f, now)
	}
	return foundOpen(c, f, now)
}

func superseded(c schema.Conversation, f Found) bool {
	return f.Epoch.Equal(c.SnapshotEpoch) && (f.Seq < c.SnapshotSeq || f.Seq == c.SnapshotSeq && !f.Late)
}

// foundOpen is about an open conversation of which something is true.
func foundOpen(c schema.Conversation, f Found, now []schema.Condition) (schema.Conversation, string) {
	d := compare(c, now, f.At)
	if d.nothing() && !hushes(c, f.Silence) && !growing(c, f) && !inherits(c, f) {
		return c, "nothing has changed"
	}
	s := begin(c, f.At)
	s.input(f)
	s.track(d)
	if len(d.ended)+len(d.less) > 0 {
		s.say(schema.EventEased, schema.SenderSystem, easedText(d))
	}
	if len(d.more) == 0 {
		s.grow(f)
		s.hush(f.Silence, "")
		s.inherit(f)
		return s.end()
	}
	anew := owesAnew(c, f.At, now[0].Severity)
	s.take(f, anew)
	m := s.say(schema.EventWorsened, schema.SenderSystem, sentences(worsenedText(c, d), alsoAffected(c, f)))
	m.SuggestedCommand, m.Silent = command(nextCommand(s.c)), !louder(c, d.more[0].Severity, s.at)
	if i := owing(c); anew && i >= 0 {
		m.Settles = c.Messages[i].ID
	}
	s.breakThrough(c)
	s.hush(f.Silence, "")
	s.inherit(f)
	return s.end()
}

// louder tells whether people are to look up for what is new of c at the given time: what is more severe, and what is as
// severe, if nobody has it, and it is not the failure that they heard of a moment ago.
func louder(c schema.Conversation, severity string, at time.Time) bool {
	if !stillTrue(c) {
		return true
	}
	if rank(severity) != rank(c.Severity) {
		return rank(severity) > rank(c.Severity)
	}
	heard := -1
	for i, m := range c.Messages {
		if !m.Silent && slices.Contains([]string{schema.EventOpened, schema.EventReopened, schema.EventWorsened}, m.Kind) {
			heard = i
		}
	}
	return !acknowledged(c) && (heard < 0 || at.Sub(c.Messages[heard].At) >= oneFailure)
}

// owesAnew tells whether a severity that is reached at the given time deserves a diagnosis of its own.
func owesAnew(c schema.Conversation, at time.Time, severity string) bool {
	i := owing(c)
	if i < 0 {
		return false
	}
	seen := seenSince(c, c.Messages[i].At)
	if seen <= rank(schema.SeverityInfo) { // nothing was ever due
		return rank(severity) > seen
	}
	return rank(severity) > seen && at.Sub(c.Messages[i].At) >= oneFailure
}

// breakThrough ends what no longer covers the severity, was being the conversation before it.
func (s *step) breakThrough(was schema.Conversation) {
	if acknowledged(was) && !covers(was, schema.EventAcknowledged, s.c.Severity) {
		s.say(schema.EventUnacknowledged, schema.SenderSystem, brokenText(s.c, was.Owner+"'s acknowledgement"))
	}
	s.breakSilence(was)
	if watched(was) >= 0 && !covers(was, schema.EventResolved, s.c.Severity) {
		s.say(schema.EventStillFiring, schema.SenderSystem, brokenText(s.c, "the resolve")+" It stays open.")
	}
}

func (s *step) breakSilence(was schema.Conversation) {
	if !s.c.SilencedUntil.IsZero() && !byScope(s.c) && !covers(was, schema.EventSilenced, s.c.Severity) {
		s.c.SilencedUntil = time.Time{}
		s.say(schema.EventUnsilenced, schema.SenderSystem, brokenText(s.c, "the silence"))
	}
}

// foundWell is about an object that is well, or gone.
func foundWell(c schema.Conversation, f Found) (schema.Conversation, string) {
	ended := stillTrue(c)
	switch {
	case c.Closed() && !ended:
		return c, "well, and closed already"
	case !ended && !f.Removed:
		return c, "well, but a person reopened it: it stays open until something came and went, or until resolved or dismissed"
	}
	s := begin(c, f.At)
	s.input(f)
	s.track(compare(c, nil, s.at))
	s.say(schema.EventCleared, schema.SenderSystem, clearedText(c, f, s.at))
	if !c.Closed() { // a dismissed one stays dismissed
		s.close(closedBy(c, f))
	}
	return s.end()
}

func closedBy(c schema.Conversation, f Found) string {
	switch {
	case f.Removed, f.Unjudged != "":
		return schema.StateRemoved
	case watched(c) >= 0:
		return schema.StateResolved
	}
	return schema.StateCleared
}

// foundAgain is about a closed conversation of whose object something is true.
func foundAgain(c schema.Conversation, f Found, now []schema.Condition) (schema.Conversation, string) {
	over := endedAt(c)
	switch {
	case stillTrue(c) && rank(now[0].Severity) <= rank(c.Severity):
		return c, "dismissed: quiet until it was well once or gets worse"
	case stillTrue(c) || f.At.Sub(over) < sameEpisode:
		return begin(c, f.At).reopen(f, now, over)
	}
	return begin(c, f.At).open(f, now)
}

// endedAt is when c was closed, or well after that.
func endedAt(c schema.Conversation) time.Time {
	at := c.ClosedAt
	for _, x := range c.Conditions {
		if x.Until.After(at) {
			at = x.Until
		}
	}
	return at
}

// open begins the first episode, or the next one.
func (s *step) open(f Found, now []schema.Condition) (schema.Conversation, string) {
	was := s.c
	if was.ID == "" {
		s.c.Schema = schema.ConversationVersion
		s.c.ID, s.c.Cluster, s.c.Object = schema.ConversationID(f.Cluster, f.Object), f.Cluster, f.Object
	} else {
		s.shelve()
	}
	s.unclose()
	s.input(f)
	s.c.TraceID = f.TraceID
	s.c.Episode++
	s.c.StartedAt = s.at
	s.c.Conditions, s.c.Evidence, s.c.Diagnosis, s.c.CriticalSince = nil, nil, nil, time.Time{}
	s.c.Affected, s.c.AffectedCount = nil, 0
	s.track(compare(s.c, now, s.at))
	s.take(f, true)
	m := s.say(schema.EventOpened, schema.SenderSystem, openedText(s.c, f))
	m.SuggestedCommand, m.Silent = command(nextCommand(s.c)), f.Quiet
	s.endSilence(was, f)
	s.inheritSilence(f)
	s.inherit(f)
	return s.end()
}

// reopen goes on in the same episode.
func (s *step) reopen(f Found, now []schema.Condition, over time.Time) (schema.Conversation, string) {
	was := s.c
	anew := !byModel(was.Diagnosis) || s.at.Sub(over) >= sameEpisode || owesAnew(was, s.at, now[0].Severity)
	s.unclose()
	s.input(f)
	s.c.CriticalSince = time.Time{}
	s.track(compare(was, now, s.at))
	s.take(f, anew)
	m := s.say(schema.EventReopened, schema.SenderSystem, sentences(reopenedText(was, s.c, s.at.Sub(over)), alsoFailing(f)))
	m.SuggestedCommand, m.Silent = command(nextCommand(s.c)), f.Quiet && !stillTrue(was) // worse than it was is news
	if i := owing(was); anew && i >= 0 {
		m.Settles = was.Messages[i].ID
	}
	s.endSilence(was, f)
	s.inheritSilence(f)
	s.inherit(f)
	return s.end()
}

// endSilence ends a silence that was asked for before the conversation closed, if its time has passed meanwhile or
// if it does not cover what is found. One by scope that covers it now takes its place.
func (s *step) endSilence(was schema.Conversation, f Found) {
	if !s.at.Before(s.c.SilencedUntil) || byScope(s.c) && f.Silence == nil {
		s.c.SilencedUntil = time.Time{}
	}
	if s.c.Episode > was.Episode && s.c.SilencedUntil.IsZero() {
		s.c.SilencedBy = "" // what a person ended for one episode counts again for the next
	}
	s.breakSilence(was)
	s.hush(f.Silence, "")
}

// input records where f comes from.
func (s *step) input(f Found) {
	s.stored = utc(f.Stored)
	s.c.SnapshotSeq, s.c.SnapshotEpoch = f.Seq, utc(f.Epoch)
	if f.Interval > 0 {
		s.c.Interval = f.Interval.Seconds()
	}
	if f.Source != "" {
		s.c.Source = line(f.Source, maxName)
	}
	if len(f.Labels) > 0 {
		s.c.Labels = labels(f.Labels)
	}
}

// labels copies the first maxLabels labels by name.
func labels(all map[string]string) map[string]string {
	names := slices.Sorted(maps.Keys(all))
	kept := make(map[string]string, min(len(names), maxLabels))
	for _, name := range names[:min(len(names), maxLabels)] {
		kept[line(name, maxName)] = line(scrub.Value(name, all[name]), maxLine)
	}
	return kept
}
