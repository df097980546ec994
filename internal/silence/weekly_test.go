package silence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/silence"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// window is one of all that is in cluster prod: days, from and to as 22:00, such as "sat sun 22:00 06:00".
func window(t *testing.T, name, zoneName, text string) silence.Weekly {
	t.Helper()
	w := silence.Weekly{Name: name, Matcher: silence.Cluster("prod"), Zone: zone(t, zoneName), Reason: "backups"}
	words := strings.Fields(text)
	for _, word := range words[:len(words)-2] {
		day, ok := silence.Day(word)
		if !ok {
			t.Fatalf("%q is no day", word)
		}
		w.Days[day] = true
	}
	for i, at := range []*int{&w.From, &w.To} {
		var hours, minutes int
		if _, err := fmt.Sscanf(words[len(words)-2+i], "%d:%d", &hours, &minutes); err != nil {
			t.Fatal(err)
		}
		*at = hours*60 + minutes
	}
	return w
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04Z", text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Each window holds from the first to the last of the two instants, in UTC, and not a second before or after.
func TestWindowsFollowTheClocksOfTheirZone(t *testing.T) {
	for _, tt := range []struct{ name, zone, window, from, until string }{
		{"in-the-week", "Europe/Berlin", "mon 09:00 17:30", "2026-11-23T08:00Z", "2026-11-23T16:30Z"},
		{"over-midnight", "Europe/Berlin", "mon 22:00 06:00", "2026-11-23T21:00Z", "2026-11-24T05:00Z"},
		{"sunday-to-monday", "Europe/Berlin", "sun 22:00 06:00", "2026-11-22T21:00Z", "2026-11-23T05:00Z"},
		{"to-the-days-end", "America/New_York", "tue 00:00 24:00", "2026-11-24T05:00Z", "2026-11-25T05:00Z"},
		{"another-day-than-in-utc", "Asia/Kolkata", "wed 02:00 03:00", "2026-11-24T20:30Z", "2026-11-24T21:30Z"},
		{"two-days-that-touch", "UTC", "sat sun 00:00 24:00", "2026-11-21T00:00Z", "2026-11-23T00:00Z"},
		{"over-the-end-of-the-week", "UTC", "sun mon 00:00 24:00", "2026-11-22T00:00Z", "2026-11-24T00:00Z"},

		{"berlin-an-hour-less", "Europe/Berlin", "sat 22:00 06:00", "2026-03-28T21:00Z", "2026-03-29T04:00Z"},
		{"berlin-an-hour-more", "Europe/Berlin", "sat 22:00 06:00", "2026-10-24T20:00Z", "2026-10-25T05:00Z"},
		{"berlin-begins-in-the-hour-that-is-not", "Europe/Berlin", "sun 02:30 04:00", "2026-03-29T01:00Z", "2026-03-29T02:00Z"},
		{"berlin-ends-in-the-hour-that-is-not", "Europe/Berlin", "sun 01:00 02:30", "2026-03-29T00:00Z", "2026-03-29T01:00Z"},
		{"berlin-begins-in-the-hour-that-comes-twice", "Europe/Berlin", "sun 02:30 04:00", "2026-10-25T00:30Z", "2026-10-25T03:00Z"},
		{"berlin-ends-in-the-hour-that-comes-twice", "Europe/Berlin", "sun 01:00 02:30", "2026-10-24T23:00Z", "2026-10-25T01:30Z"},
		{"berlin-within-the-hour-that-comes-twice", "Europe/Berlin", "sun 02:15 02:45", "2026-10-25T00:15Z", "2026-10-25T01:45Z"},
		{"berlin-on-the-hour-of-the-change", "Europe/Berlin", "sun 02:00 03:00", "2026-10-25T00:00Z", "2026-10-25T02:00Z"},

		{"new-york-begins-in-the-hour-that-is-not", "America/New_York", "sun 02:30 04:00", "2026-03-08T07:00Z", "2026-03-08T08:00Z"},
		{"new-york-ends-in-the-hour-that-is-not", "America/New_York", "sat 22:00 02:30", "2026-03-08T03:00Z", "2026-03-08T07:00Z"},
		{"new-york-begins-in-the-hour-that-comes-twice", "America/New_York", "sun 01:30 03:00", "2026-11-01T05:30Z", "2026-11-01T08:00Z"},
		{"new-york-ends-in-the-hour-that-comes-twice", "America/New_York", "sat 22:00 01:30", "2026-11-01T02:00Z", "2026-11-01T06:30Z"},

		{"lord-howe-begins-in-the-half-hour-that-is-not", "Australia/Lord_Howe", "sun 02:15 03:00", "2026-10-03T15:30Z", "2026-10-03T16:00Z"},
		{"lord-howe-ends-in-the-half-hour-that-is-not", "Australia/Lord_Howe", "sun 01:00 02:15", "2026-10-03T14:30Z", "2026-10-03T15:30Z"},
		{"lord-howe-begins-in-the-half-hour-that-comes-twice", "Australia/Lord_Howe", "sun 01:45 03:00", "2026-04-04T14:45Z", "2026-04-04T16:30Z"},
		{"lord-howe-ends-in-the-half-hour-that-comes-twice", "Australia/Lord_Howe", "sun 01:00 01:45", "2026-04-04T14:00Z", "2026-04-04T15:15Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := window(t, "w", tt.zone, tt.window)
			from, until := instant(t, tt.from), instant(t, tt.until)
			for at, want := range map[time.Time]bool{
				from.Add(-time.Second): false, from: true, from.Add(until.Sub(from) / 2): true, until.Add(-time.Second): true, until: false,
			} {
				got, active := w.ActiveAt(at)
				if active != want || active && !got.Equal(until) {
					t.Errorf("at %v: active %v until %v, want %v until %v", at, active, got.UTC(), want, until)
				}
			}
			if next := w.Next(from.Add(-time.Hour)); !next.From.Equal(from) || !next.Until.Equal(until) {
				t.Errorf("next is %v to %v", next.From.UTC(), next.Until.UTC())
			}
		})
	}
}

// The window that lies in the hour that does not come is left out that week.
func TestAWindowInTheHourThatIsNotIsLeftOut(t *testing.T) {
	w := window(t, "w", "Europe/Berlin", "sun 02:10 02:50")
	for at := instant(t, "2026-03-28T12:00Z"); at.Before(instant(t, "2026-03-29T12:00Z")); at = at.Add(time.Minute) {
		if _, active := w.ActiveAt(at); active {
			t.Fatalf("active at %v", at)
		}
	}
	if next := w.Next(instant(t, "2026-03-28T12:00Z")); !next.From.Equal(instant(t, "2026-04-05T00:10Z")) {
		t.Errorf("next from %v", next.From.UTC())
	}
}

// Over two years, in zones that change their clocks by an hour, by half an hour and never, a window holds whenever clocks
// show a time within it, and at no other time but between the two times that a clock shows its end or its beginning.
func TestWindowsHoldWheneverClocksShowATimeWithinThem(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Chatham", "America/Santiago"} {
		z := zone(t, name)
		for _, text := range []string{"fri sat sun 22:00 04:30", "sat sun 01:40 02:20", "sun 02:00 03:00", "sat 00:00 24:00"} {
			w := window(t, "w", name, text)
			inside := func(at time.Time) bool {
				local := at.In(z)
				minutes := local.Hour()*60 + local.Minute()
				today, yesterday := w.Days[local.Weekday()], w.Days[(local.Weekday()+6)%7]
				if w.To > w.From {
					return today && minutes >= w.From && minutes < w.To
				}
				return today && minutes >= w.From || yesterday && minutes < w.To
			}
			for at := instant(t, "2026-01-01T00:00Z"); at.Year() < 2028; at = at.Add(5 * time.Minute) {
				_, active := w.ActiveAt(at)
				_, before := at.Add(-2 * time.Hour).In(z).Zone()
				_, after := at.Add(2 * time.Hour).In(z).Zone()
				if want := inside(at); active != want && (want || before == after) {
					t.Fatalf("%s %s: active %v at %v, %v", name, text, active, at, at.In(z))
				}
			}
		}
	}
}

func TestWindowsThatTouchAreOne(t *testing.T) {
	at := instant(t, "2026-11-24T23:00Z")
	all := func(texts ...string) silence.Windows {
		var ws silence.Windows
		for i, text := range texts {
			ws = append(ws, window(t, string(rune('a'+i)), "UTC", text))
		}
		return ws
	}
	other := all("tue 22:00 24:00", "wed 00:00 08:00")
	other[1].Matcher = silence.Cluster("test")
	for _, tt := range []struct {
		name    string
		windows silence.Windows
		by      string // empty: none covers it
		until   string
	}{
		{"none", nil, "", ""},
		{"not-now", all("mon 22:00 06:00"), "", ""},
		{"one", all("tue 22:00 06:00"), "a", "2026-11-25T06:00Z"},
		{"the-longest", all("tue 22:00 02:00", "tue 22:30 06:00"), "b", "2026-11-25T06:00Z"},
		{"the-first-by-name-of-two-alike", all("tue 22:00 06:00", "tue 22:30 06:00"), "a", "2026-11-25T06:00Z"},
		{"one-after-the-other", all("tue 22:00 24:00", "wed 06:00 07:00", "wed 00:00 06:00"), "a", "2026-11-25T07:00Z"},
		{"with-a-minute-between", all("tue 22:00 24:00", "wed 00:01 06:00"), "a", "2026-11-25T00:00Z"},
		{"the-next-is-for-another", other, "a", "2026-11-25T00:00Z"},
		{"it-never-ends", all("mon tue wed thu fri sat sun 00:00 12:00", "mon tue wed thu fri sat sun 12:00 24:00"), "b", "far"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, held, found := tt.windows.At(at).Covering(checkout())
			if found != (tt.by != "") || found && w.Name != tt.by {
				t.Fatalf("covered %v, by %+v", found, w)
			}
			switch {
			case !found:
			case tt.until == "far":
				again, later, _ := tt.windows.At(at.Add(48 * time.Hour)).Covering(checkout())
				if held.Until.Sub(at) < 30*24*time.Hour || !later.Until.Equal(held.Until) || again.Name == "" {
					t.Errorf("until %v, and two days later %v", held.Until, later.Until)
				}
			case !held.Until.Equal(instant(t, tt.until)) || held.From.After(at):
				t.Errorf("from %v until %v, want %s", held.From, held.Until, tt.until)
			}
		})
	}
}

func TestWindowsAreShownAsTheyAreWritten(t *testing.T) {
	var got []string
	for _, text := range []string{"mon tue wed thu fri 22:00 06:00", "sat sun 00:00 24:00", "mon wed thu sun 09:05 10:00", "mon tue wed thu fri sat sun 01:00 02:00"} {
		w := window(t, "w", "Europe/Berlin", text)
		got = append(got, w.String())
	}
	want := []string{"mon-fri 22:00–06:00 Europe/Berlin", "sat-sun 00:00–24:00 Europe/Berlin", "mon,wed-thu,sun 09:05–10:00 Europe/Berlin", "mon-sun 01:00–02:00 Europe/Berlin"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	ws := silence.Windows{window(t, "a", "UTC", "mon 01:00 02:00"), window(t, "b", "UTC", "mon 01:00 02:00")}
	if w, found := ws.Find("window:b"); !found || w.Name != "b" || !silence.IsWindow(w.ID()) {
		t.Errorf("window:b is %+v", w)
	}
	if slices.ContainsFunc([]string{"window", "0123abcd", ""}, silence.IsWindow) {
		t.Error("what is no id of a window counts as one")
	}
}
