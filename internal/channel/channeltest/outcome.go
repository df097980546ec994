package channeltest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

func opening(t *testing.T, s Subject) channel.Post {
	t.Helper()
	p, ok := s.Channel.Next(Opened("checkout"), channel.Told{}, channel.Terms{})
	if !ok {
		t.Fatal("nothing to post of a new conversation")
	}
	return p
}

func testVerdicts(t *testing.T, s Subject) {
	tests := []struct {
		name   string
		answer Answer
		want   error // nil: passing
	}{
		{"passing-failure", Fails, nil},
		{"refused", Refuses, channel.ErrRefused},
		{"too-big", TooBig, channel.ErrTooBig},
		{"forbidden", Forbids, channel.ErrSetup},
		{"gone", Gone, channel.ErrGone},
		{"hangs-after-the-post", Hangs, channel.ErrAmbiguous},
		{"breaks-off-after-the-post", Resets, channel.ErrAmbiguous},
		{"unreachable", Unreachable, nil},
	}
	all := []error{channel.ErrRefused, channel.ErrTooBig, channel.ErrSetup, channel.ErrAmbiguous, channel.ErrLostRoot, channel.ErrGone}
	p := opening(t, s)
	t.Run("throttled", func(t *testing.T) { testThrottled(t, s, p) })
	for _, tt := range tests {
		if !s.can(tt.answer) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			s.Receiver.Answer(tt.answer)
			_, err := s.Channel.Post(t.Context(), p)
			if err == nil {
				t.Fatal("no error")
			}
			for _, verdict := range all {
				if is := errors.Is(err, verdict); is != errors.Is(tt.want, verdict) {
					t.Errorf("verdict %q: %v; the error is %q", verdict, is, err)
				}
			}
		})
	}
}

func testThrottled(t *testing.T, s Subject, p channel.Post) {
	if !s.can(Throttles) {
		return
	}
	s.Receiver.Answer(Throttles)
	before := time.Now()
	_, err := s.Channel.Post(t.Context(), p)
	var throttled channel.Throttled
	if !errors.As(err, &throttled) {
		t.Fatalf("error %v, want Throttled", err)
	}
	earliest, latest := before.Add(Pause-time.Second), time.Now().Add(Pause+time.Second)
	if throttled.Until.Before(earliest) || throttled.Until.After(latest) {
		t.Errorf("until %s, want %s from now", throttled.Until, Pause)
	}
}

func testSameKey(t *testing.T, s Subject) {
	p := opening(t, s)
	var attempts int
	for _, a := range []Answer{Fails, Hangs, Takes} {
		if !s.can(a) {
			continue
		}
		attempts++
		s.Receiver.Answer(a)
		_, _ = s.Channel.Post(t.Context(), p) // the verdicts are another test's
	}
	got := s.Receiver.Got()
	for _, g := range got {
		if g.Key != p.Key || !bytes.Equal(g.Body, got[0].Body) {
			t.Errorf("arrived under key %q, want %q, with the same bytes as before: %v", g.Key, p.Key, bytes.Equal(g.Body, got[0].Body))
		}
	}
	if len(got) == 0 || len(got) > attempts { // one that failed may have left nothing
		t.Errorf("%d posts arrived of %d attempts", len(got), attempts)
	}
}

// testRestart is about a process that ends when a post has gone out and its receipt is not written.
func testRestart(t *testing.T, s Subject) {
	c := Opened("checkout")
	p := opening(t, s)
	finder, finds := s.Channel.(channel.Finder)
	if finds {
		if ref, found, err := finder.Find(t.Context(), p); err != nil || found {
			t.Fatalf("before it was posted it is found as %q, error %v", ref, err)
		}
	}
	ref, err := s.Channel.Post(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if s.Reopen != nil {
		s.Channel = s.Reopen()
	}
	again := opening(t, s)
	if again.Key != p.Key || !bytes.Equal(again.Body, p.Body) {
		t.Errorf("after the restart it is another post: %s, want %s with the same bytes", again.Key, p.Key)
	}
	if finds {
		got, found, err := s.Channel.(channel.Finder).Find(t.Context(), again)
		if err != nil || !found || got != ref {
			t.Fatalf("looked for, it is found as %q: %v, error %v; want %q", got, found, err, ref)
		}
	} else if _, err := s.Channel.Post(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	once := slices.Compact(keys(s.Receiver.Got()))
	if len(once) != 1 {
		t.Errorf("arrived under %s, want one key", once)
	}
	if _, got, _ := drive(t, s, c, receipt(c, channel.Told{}, again, ref), channel.Terms{}); len(got) > max(s.Parts, 1)-1 {
		t.Errorf("told again as %s", keys(got))
	}
}

func testErrors(t *testing.T, s Subject) {
	p := opening(t, s)
	for _, a := range []Answer{Fails, Throttles, Refuses, TooBig, Forbids, Gone, Hangs, Resets, Unreachable} {
		if !s.can(a) {
			continue
		}
		s.Receiver.Answer(a)
		_, err := s.Channel.Post(t.Context(), p)
		if err == nil {
			t.Fatalf("answer %d: no error", a)
		}
		for _, secret := range s.Secrets {
			if strings.Contains(fmt.Sprintf("%+v %#v", err, err), secret) {
				t.Errorf("answer %d: the error contains a secret: %v", a, err)
			}
		}
		if len(err.Error()) > 1024 || !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), unprintable) {
			t.Errorf("answer %d: the error is too long or not printable: %q", a, err)
		}
	}
	for _, secret := range s.Secrets {
		if bytes.Contains(p.Body, []byte(secret)) {
			t.Errorf("the post that is kept and shown contains a secret: %s", p.Body)
		}
	}
}
