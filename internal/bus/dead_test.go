package bus_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func TestADeadLetterIsCutButSaysHowLargeItWas(t *testing.T) {
	b := bustest.New(t)
	large := []byte(strings.Repeat("\x00", 3<<20)) // the worst there is for JSON
	if err := b.Dead(t.Context(), "notifier", bus.DeadLetter{Reason: "refused", Subject: "x", Seq: 7, Body: large}); err != nil {
		t.Fatal(err)
	}
	d := bustest.Next[bus.DeadLetter](t, b, b.Subjects().Dead("notifier"))
	sum := sha256.Sum256(large)
	if len(d.Body) > 64<<10 || d.Size != len(large) || d.SHA256 != hex.EncodeToString(sum[:]) || d.Schema != bus.DeadVersion || d.At.IsZero() {
		t.Errorf("letter has %d bytes of %d, hash %s, schema %s, at %s", len(d.Body), d.Size, d.SHA256, d.Schema, d.At)
	}
}

func TestTheSameDeadLetterIsStoredOnce(t *testing.T) {
	b := bustest.New(t)
	for _, seq := range []uint64{7, 7, 8} {
		if err := b.Dead(t.Context(), "notifier", bus.DeadLetter{Reason: "refused", Subject: "x", Seq: seq, Body: []byte("body")}); err != nil {
			t.Fatal(err)
		}
	}
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), bus.StreamDead)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.Msgs; n != 2 {
		t.Errorf("%d letters, want 2", n)
	}
}

func FuzzDeadLetter(f *testing.F) {
	f.Add([]byte(`{"schema":"bellbuoy.dead/v1","body":"x","size":1}`))
	f.Add([]byte(`{"body":"\ud800"}`))
	f.Add([]byte(`{"body":7}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var d bus.DeadLetter
		if json.Unmarshal(raw, &d) != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			return // a time that was read and cannot be written: a zone that is out of range
		}
		if !utf8.Valid(again) {
			t.Errorf("%q is not UTF-8", again)
		}
	})
}
