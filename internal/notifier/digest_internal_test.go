package notifier

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func entered(id string, revision int, due time.Time) collected {
	reason := channel.AfterOutage
	if !due.IsZero() {
		reason = channel.Collected
	}
	return collected{Entry: channel.Entry{ID: id, Revision: revision, Severity: schema.SeverityWarning, At: noon}, Reason: reason, Since: noon, Due: due}
}

// in is a record of those entries.
func in(all ...collected) (d digest) {
	for _, c := range all {
		d, _ = d.enter(c)
	}
	return d
}

func TestAConversationIsOnceInADigest(t *testing.T) {
	claimed := in(entered("a", 1, noon)).claim(channel.Collected, "k", "me", noon, noon.Add(time.Minute))
	tests := []struct {
		name    string
		d       digest
		c       collected
		changed bool
		want    []int // revisions
	}{
		{"first", digest{}, entered("a", 1, noon), true, []int{1}},
		{"again", in(entered("a", 1, noon)), entered("a", 1, noon), false, []int{1}},
		{"newer-in-its-place", in(entered("a", 1, noon)), entered("a", 2, noon.Add(time.Hour)), true, []int{2}},
		{"older", in(entered("a", 2, noon)), entered("a", 1, noon), false, []int{2}},
		{"another", in(entered("a", 1, noon)), entered("b", 1, noon), true, []int{1, 1}},
		{"what-is-on-its-way-stays", claimed, entered("a", 2, noon), true, []int{1, 2}},
		{"what-is-on-its-way-is-not-told-twice", claimed, entered("a", 1, noon), false, []int{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, changed := tt.d.enter(tt.c)
			var got []int
			for _, e := range d.Entries {
				got = append(got, e.Revision)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || changed != tt.changed {
				t.Errorf("changed %v, revisions (-want +got):\n%s", changed, diff)
			}
		})
	}
	if d, _ := in(entered("a", 1, noon)).enter(entered("a", 2, noon.Add(time.Hour))); !d.Entries[0].Due.Equal(noon) {
		t.Errorf("news put it off until %s", d.Entries[0].Due)
	}
}

func TestARecordHasRoomForSoMany(t *testing.T) {
	var d digest
	for i := range maxCollected + 3 {
		d, _ = d.enter(entered(fmt.Sprint(i), 1, noon))
	}
	if len(d.Entries) != maxCollected || d.More != 3 {
		t.Errorf("%d entries and %d more", len(d.Entries), d.More)
	}
}

func TestWhatIsDue(t *testing.T) {
	later := noon.Add(time.Hour)
	held := in(entered("a", 1, noon)).claim(channel.Collected, "k", "me", noon, noon.Add(time.Minute))
	unknown := held
	unknown.Claim = &channel.Claim{Key: "k", Until: noon.Add(-1)}
	tests := []struct {
		name string
		d    digest
		back bool
		want channel.Reason
	}{
		{"nothing", digest{}, true, ""},
		{"window-not-over", in(entered("a", 1, later)), true, ""},
		{"window-over", in(entered("a", 1, noon)), false, channel.Collected},
		{"not-back", in(entered("a", 1, time.Time{})), false, ""},
		{"back", in(entered("a", 1, time.Time{})), true, channel.AfterOutage},
		{"claimed", held, true, ""},
		{"of-unknown-fate", unknown, false, channel.Collected},
		{"tried-a-moment-ago", digest{Entries: in(entered("a", 1, noon)).Entries, Next: later}, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.d.due(noon, tt.back); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestADigestTellsTheWorstFirstAndOnlyWhatIsDue(t *testing.T) {
	worst, early := entered("worst", 1, noon), entered("early", 1, noon)
	worst.Severity, early.At = schema.SeverityCritical, noon.Add(-time.Hour)
	d := in(entered("a", 1, noon), entered("later", 1, noon.Add(time.Hour)), early, entered("out", 1, time.Time{}), worst)
	d = d.claim(channel.Collected, "k", "me", noon, noon)
	var got []string
	for _, e := range d.told("k").Entries {
		got = append(got, e.ID)
	}
	if diff := cmp.Diff([]string{"worst", "early", "a"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = nil
	for _, e := range d.over("k").Entries {
		got = append(got, e.ID)
	}
	if diff := cmp.Diff([]string{"later", "out"}, got); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestWhatIsCollected(t *testing.T) {
	closed := channeltest.Add(channeltest.Opened("checkout"), schema.EventCleared)
	critical := channeltest.Opened("checkout")
	lesser := critical
	lesser.Severity = schema.SeverityWarning
	window := routing{tell: true, digest: noon.Add(time.Minute)}
	tests := []struct {
		name string
		r    routing
		c    schema.Conversation
		told channel.Told
		out  bool
		want channel.Reason
	}{
		{"came-and-went", routing{}, closed, channel.Told{}, true, channel.AfterOutage},
		{"came-and-went-while-all-was-well", routing{}, closed, channel.Told{}, false, ""},
		{"went-but-they-know-of-it", routing{}, closed, channel.Told{Revision: 1, Episode: 1}, true, ""},
		{"went-but-may-have-arrived", routing{}, closed, channel.Told{Claim: &channel.Claim{}}, true, ""},
		{"open", routing{}, critical, channel.Told{}, true, ""},
		{"window", window, lesser, channel.Told{}, false, channel.Collected},
		{"critical-does-not-wait", window, critical, channel.Told{}, false, ""},
		{"a-card-is-there", window, lesser, channel.Told{Revision: 1, Episode: 1, Ref: "x"}, false, ""},
		{"a-webhook-has-no-card-but-knows-of-it", window, lesser, channel.Told{Revision: 1, Episode: lesser.Episode}, false, ""},
		{"told-in-a-digest-before", window, lesser, channel.Told{Revision: 1}, false, channel.Collected},
		{"window-is-over", routing{tell: true, digest: noon}, lesser, channel.Told{}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := collects(tt.r, tt.c, tt.told, func(time.Time) bool { return tt.out }, noon)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestADigestThatMayHaveArrivedKeepsItsKeyThoughItsRepeatFails(t *testing.T) {
	d := in(entered("a", 1, noon)).claim(channel.Collected, "k", "me", noon, noon)
	d = d.failed("k", verdict{action: unsure}, true, 0, noon).claim(channel.Collected, "another", "me", noon, noon)
	for _, a := range []action{again, hold, slow, gone} {
		if got := d.failed("k", verdict{action: a}, true, 0, noon).claim(channel.Collected, "new", "me", noon, noon); got.Claim.Key != "k" || !got.batched("k") {
			t.Errorf("after %v it has key %s", a, got.Claim.Key)
		}
	}
	if got := d.failed("k", verdict{action: again}, false, 0, noon).claim(channel.Collected, "new", "me", noon, noon); got.Claim.Key != "new" {
		t.Errorf("what has not arrived is not told as it is by now, under key %s", got.Claim.Key)
	}
}

func TestTurnAfter(t *testing.T) {
	tests := []struct {
		name     string
		a        pace.Answer
		severity string
		ahead    int
		want     time.Duration
	}{
		{"free", pace.Answer{}, schema.SeverityInfo, 9, 0},
		{"critical-first", pace.Answer{Why: pace.Opened, Wait: time.Minute}, schema.SeverityCritical, 9, time.Minute},
		{"then-warnings", pace.Answer{Why: pace.Paused, Wait: time.Minute}, schema.SeverityWarning, 9, time.Minute + 2*time.Second},
		{"then-the-rest", pace.Answer{Why: pace.Opened, Wait: time.Minute}, schema.SeverityInfo, 0, time.Minute + 4*time.Second},
		{"open-for-long-is-looked-at-meanwhile", pace.Answer{Why: pace.Opened, Wait: time.Hour}, schema.SeverityCritical, 0, time.Minute},
		{"in-line-for-the-rate", pace.Answer{Why: pace.Limited, Wait: time.Second}, schema.SeverityWarning, 3, 4 * time.Second},
		{"a-long-line", pace.Answer{Why: pace.Limited, Wait: time.Second}, schema.SeverityWarning, 1 << 20, 5*time.Minute + time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := turnAfter(tt.a, tt.severity, tt.ahead, time.Second); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestHowLongAConversationHasBeenStuck(t *testing.T) {
	c := channeltest.Opened("checkout")
	tests := []struct {
		name string
		told channel.Told
		s    pace.State
		want time.Time
	}{
		{"nothing-is-wrong", channel.Told{}, pace.State{}, time.Time{}},
		{"tried-itself", channel.Told{FirstTry: noon}, pace.State{Since: noon.Add(-time.Hour)}, noon},
		{"since-the-target-fails", channel.Told{}, pace.State{Since: noon}, noon},
		{"since-it-happened", channel.Told{}, pace.State{GoneAt: channeltest.At(-100)}, channeltest.At(1)},
		{"a-rate-is-nothing-wrong", channel.Told{}, pace.State{Slot: noon}, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := stuckSince(c, tt.told, tt.s); !got.Equal(tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
