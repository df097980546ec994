// Package channeltest is the contract of package channel as tests: every kind of channel runs Run against a receiver
// that it can make answer in every way. It also makes conversations for tests of channels and of the notifier.
//
// A channel may tell one step in several posts, as the suite asks Next until nothing is left. What kinds of channel differ
// in they say themselves, as fields of their Subject; the suite knows none of them by name.
//
// The suite waits for nothing but the channel itself; a receiver that is told to hang has to be one that the channel
// gives up soon.
package channeltest

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// Answer is how a receiver answers the posts that follow.
type Answer int

// Answers that a receiver may be able to give.
const (
	Takes       Answer = iota // it takes the post
	Fails                     // something is wrong at its side, for now
	Throttles                 // it wants nothing for Pause
	Refuses                   // it will never take this post
	TooBig                    // the post is too large for it
	Forbids                   // it does not know or trust the sender
	Hangs                     // it takes the post and never answers
	Resets                    // it takes the post and breaks off
	Unreachable               // it cannot be reached
	Gone                      // it says that it is no more
)

// Pause is what a receiver that throttles asks for.
const Pause = 7 * time.Second

// Got is one post as it arrived.
type Got struct {
	Key    string
	Events []string // ids of the events that it tells, where the receiver is told every one
	State  string   // of the conversation; empty where the post does not say
	Over   bool     // the receiver takes the conversation for closed by it; need not be said where State is
	Text   string   // what a person reads first; empty where the post only changes what they have read
	Size   int      // bytes of the body
	Body   []byte   // all of it, as it arrived; nil where it is in several fields, and Text then has all that is read
}

// Receiver is the far end, under the suite's control. Its methods may be called while a post is on its way.
type Receiver interface {
	Answer(a Answer)
	Got() []Got
}

// Subject is one channel under test. The zero value of what it can and cannot do is a chat that hears of everything.
type Subject struct {
	Channel  channel.Channel
	Receiver Receiver
	Reopen   func() channel.Channel // the same channel after a restart of its process; nil: the suite goes on with Channel
	Secrets  []string               // that no error may contain; the receiver repeats them in its answers
	MaxBody  int                    // bytes
	Family   channel.Family         // whose sounds it makes

	Parts     int                                             // posts that one step may take; 0: one
	Tells     func(kind string) bool                          // which events of an open conversation it tells as they happen; nil: every one
	SkipsOver bool                                            // it keeps to itself what was over before it could be told
	Edits     bool                                            // it changes what it has posted, which nobody hears: so that a silence shows in it
	Ends      bool                                            // its receiver takes a silence for an end, and is told when one begins
	Wordless  bool                                            // posts that change nothing but a state have no text
	HidesLogs bool                                            // it shows no log line of the evidence, whatever the terms
	Mention   string                                          // whom a route may call through it; empty: it calls nobody
	Calls     func(g Got) (mentions []string, links []string) // that the receiver would make of all a person reads of the post; nil: not checked
	Never     []Answer                                        // that its receiver cannot give
}

// Run runs the whole contract. open makes a fresh channel and receiver.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	tests := []struct {
		name string
		run  func(t *testing.T, s Subject)
	}{
		{"every-event-arrives-once-and-in-order", testOrder},
		{"late-and-repeated-events-are-nothing-new", testLate},
		{"events-that-waited-arrive-as-one-step", testCoalescing},
		{"over-before-it-was-told-is-one-step-or-none", testOverAlready},
		{"next-is-pure", testPure},
		{"information-is-not-told", testInformation},
		{"silence-is-kept", testSilence},
		{"explained-is-told-as-part-of-its-cause", testExplained},
		{"a-new-episode-is-told-for-itself", testNewEpisode},
		{"cause-of-many-names-some-and-counts-all", testMany},
		{"verdicts", testVerdicts},
		{"key-and-bytes-are-the-same-over-attempts", testSameKey},
		{"a-restart-before-the-receipt-tells-nothing-twice", testRestart},
		{"errors-contain-no-secret", testErrors},
		{"secrets-of-a-conversation-stay", testPoison},
		{"hostile-text-does-no-harm", testHostile},
		{"sounds-are-those-of-the-table", testSounds},
		{"who-is-called-is-called-by-what-is-loudest", testMention},
		{"who-stands-in-says-for-whom", testStandsIn},
		{"logs-are-shown-as-far-as-they-may-be", testLogs},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}
