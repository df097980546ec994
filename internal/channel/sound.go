package channel

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Sound is how loud a post is.
type Sound int

// Sounds, from least to most.
const (
	Quietly Sound = iota // nobody has to look up
	Loud                 // whoever follows the channel hears of it
	Calling              // and whom the terms name, or the owner, is called
)

// Family is a kind of channel as the table of sounds has it.
type Family int

// Families of channels.
const (
	Chat  Family = iota // cards and threads
	Mail                // each post is a mail
	Pager               // what wakes people, and whatever takes its posts for machines
)

// SoundOf is the table of sounds: what an event does in a channel of the family, given the conversation as it is by the
// time that it is told. Information is never heard, nor is what is silent, and what is over calls nobody.
func SoundOf(f Family, c schema.Conversation, m schema.Message) Sound {
	switch {
	case m.Silent || c.Severity == schema.SeverityInfo:
		return Quietly
	case c.Closed():
		return soundOver(f, m)
	}
	switch m.Kind {
	case schema.EventOpened:
		if f == Chat && c.Severity == schema.SeverityCritical && !owned(c) {
			return Calling
		}
		return Loud
	case schema.EventWorsened:
		return Calling
	case schema.EventUnsilenced:
		return soundUnsilenced(f, c, m)
	case schema.EventEscalated:
		if !owned(c) { // else somebody has answered since
			return Calling
		}
	case schema.EventStillFiring:
		if f != Pager || !owned(c) { // a pager knows no owner
			return Calling
		}
	case schema.EventGrown: // something critical joins what its owner has had for long
		return Loud
	case schema.EventReopened: // the same card; a pager was told that it was over, and calls anew, but once only
		if f == Pager && firstReopening(c, m) {
			return Loud
		}
	case schema.EventDiagnosed:
		if f == Mail && c.Severity == schema.SeverityCritical {
			return Loud
		}
	}
	return Quietly
}

// firstReopening tells whether nobody has been called for a reopening of the episode before.
func firstReopening(c schema.Conversation, m schema.Message) bool {
	for _, x := range c.Messages {
		if x.Kind == schema.EventReopened && !x.Silent {
			return x.ID == m.ID
		}
	}
	return true
}

// soundOver is the sound of an event that is told once the conversation is over.
func soundOver(f Family, m schema.Message) Sound {
	switch m.Kind {
	case schema.EventOpened:
		return Loud
	case schema.EventCleared, schema.EventResolved, schema.EventDismissed:
		if f == Mail {
			return Loud
		}
	}
	return Quietly
}

// soundUnsilenced is the sound of a silence's end: that it still fails is said once. What a person ends is heard by a pager
// only, which was told that it was over.
func soundUnsilenced(f Family, c schema.Conversation, m schema.Message) Sound {
	failing := slices.ContainsFunc(c.Conditions, func(x schema.Condition) bool { return x.Until.IsZero() })
	switch {
	case !failing:
		return Quietly
	case m.Author == nil:
		return Calling
	case f == Pager:
		return Loud
	}
	return Quietly
}

// OwnerAlone tells whether an event is for the owner to hear and for nobody else: that what he has still fails. A channel
// that cannot call one person tells it quietly.
func OwnerAlone(c schema.Conversation, m schema.Message) bool {
	return m.Kind == schema.EventStillFiring && owned(c)
}

// owned tells whether somebody has it.
func owned(c schema.Conversation) bool {
	return c.State == schema.StateAcknowledged && c.Owner != ""
}

// Loudest is the loudest of several events that are told in one post.
func Loudest(f Family, c schema.Conversation, events []schema.Message) Sound {
	loudest := Quietly
	for _, m := range events {
		loudest = max(loudest, SoundOf(f, c, m))
	}
	return loudest
}
