package bus_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

func TestContextsAreTheNewestOfEveryCluster(t *testing.T) {
	b := bustest.New(t)
	if all, err := b.Contexts(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("of no cluster: %v, %v", all, err)
	}
	for _, c := range []string{"a", "b", "a"} {
		publish(t, b, b.Subjects().Context(c), c)
	}
	last := publish(t, b, b.Subjects().Context("b"), "newest")
	all, err := b.Contexts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, m := range all {
		got = append(got, m.Subject+" "+string(m.Data))
	}
	if diff := cmp.Diff([]string{"bellbuoy.context.a a", "bellbuoy.context.b newest"}, got); diff != "" {
		t.Errorf("snapshots (-want +got):\n%s", diff)
	}
	m, err := b.LastContext(t.Context(), "b")
	if err != nil || m.Seq != last || string(m.Data) != "newest" || m.Epoch.IsZero() {
		t.Errorf("last of b is %+v, %v", m, err)
	}
	if _, err := b.LastContext(t.Context(), "c"); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("last of c: %v, want ErrNotFound", err)
	}
}

func TestRollNamesTheClustersThatHaveASnapshot(t *testing.T) {
	b := bustest.New(t)
	if all, _, err := b.Roll(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("of no cluster: %v, %v", all, err)
	}
	for _, c := range []string{"a", "b", "a"} {
		publish(t, b, b.Subjects().Context(c), c)
	}
	all, _, err := b.Roll(t.Context())
	if diff := cmp.Diff(map[string]bool{"a": true, "b": true}, all); diff != "" || err != nil {
		t.Errorf("%v, clusters (-want +got):\n%s", err, diff)
	}
	bustest.Purge(t, b, bus.StreamContext, b.Subjects().Context("a"))
	if all, _, err = b.Roll(t.Context()); len(all) != 1 || err != nil {
		t.Errorf("after a purge: %v, %v", all, err)
	}
}

func TestRepliesAfterMergesBothWaysInOrder(t *testing.T) {
	b := bustest.New(t)
	s := b.Subjects()
	first := publish(t, b, s.Replies("x"), "1")
	publish(t, b, s.Heard("slack", "x"), "2")
	publish(t, b, s.Replies("other"), "not for x")
	publish(t, b, s.Heard("mail", "x"), "3")
	publish(t, b, s.Replies("x"), "4")
	publish(t, b, s.Heard("slack", "other"), "not for x")
	publish(t, b, s.Heard("slack", "x"), "5")
	for seq, want := range map[uint64]string{0: "12345", first: "2345", first + 3: "45", first + 100: ""} {
		all, err := b.RepliesAfter(t.Context(), "x", seq)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, m := range all {
			got += string(m.Data)
		}
		if got != want {
			t.Errorf("after %d: %q, want %q", seq, got, want)
		}
	}
	epoch, err := b.RepliesEpoch(t.Context())
	if err != nil || epoch.IsZero() {
		t.Errorf("epoch is %s, %v", epoch, err)
	}
}

func TestPublishWithTheSameIDStoresOnce(t *testing.T) {
	b := bustest.New(t)
	var seqs []uint64
	for range 2 {
		seq, err := b.Publish(t.Context(), b.Subjects().Heard("slack", "x"), []byte("hi"), "slack/1")
		if err != nil {
			t.Fatal(err)
		}
		seqs = append(seqs, seq)
	}
	if seqs[0] != seqs[1] {
		t.Errorf("sequences are %v, want one", seqs)
	}
}
