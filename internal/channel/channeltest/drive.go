package channeltest

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// rounds is more than a channel needs for one step.
const rounds = 8

// told is what a channel has been told that knows the conversation up to a revision of its first episode. Its reference is
// to nothing: it is for Next alone.
func told(revision int) channel.Told {
	return channel.Told{Revision: revision, Episode: 1, Ref: "room:1", Lines: revision, At: At(revision)}
}

// drive posts what is next until nothing is left, as the notifier does, and returns what the channel has been told then,
// and what arrived.
func drive(t *testing.T, s Subject, c schema.Conversation, told channel.Told, terms channel.Terms) (channel.Told, []Got, channel.Sound) {
	t.Helper()
	before := len(s.Receiver.Got())
	loudest := channel.Quietly
	for range rounds {
		p, ok := s.Channel.Next(c, told, terms)
		if !ok {
			return told, s.Receiver.Got()[before:], loudest
		}
		ref, err := s.Channel.Post(t.Context(), p)
		if err != nil {
			t.Fatalf("post %s: %v", p.Key, err)
		}
		told, loudest = receipt(c, told, p, ref), max(loudest, p.Sound)
	}
	t.Fatalf("%d posts of one step, and there is more", rounds)
	return told, nil, loudest
}

// receipt is what the notifier writes once a post is through.
func receipt(c schema.Conversation, told channel.Told, p channel.Post, ref string) channel.Told {
	return channel.Told{
		Revision: p.Revision, Lines: max(told.Lines, p.Lines), Episode: c.Episode, Ref: cmp.Or(ref, p.Ref), At: c.UpdatedAt,
	}
}

// tell drives one step that has to be told, and in no more posts than it may take.
func tell(t *testing.T, s Subject, c schema.Conversation, known channel.Told) (channel.Told, []Got) {
	t.Helper()
	after, got, _ := drive(t, s, c, known, channel.Terms{})
	if len(got) == 0 {
		t.Fatalf("nothing is posted of revision %d (%s)", c.Revision, c.Messages[len(c.Messages)-1].Kind)
	}
	if len(got) > max(s.Parts, 1) {
		t.Errorf("%d posts of one step, want at most %d: %s", len(got), max(s.Parts, 1), keys(got))
	}
	return after, got
}

// over tells whether the receiver takes the conversation for closed.
func over(g Got) bool {
	closed := []string{schema.StateCleared, schema.StateResolved, schema.StateDismissed, schema.StateFolded, schema.StateRemoved}
	return g.Over || slices.Contains(closed, g.State)
}

// holds tells whether a text is anywhere in the post.
func holds(g Got, text string) bool {
	return bytes.Contains(g.Body, []byte(text)) || strings.Contains(g.Text, text)
}

// tells says whether the subject tells an event of an open conversation as it happens.
func (s Subject) tells(kind string) bool { return s.Tells == nil || s.Tells(kind) }

// can says whether the receiver can give an answer.
func (s Subject) can(a Answer) bool { return !slices.Contains(s.Never, a) }

func keys(got []Got) []string {
	var all []string
	for _, g := range got {
		all = append(all, g.Key)
	}
	return all
}

// reads tells whether a person can read that in some post.
func reads(got []Got, what func(text string) bool) bool {
	return slices.ContainsFunc(got, func(g Got) bool { return what(g.Text) })
}

// worded tells whether any of the posts has a text.
func worded(got []Got) bool { return reads(got, func(text string) bool { return text != "" }) }
