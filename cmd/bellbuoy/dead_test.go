package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
)

// refusing is a stack whose webhook refuses every post until refuses is taken back. Its first post was given up.
func refusing(t *testing.T) (b *bus.Bus, refuses *atomic.Bool) {
	t.Helper()
	refuses = new(atomic.Bool)
	refuses.Store(true)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refuses.Load() {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}))
	t.Cleanup(hook.Close)
	b = stack(t)
	notifying(t, b, notifier.NotifyOn, hook.URL)
	return b, refuses
}

func TestDeadLettersAreListedShownTriedAgainAndDropped(t *testing.T) {
	b, refuses := refusing(t)
	list := into[client.DeadResponse](t, "dead", "--json")
	if len(list.Letters) != 1 || list.Total != 1 || list.Letters[0].Kind != client.DeadPost {
		t.Fatalf("dead: %+v", list)
	}
	id := strconv.FormatUint(list.Letters[0].ID, 10)
	for words, want := range map[string]string{
		"dead":       id + "  ",
		"dead " + id: "post to webhook about prod/shop/checkout was given up",
	} {
		out, err := typed(t, strings.Fields(words)...)
		if err != nil || !strings.Contains(out, want) || !strings.Contains(out, "422") || strings.Contains(out, "\x1b") {
			t.Errorf("bellbuoy %s: %v, printed\n%swant %q in it", words, err, out, want)
		}
	}
	if out, err := typed(t, "dead", id); err != nil || !strings.Contains(out, `"type":"conversation.opened"`) {
		t.Errorf("its body is not shown: %v\n%s", err, out)
	}
	if _, err := typed(t, "dead", "retry", id); err == nil || !strings.Contains(err.Error(), "422") || !strings.Contains(err.Error(), "the letter stays") {
		t.Errorf("retried in vain: %v", err)
	}
	refuses.Store(false)
	out, err := typed(t, "dead", "retry", id)
	if err != nil || !strings.Contains(out, "posted: ") || !strings.Contains(out, "its letter is dropped") {
		t.Errorf("retried: %v, printed\n%s", err, out)
	}
	if out, err := typed(t, "dead"); err != nil || out != "nothing was given up\n" {
		t.Errorf("afterwards: %v, printed\n%s", err, out)
	}
	for range 2 {
		if err := b.Dead(t.Context(), "analyzer", bus.DeadLetter{Reason: "\x1b[31mx", Subject: "a.b", Body: []byte("\x1b]0;title\x07 line\u202e")}); err != nil {
			t.Fatal(err)
		}
	}
	list = into[client.DeadResponse](t, "dead", "--json")
	newest := strconv.FormatUint(list.Letters[0].ID, 10)
	if out, err := typed(t, "dead", newest); err != nil || strings.ContainsAny(out, "\x1b\x07\u202e") || !strings.Contains(out, "line") {
		t.Errorf("what would steer a terminal: %v, printed %q", err, out)
	}
	if out, err := typed(t, "dead", "drop", newest); err != nil || !strings.Contains(out, "gone for good") {
		t.Errorf("dropped: %v, printed\n%s", err, out)
	}
	for words, want := range map[string]string{
		"dead drop " + newest:  "there is no dead letter",
		"dead retry " + newest: "there is no dead letter",
		"dead " + newest:       "there is no dead letter",
		"dead retry":           "use bellbuoy dead",
		"dead drop 1 2":        "use bellbuoy dead",
		"dead 1 --all":         "use bellbuoy dead",
		"dead x":               "is no id",
	} {
		if _, err := typed(t, strings.Fields(words)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("bellbuoy %s: %v, want %q", words, err, want)
		}
	}
}

func TestOnlyAPageOfDeadLettersIsListedUnlessAllAreAskedFor(t *testing.T) {
	b := stack(t)
	for i := range bus.MaxLetters + 30 {
		if err := b.Dead(t.Context(), "analyzer", bus.DeadLetter{Reason: "x", Subject: "a.b", Seq: uint64(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := into[client.DeadResponse](t, "dead", "--json"); len(got.Letters) != deadPage || !got.More || got.Total != bus.MaxLetters+30 {
		t.Errorf("%d letters of %d, more %t", len(got.Letters), got.Total, got.More)
	}
	got := into[client.DeadResponse](t, "dead", "--all", "--json")
	if len(got.Letters) != bus.MaxLetters+30 || got.More {
		t.Errorf("all are %d of %d, more %t", len(got.Letters), got.Total, got.More)
	}
	for i, l := range got.Letters[1:] {
		if l.ID >= got.Letters[i].ID {
			t.Fatalf("letter %d comes after %d", l.ID, got.Letters[i].ID)
		}
	}
	if out, err := typed(t, "dead"); err != nil || !strings.Contains(out, "20 of 230: bellbuoy dead --all") {
		t.Errorf("%v, printed\n%s", err, out)
	}
}
