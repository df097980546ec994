// Package channeltest is the contract of package channel as tests: every kind of channel runs Run against a receiver
// that it can make answer in every way. It also makes conversations for tests of channels and of the notifier.
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

// Answers that a receiver must be able to give.
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
)

// Pause is what a receiver that throttles asks for.
const Pause = 7 * time.Second

// Got is one post as it arrived.
type Got struct {
	Key    string
	Events []string // ids of the events that it tells
	State  string   // of the conversation
	Text   string   // what a person reads
	Size   int      // bytes of the body
}

// Receiver is the far end, under the suite's control. Its methods may be called while a post is on its way.
type Receiver interface {
	Answer(a Answer)
	Got() []Got
}

// Subject is one channel under test.
type Subject struct {
	Channel  channel.Channel
	Receiver Receiver
	Secrets  []string // that no error may contain; the receiver repeats them in its answers
	MaxBody  int      // bytes
	Edits    bool     // it changes what it has posted, which nobody hears: so that a silence shows in it
}

// Run runs the whole contract. open makes a fresh channel and receiver.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	tests := []struct {
		name string
		run  func(t *testing.T, s Subject)
	}{
		{"every-event-arrives-once-and-in-order", testOrder},
		{"late-and-repeated-events-are-nothing-new", testLate},
		{"events-that-waited-arrive-as-one-post", testCoalescing},
		{"over-before-it-was-told-is-one-post", testOverAlready},
		{"next-is-pure", testPure},
		{"information-is-not-told", testInformation},
		{"silence-is-kept", testSilence},
		{"explained-is-told-as-part-of-its-cause", testExplained},
		{"cause-of-many-names-some-and-counts-all", testMany},
		{"verdicts", testVerdicts},
		{"key-is-the-same-over-attempts", testSameKey},
		{"errors-contain-no-secret", testSecrets},
		{"hostile-text-does-no-harm", testHostile},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

// tell posts what is next and returns what the channel has been told then.
func tell(t *testing.T, s Subject, p channel.Post, episode int) channel.Told {
	t.Helper()
	ref, err := s.Channel.Post(t.Context(), p)
	if err != nil {
		t.Fatalf("post %s: %v", p.Key, err)
	}
	return channel.Told{Revision: p.Revision, Lines: p.Lines, Episode: episode, Ref: ref, At: At(p.Revision)}
}
