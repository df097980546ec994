package conversation_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
)

func TestARecordingIsEscalatedByTheClockOnTheWall(t *testing.T) {
	f := finding(noon, 1, false, "service_down", "critical")
	f.Stored = noon.Add(1000 * time.Hour)
	c := after(f)
	if want := f.Stored.Add(15 * time.Minute); !c.WakeAt.Equal(want) {
		t.Fatalf("wakes at %v, want %v", c.WakeAt, want)
	}
	if again, _ := conversation.Next(c, conversation.Woke{At: f.Stored.Add(time.Minute)}); again.Revision != c.Revision {
		t.Errorf("it was escalated for the time between the recording and now: %q", added(c, again))
	}
	back := finding(noon.Add(time.Hour), 2, false)
	back.Stored = f.Stored.Add(time.Hour)
	f.At, f.Seq, f.Stored = noon.Add(70*time.Minute), 3, f.Stored.Add(70*time.Minute)
	if c = after(f, back, f); !c.WakeAt.Equal(f.Stored.Add(15 * time.Minute)) {
		t.Errorf("after it came back it wakes at %v, want %v", c.WakeAt, f.Stored.Add(15*time.Minute))
	}
}

func TestWhatIsCalmIsEscalatedOnceItFailsAgain(t *testing.T) {
	c := after(finding(noon, 1, false, "service_down", "critical"))
	due := conversation.Woke{At: noon.Add(15 * time.Minute), Calm: true}
	if well, why := conversation.Next(c, due); well.Revision != c.Revision || why != "nothing is due" {
		t.Errorf("%s: %q", why, added(c, well))
	}
	due.Calm, due.At = false, due.At.Add(time.Minute)
	failing, _ := conversation.Next(c, due)
	if got := added(c, failing); len(got) != 1 || got[0] != "escalated" {
		t.Errorf("it fails again: %q", got)
	}
}
