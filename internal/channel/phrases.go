package channel

import (
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// The parts of a Headline, for receivers that lay them out themselves. Like it they are one clean line without links,
// mentions or markup.

// Wrong says in a word or two what the worst condition means, such as "down"; nothing where only its title says that.
func Wrong(c schema.Conversation) string { return wrong(c, schema.Message{}) }

// Detail is the title without the name of the object.
func Detail(c schema.Conversation) string { return scrub.Inert(was(c)) }

// PartOf says in which incident a folded conversation goes on.
func PartOf(c schema.Conversation) string {
	return scrub.Inert(partOf(c, Line(c.Object.Name, maxPart), ""))
}

// Lasted says how long a closed episode was, such as "after 12m3s"; empty if that is not known.
func Lasted(c schema.Conversation) string { return lasted(c) }
