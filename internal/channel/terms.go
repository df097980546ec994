package channel

import "github.com/bellbuoy/bellbuoy/internal/scrub"

// maxChannelName is longer than any name of a channel, in bytes.
const maxChannelName = 64

// InPlaceOf is the sentence that says for whom a channel stands in; empty where it is told for itself.
func InPlaceOf(t Terms) string {
	if t.StandsInFor == "" {
		return ""
	}
	return "Told here because channel " + Line(scrub.Inert(t.StandsInFor), maxChannelName) + " cannot be reached."
}
