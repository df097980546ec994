package host_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

// at is so many seconds before noon.
func at(seconds int) time.Time { return noon.Add(-time.Duration(seconds) * time.Second) }

// runs is a unit that runs since its nth start, restarted so often.
func runs(n int, restarts int64) host.Unit {
	return host.Unit{
		ID: "web.service", Load: "loaded", Active: "active", Sub: "running", Type: "simple", Restart: "on-failure", File: "enabled",
		Result: "success", Run: fmt.Sprintf("run%d", n), Restarts: restarts, StartedAt: at(500 - 10*n), ActiveAt: at(500 - 10*n),
	}
}

// ends is how that run ended with an exit code, five seconds later.
func ends(n int, restarts int64, code int) host.Unit {
	u := runs(n, restarts)
	u.Active, u.Sub, u.Result, u.Ended, u.Status = "failed", "failed", "exit-code", 1, code
	u.ExitedAt, u.InactiveAt, u.RanFor = u.StartedAt.Add(5*time.Second), u.StartedAt.Add(5*time.Second), new(5.0)
	return u
}

// waits is the same with systemd about to restart it.
func waits(n int, restarts int64, code int) host.Unit {
	u := ends(n, restarts, code)
	u.Active, u.Sub = "activating", "auto-restart"
	return u
}

func with(u host.Unit, change func(*host.Unit)) host.Unit {
	change(&u)
	return u
}

// tell is what happened in one line for each.
func tell(happened []source.Happening) string {
	var all []string
	for _, h := range happened {
		text := h.Kind
		if h.Failure != nil {
			text += " " + h.Failure.Reason
		}
		if h.Event != "" {
			text += " (" + h.Event + ": " + h.Text + ")"
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func TestWhatHappenedIsToldOnceAndInOrder(t *testing.T) {
	stopped := with(runs(1, 0), func(u *host.Unit) {
		u.Active, u.Sub, u.Ended, u.Status, u.ExitedAt, u.InactiveAt = "inactive", "dead", 2, 15, at(100), at(100)
	})
	gaveUp := with(ends(1, 5, 4), func(u *host.Unit) { u.InactiveAt = at(50) })
	tests := []struct {
		name     string
		readings []host.Unit
		want     []string
	}{
		{
			"seen-to-end-and-to-be-restarted",
			[]host.Unit{runs(1, 0), waits(1, 0, 3), waits(1, 0, 3), runs(2, 1), runs(2, 1)},
			[]string{"", "failed exit (die: exit 3, ran for 5s)", "", "restarted (restart: restarted by systemd)", ""},
		},
		{
			"restarted-between-two-looks",
			[]host.Unit{runs(1, 0), runs(3, 2)},
			[]string{"", "failed unavailable; restarted; failed unavailable; restarted (restart: restarted by systemd, 2 times since it was last looked at)"},
		},
		{
			"restarted-unseen-and-ended-again",
			[]host.Unit{runs(1, 0), waits(2, 1, 3)},
			[]string{"", "failed unavailable; restarted (restart: restarted by systemd); failed exit (die: exit 3, ran for 5s)"},
		},
		{"restarts-before-first-sight-do-not-count", []host.Unit{runs(1, 40), runs(1, 40)}, []string{"", ""}},
		{
			"start-by-hand-sets-the-count-to-0",
			[]host.Unit{runs(1, 7), runs(2, 0), runs(3, 1)},
			[]string{"", "noted (start: started)", "failed unavailable; restarted (restart: restarted by systemd)"},
		},
		{
			"gave-up",
			[]host.Unit{runs(0, 0), waits(1, 4, 4), gaveUp, gaveUp},
			[]string{
				"", "failed unavailable; restarted; failed unavailable; restarted; failed unavailable; restarted; failed unavailable; " +
					"restarted (restart: restarted by systemd, 4 times since it was last looked at); failed exit (die: exit 4, ran for 5s)",
				"noted (gave_up: gave up after 5 tries)", "",
			},
		},
		{
			"stopped-and-started-by-hand",
			[]host.Unit{runs(1, 0), stopped, stopped, runs(2, 0)},
			[]string{"", "noted (stop: stopped)", "", "noted (start: started)"},
		},
		{
			"baseline-started-again-and-failed-anew",
			[]host.Unit{ends(1, 0, 1), ends(1, 0, 1), runs(2, 0), ends(2, 0, 1)},
			[]string{"", "", "noted (start: started)", "failed exit (die: exit 1, ran for 5s)"},
		},
		{
			"want-of-memory",
			[]host.Unit{runs(1, 0), with(waits(1, 0, 9), func(u *host.Unit) { u.Result, u.Ended = "oom-kill", 2 })},
			[]string{"", "failed oom (oom: exit 137, ran for 5s, killed for want of memory)"},
		},
		{"java-told-to-stop", []host.Unit{runs(1, 0), ends(1, 0, 143)}, []string{"", "noted (stop: stopped)"}},
		{
			"ended-0-although-it-should-always-run",
			[]host.Unit{runs(1, 0), with(waits(1, 0, 0), func(u *host.Unit) { u.Result, u.Restart = "success", "always" })},
			[]string{"", "failed exit (die: exit 0, ran for 5s)"},
		},
		{
			"ended-0-after-a-long-run",
			[]host.Unit{runs(1, 0), with(waits(1, 0, 0), func(u *host.Unit) { u.Result, u.RanFor = "success", new(601.0) })},
			[]string{"", ""},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story := host.NewStory(t)
			var got []string
			for _, u := range tt.readings {
				happened, _ := story.Tell(noon, u)
				got = append(got, tell(happened))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("what happened (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryHappeningHasAKeyOfItsOwn(t *testing.T) {
	story, seen := host.NewStory(t), map[string]bool{}
	for _, u := range []host.Unit{runs(1, 0), waits(1, 0, 3), runs(2, 1), waits(4, 3, 3), ends(5, 5, 3), runs(6, 0), runs(7, 1), ends(7, 1, 143)} {
		happened, _ := story.Tell(noon, u)
		for _, h := range happened {
			if h.Key == "" || seen[h.Key] || h.At.IsZero() || h.Object != (schema.Object{Kind: schema.KindService, Namespace: "systemd.service", Name: "web"}) {
				t.Errorf("happening %+v", h)
			}
			seen[h.Key] = true
		}
	}
	if len(seen) < 12 {
		t.Errorf("%d happenings", len(seen))
	}
}

func TestCountThatLeapsIsReportedWithinBounds(t *testing.T) {
	story := host.NewStory(t)
	story.Tell(noon, runs(1, 0))
	happened, _ := story.Tell(noon, runs(2, 1<<40))
	if len(happened) != 2*host.MaxGrowth {
		t.Errorf("%d happenings", len(happened))
	}
}

func TestUnitIsWantedOrSaysWhyNot(t *testing.T) {
	inactive := func(change func(*host.Unit)) host.Unit {
		return with(runs(1, 0), func(u *host.Unit) {
			u.Active, u.Sub, u.Ended, u.Status, u.InactiveAt, u.ExitedAt = "inactive", "dead", 1, 0, at(90), at(90)
			change(u)
		})
	}
	never := func(change func(*host.Unit)) host.Unit {
		return with(host.Unit{ID: "web.service", Load: "loaded", Active: "inactive", Sub: "dead", File: "enabled"}, change)
	}
	starting := func(since int) host.Unit {
		return with(runs(1, 0), func(u *host.Unit) {
			u.Active, u.Sub, u.StartedAt, u.ActiveAt = "activating", "start", at(since), time.Time{}
		})
	}
	tests := []struct {
		name string
		unit host.Unit
		want string // "": not in the snapshot
	}{
		{"running", runs(1, 0), "1 of 1, healthy"},
		{"reloading", with(runs(1, 0), func(u *host.Unit) { u.Active, u.Sub = "reloading", "reload" }), "1 of 1, healthy"},
		{"about-to-be-restarted", waits(1, 0, 3), "0 of 1, stopped"},
		{"queued-to-be-restarted", with(waits(1, 0, 3), func(u *host.Unit) { u.Sub = "auto-restart-queued" }), "0 of 1, stopped"},
		{"just-starting", starting(30), "? of 1, degraded"},
		{"starting-for-too-long", starting(180), "0 of 1, stopped"},
		{"killed", with(ends(1, 0, 9), func(u *host.Unit) { u.Ended, u.Result = 2, "signal" }), "0 of 1, stopped, exit 137: ended by signal 9, killed"},
		{"watchdog", with(ends(1, 0, 6), func(u *host.Unit) { u.Ended, u.Result = 3, "watchdog" }), "0 of 1, stopped, exit 134: it did not answer systemd's watchdog in time"},
		{"not-startable", with(ends(1, 0, 0), func(u *host.Unit) { u.Ended, u.Result, u.ExitedAt = 0, "resources", time.Time{} }), "0 of 1, stopped, start: systemd says: resources"},
		{"started-too-often-by-hand", with(ends(1, 0, 0), func(u *host.Unit) { u.Result = "start-limit-hit" }), "0 of 1, stopped, retries 0: systemd no longer starts it: it was started too often"},
		{"own-exit-code-of-203-after-a-while", ends(1, 0, 203), "0 of 1, stopped, exit 203"},
		{"told-to-stop-and-too-slow", with(ends(1, 0, 9), func(u *host.Unit) { u.Ended, u.Result = 2, "timeout" }), "0 of 0, stopped, not wanted: stopped by hand"},
		{"java-told-to-stop", ends(1, 0, 143), "0 of 0, stopped, not wanted: stopped by hand"},
		{"ended-0", inactive(func(*host.Unit) {}), "0 of 0, stopped, not wanted: ended 0"},
		{"ended-0-although-always", inactive(func(u *host.Unit) { u.Restart = "always" }), "0 of 0, stopped, not wanted: stopped by hand"},
		{"stopped", inactive(func(u *host.Unit) { u.Ended, u.Status = 2, 15 }), "0 of 0, stopped, not wanted: stopped by hand"},
		{"condition-not-met", never(func(u *host.Unit) { u.ConditionFailed = true }), "0 of 0, stopped, not wanted: a condition of its unit file is not met"},
		{"never-started", never(func(*host.Unit) {}), "0 of 0, stopped, not wanted: not started since boot"},
		{"socket", never(func(u *host.Unit) { u.TriggeredBy = []string{"web.socket"} }), "0 of 0, stopped, not wanted: waits for its socket, path or bus name"},
		{"static-and-never-started", never(func(u *host.Unit) { u.File = "static" }), ""},
		{"disabled", never(func(u *host.Unit) { u.File = "disabled" }), ""},
		{"masked", with(runs(1, 0), func(u *host.Unit) { u.Load = "masked" }), ""},
		{"oneshot-of-boot", with(runs(1, 0), func(u *host.Unit) { u.Type, u.Sub, u.Ended, u.ExitedAt = "oneshot", "exited", 1, at(90) }), ""},
		{"oneshot-failed", with(ends(1, 0, 7), func(u *host.Unit) { u.Type = "oneshot" }), "0 of 0, stopped, not wanted: job, job ended 7, exit 7"},
		{
			"oneshot-not-startable", with(ends(1, 0, 0), func(u *host.Unit) { u.Type, u.Ended, u.Result = "oneshot", 0, "resources" }),
			"0 of 0, stopped, not wanted: job, job ended -1, start: systemd says: resources",
		},
		{"timer-went-well", inactive(func(u *host.Unit) { u.TriggeredBy = []string{"web.timer"} }), "0 of 0, stopped, not wanted: job, job ended 0"},
		{"timer-runs", with(runs(1, 0), func(u *host.Unit) { u.TriggeredBy = []string{"web.timer"} }), "1 of 1, healthy"},
		{"transient-failed", with(ends(1, 0, 2), func(u *host.Unit) { u.File, u.Restart = "transient", "no" }), "0 of 0, stopped, not wanted: job, job ended 2, exit 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			story := host.NewStory(t)
			story.Tell(noon)
			_, services := story.Tell(noon, tt.unit)
			got := ""
			if s, shown := services["web"]; shown {
				got = line(s)
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestJobThatFailedIsShownWhenItGoesWellAgain(t *testing.T) {
	job := func(u host.Unit) host.Unit { return with(u, func(u *host.Unit) { u.Type = "oneshot" }) }
	well := job(with(ends(2, 0, 0), func(u *host.Unit) { u.Active, u.Sub, u.Result = "active", "exited", "success" }))
	story := host.NewStory(t)
	story.Tell(noon, job(runs(0, 0)))
	var got []string
	for _, u := range []host.Unit{job(ends(1, 0, 7)), job(with(runs(2, 0), func(u *host.Unit) { u.Active, u.Sub = "activating", "start" })), well, well} {
		_, services := story.Tell(noon, u)
		got = append(got, line(services["web"]))
	}
	want := []string{
		"0 of 0, stopped, not wanted: job, job ended 7, exit 7", "? of 0, degraded, not wanted: job, job ended 7",
		"0 of 0, stopped, not wanted: job, job ended 0", "0 of 0, stopped, not wanted: job, job ended 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
	if _, services := story.Tell(noon.Add(26*time.Hour), well); len(services) > 0 {
		t.Errorf("a day later it is still shown: %v", lines(services))
	}
}
