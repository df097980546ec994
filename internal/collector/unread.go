package collector

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// unread lists the parts of the snapshot that no source reads, with the reasons of those that know of them.
func (c *Collector) unread() []schema.UnreadPart {
	var all []schema.UnreadPart
	for _, part := range schema.Parts() {
		if reason, unread := c.whyUnread(part); unread {
			all = append(all, schema.UnreadPart{Part: part, Reason: scrub.Line(reason, maxTextBytes)})
		}
	}
	return all
}

func (c *Collector) whyUnread(part string) (reason string, unread bool) {
	var reasons []string
	for _, r := range c.readers {
		why, known := r.reads(part)
		switch {
		case known && why == "":
			return "", false
		case known && !slices.Contains(reasons, why):
			reasons = append(reasons, why)
		}
	}
	if len(reasons) == 0 {
		return "no configured source reads it" + c.wouldHelp(part), true
	}
	return strings.Join(reasons, "; "), true
}

// wouldHelp says what to add to the configuration so that a part is read; empty: nothing that this version has.
func (c *Collector) wouldHelp(part string) string {
	for _, k := range kinds() {
		configured := slices.ContainsFunc(c.readers, func(r *reader) bool { return r.kind.name == k.name })
		if !configured && slices.Contains(k.parts, part) {
			return "; add " + k.usage() + " to BELLBUOY_SOURCE"
		}
	}
	return ""
}

// reads tells whether the source knows of a part, and why it does not read it; empty: it does. A source that fails
// before its first reading is believed to read what its kind does.
func (r *reader) reads(part string) (why string, known bool) {
	ofKind := len(r.kind.parts) == 0 || slices.Contains(r.kind.parts, part)
	switch {
	case r.absent != nil && r.kind.missing != "":
		return r.kind.missing, ofKind
	case r.absent != nil:
		return fmt.Sprintf("%s: %v", r.name, r.absent), ofKind
	case r.read.IsZero():
		return "", ofKind
	case r.part.Reads == nil:
		return r.played(part), true
	}
	why, known = r.part.Reads[part]
	return why, known
}

// partsRead are the parts that the source reads, in the order of their declaration.
func (r *reader) partsRead() []string {
	return slices.DeleteFunc(schema.Parts(), func(part string) bool {
		why, known := r.reads(part)
		return !known || why != ""
	})
}

// played is why a part is not in a snapshot that was taken elsewhere, as that says itself.
func (r *reader) played(part string) string {
	for _, u := range r.part.Snapshot.Unread {
		if u.Part == part {
			return or(u.Reason, "the snapshot says that nothing read it")
		}
	}
	return ""
}
