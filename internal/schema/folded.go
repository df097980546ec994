package schema

import (
	"slices"
	"strings"
)

// Victims are those of Affected that suffer from the same cause, as opposed to those that only declare to depend on what
// failed, and how many they are in all.
func (c *Conversation) Victims() (victims []Affected, count int) {
	for _, a := range c.Affected {
		if !a.Since.IsZero() {
			victims = append(victims, a)
		}
	}
	if count = len(victims); count == len(c.Affected) && count > 0 { // of a list that was cut, all that is left are victims
		count = max(count, c.AffectedCount)
	}
	return victims, count
}

// Explainer names the object that explains c, with the beginning of its conversation's id, as the event said by which c
// was folded into that: "shop/db", "9f2c51d0". Both are empty if none did.
func (c *Conversation) Explainer() (object, id string) {
	for _, m := range slices.Backward(c.Messages) {
		if m.Kind == EventFolded {
			return explainer(m.Content)
		}
	}
	return "", ""
}

func explainer(text string) (object, id string) {
	rest, said := strings.CutPrefix(text, "Explained by ")
	head, ends := strings.CutSuffix(rest, "): goes on there.")
	i := strings.LastIndex(head, " (")
	if !said || !ends || i < 0 || !ValidIDPrefix(head[i+2:], 4) {
		return "", ""
	}
	return head[:i], head[i+2:]
}
