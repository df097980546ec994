package replay

import (
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// loudest is the place of the event that makes the sound of a post, in what has just happened; -1: it makes none. told is
// all that the post tells, and may begin before: then the newest event makes its sound.
func loudest(f channel.Family, c schema.Conversation, told, events []schema.Message) int {
	sound := channel.Loudest(f, c, told)
	if sound == channel.Quietly {
		return -1
	}
	for i := range events {
		if channel.SoundOf(f, c, events[i]) == sound {
			return i
		}
	}
	return len(events) - 1
}
