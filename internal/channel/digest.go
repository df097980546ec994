package channel

import "time"

// Digester is a channel that can tell of many conversations in one post: of those that came and went while its receiver
// could not be reached, and of those that a route collects. One that is not a Digester, as what is read by machines, is
// told of each by itself.
type Digester interface {
	// Digest is the post that tells of all entries. It is pure. False says that the receiver is told of each by itself, for
	// that reason: programs want all of what came and went, and of what is over a pager's Next says nothing. The post's Key
	// is d.Key and its Revision 0; it changes no earlier post.
	Digest(d Digest) (Post, bool)
}

// Reason is why conversations are told together.
type Reason string

// Reasons.
const (
	AfterOutage Reason = "outage" // they opened and closed while the receiver could not be reached
	Collected   Reason = "route"  // a route collects them
)

// Digest is several conversations that are told in one post, which is posted again as it is if its fate is unknown.
type Digest struct {
	Key     string // of the post
	Reason  Reason
	Since   time.Time // of the outage, or when the first of them was collected
	Until   time.Time // when the receiver could be reached again, or the end of the window
	Entries []Entry   // worst first, then as they came; at least one
	More    int       // how many others there were, for which the record had no room
}

// Entry is one conversation of a digest, as it was last.
type Entry struct {
	ID       string    `json:"id"`
	Revision int       `json:"revision"`
	Episode  int       `json:"episode"`
	Cluster  string    `json:"cluster"`
	Severity string    `json:"severity"`
	ClosedAs string    `json:"closed_as,omitempty"` // empty: it is open
	At       time.Time `json:"at"`                  // of its newest event
	Line     string    `json:"line"`                // for people: a Headline
}
