package bus_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// bury stores n dead letters, whose reasons are their numbers.
func bury(t *testing.T, b *bus.Bus, n int) {
	t.Helper()
	for i := range n {
		if err := b.Dead(t.Context(), "analyzer", bus.DeadLetter{Reason: fmt.Sprint(i + 1), Subject: "x", Seq: uint64(i + 1), Body: []byte("body")}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLettersComeNewestFirstPageByPageAndWithoutWhatWasDropped(t *testing.T) {
	b := bustest.New(t)
	if page, total, more, err := b.Letters(t.Context(), 0, 5); err != nil || len(page) != 0 || total != 0 || more {
		t.Errorf("of nothing: %v, %d, %t, %v", page, total, more, err)
	}
	bury(t, b, 7)
	for _, id := range []uint64{3, 4, 7} {
		if err := b.DropLetter(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	var pages [][]uint64
	for before, more := uint64(0), true; more; {
		var page []bus.Letter
		var total uint64
		var err error
		page, total, more, err = b.Letters(t.Context(), before, 2)
		if err != nil || total != 4 || len(page) == 0 {
			t.Fatalf("%v, %d, %v", page, total, err)
		}
		var ids []uint64
		for _, l := range page {
			ids = append(ids, l.ID)
			if l.Reason != fmt.Sprint(l.ID) || l.Who != "analyzer" {
				t.Errorf("letter %+v", l)
			}
		}
		pages, before = append(pages, ids), page[len(page)-1].ID
	}
	if diff := cmp.Diff([][]uint64{{6, 5}, {2, 1}}, pages); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestWhatIsDroppedIsGoneForEveryCount(t *testing.T) {
	b := bustest.New(t)
	bury(t, b, 5)
	since := time.Now().Add(-time.Hour)
	for left, id := range []uint64{3, 1, 5, 2, 4} {
		if err := b.DropLetter(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Letter(t.Context(), id); !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("letter %d: %v, want ErrNotFound", id, err)
		}
		want := uint64(4 - left)
		n, newest, err := b.DeadSince(t.Context(), since)
		if err != nil || n != want || newest.At.IsZero() != (want == 0) {
			t.Errorf("after %d: %d letters, newest %+v, %v; want %d", id, n, newest, err, want)
		}
		died, err := b.Deaths(t.Context(), since)
		if err != nil || want > 0 && (len(died) != 1 || died[0].Count != int(want)) || want == 0 && len(died) != 0 {
			t.Errorf("after %d: deaths %+v, %v; want %d", id, died, err, want)
		}
	}
	if err := b.DropLetter(t.Context(), 3); err == nil {
		t.Error("dropped twice")
	}
}

func TestSinceATimeOnlyYoungerLettersCountThoughSomeAreDropped(t *testing.T) {
	b := bustest.New(t)
	bury(t, b, 3)
	middle, err := b.Letter(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	boundary := middle.At.Add(time.Second) // nothing was stored by then
	if n, _, err := b.DeadSince(t.Context(), boundary); err != nil || n != 0 {
		t.Errorf("%d, %v; want none", n, err)
	}
}

func TestDroppingNeedsThePermissionToDelete(t *testing.T) {
	url := bustest.Raw(t, `jetstream { store_dir: "`+t.TempDir()+`" }
		max_payload: 8MB
		authorization { users [ { user: u, password: p, permissions: { publish: { deny: ["$JS.API.STREAM.MSG.DELETE.>"] } } } ] }`)
	b, err := bus.Connect(t.Context(), bus.Options{URL: strings.Replace(url, "://", "://u:p@", 1), Name: "test", Log: bustest.Log(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Setup(t.Context(), bus.Setup{}); err != nil {
		t.Fatal(err)
	}
	bury(t, b, 1)
	err = b.DropLetter(t.Context(), 1)
	if trouble, ok := errors.AsType[*bus.Trouble](err); !ok || !errors.Is(err, bus.ErrDenied) || !strings.Contains(trouble.Fix, "$JS.API.STREAM.MSG.DELETE.DEAD") {
		t.Errorf("dropped without the permission: %v", err)
	}
	if _, err := b.Letter(t.Context(), 1); err != nil {
		t.Errorf("the letter is gone: %v", err)
	}
}

func TestOnlyWhoMayWriteASubjectMayWriteIt(t *testing.T) {
	b := bustest.New(t)
	sub := b.Subjects()
	for subject, want := range map[string][2]bool{ // the analyzer, people
		sub.Context("prod"):             {false, true},
		sub.Replies("0123456789abcdef"): {false, true},
		sub.Heard("slack", "0123"):      {true, false},
		sub.Finding("prod"):             {true, false},
		"elsewhere.context.prod":        {false, false},
		"":                              {false, false},
	} {
		if got := [2]bool{b.MayWrite(bus.PartAnalyzer, subject), b.MayWrite(bus.People, subject)}; got != want {
			t.Errorf("%s: analyzer and people %v, want %v", subject, got, want)
		}
	}
}

func TestPublishOverTakesThePlaceOfTheNewestOnly(t *testing.T) {
	b := bustest.New(t)
	subject := b.Subjects().Context("prod")
	first, err := b.PublishOver(t.Context(), subject, []byte("1"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.PublishOver(t.Context(), subject, []byte("2"), 0); !errors.Is(err, bus.ErrConflict) {
		t.Errorf("over nothing, though there is one: %v", err)
	}
	if _, err := b.PublishOver(t.Context(), subject, []byte("2"), first); err != nil {
		t.Error(err)
	}
}
