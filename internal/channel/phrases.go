package channel

import (
	"cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// The parts of a Headline, for receivers that lay them out themselves. Like it they are one clean line without links,
// mentions or markup.

// Wrong says in a word or two what the worst condition means, such as "down"; nothing where only its title says that.
func Wrong(c schema.Conversation) string { return wrong(c, schema.Message{}) }

// Detail is what the worst condition's title says beyond the name of the object, or else what the rule saw.
func Detail(c schema.Conversation) string {
	return scrub.Inert(cmp.Or(detail(c, schema.Message{}), words(c.Condition)))
}

// PartOf says in which incident a folded conversation goes on.
func PartOf(c schema.Conversation) string {
	return scrub.Inert(partOf(c, Line(c.Object.Name, maxPart), ""))
}
