package channel

import "github.com/bellbuoy/bellbuoy/internal/schema"

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

// SoundOf is the table of sounds: what an event does in a channel of the family, given the conversation as it is after
// it. Information is never heard, nor is what is silent.
func SoundOf(f Family, c schema.Conversation, m schema.Message) Sound {
	if m.Silent || c.Severity == schema.SeverityInfo {
		return Quietly
	}
	switch m.Kind {
	case schema.EventOpened:
		if f == Chat && c.Severity == schema.SeverityCritical {
			return Calling
		}
		return Loud
	case schema.EventWorsened, schema.EventUnsilenced, schema.EventEscalated, schema.EventStillFiring:
		return Calling
	case schema.EventGrown: // not silent: something critical joins what its owner has had for long
		return Loud
	case schema.EventDiagnosed:
		if f == Mail && c.Severity == schema.SeverityCritical {
			return Loud
		}
	case schema.EventCleared, schema.EventResolved, schema.EventDismissed:
		if f == Mail {
			return Loud
		}
	}
	return Quietly
}

// Loudest is the loudest of several events that are told in one post.
func Loudest(f Family, c schema.Conversation, events []schema.Message) Sound {
	loudest := Quietly
	for _, m := range events {
		loudest = max(loudest, SoundOf(f, c, m))
	}
	return loudest
}
