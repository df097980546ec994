package docker

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/api/types/events"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

var web = schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "web"}

// script reads events, one a word: seconds:action, with an exit code or a health after a "=".
func script(t *testing.T, words string) []event {
	t.Helper()
	var all []event
	for word := range strings.FieldsSeq(words) {
		at, action, _ := strings.Cut(word, ":")
		action, detail, _ := strings.Cut(action, "=")
		after, err := time.ParseDuration(at + "s")
		if err != nil {
			t.Fatal(err)
		}
		e := event{ID: "c1", Action: action, At: firstSeen.Add(after), Object: web, Name: "shop-web-1", Health: detail}
		e.Exit, _ = strconv.Atoi(detail)
		all = append(all, e)
	}
	return all
}

func remembering(t *testing.T, policy string) *memory {
	t.Helper()
	m, _, err := recall(nil, "engine", firstSeen)
	if err != nil {
		t.Fatal(err)
	}
	m.container("c1", web, "shop-web-1").Policy = policy
	return m
}

func TestFoldTellsFailuresAndRestartsFromWhatPeopleDo(t *testing.T) {
	tests := []struct {
		name   string
		policy string
		events string
		want   string // kind=text, separated by "; "
	}{
		{"crash-and-restart", policyAlways, "0:start 5:die=3 6:start", "noted=started; failed=exit 3; restarted=restarted after exit 3"},
		{"exit-0-in-a-loop", policyAlways, "0:start 5:die=0 6:start", "noted=started; failed=exit 0; restarted=restarted after exit 0"},
		{"exit-0-after-a-day", policyAlways, "0:start 86400:die=0 86401:start", "noted=started; noted=exit 0; restarted=restarted after exit 0"},
		{"job-run-again", policyNo, "0:start 5:die=0 60:start 65:die=0", "noted=started; noted=exit 0; noted=run again; noted=exit 0"},
		{"restart-by-hand", policyAlways, "0:start 50:kill 51:die=2 51.1:stop 52:start 52.1:restart", "noted=started; noted=stopped by hand (exit 2); noted=started by hand; noted=restarted by hand"},
		{"stop-told-before-the-end", policyAlways, "0:start 50:kill 51:stop 51.1:die=137", "noted=started; noted=stopped by hand (exit 137)"},
		{"slow-stop-is-by-hand", policyAlways, "0:start 50:kill 90:die=1 90.1:stop", "noted=started; noted=stopped by hand (exit 1)"},
		{"kill-long-before-is-not", policyNo, "0:start 50:kill 90:die=1", "noted=started; failed=exit 1"},
		{"kill-of-the-run-before-is-not", policyAlways, "0:start 50:kill 51:die=2 51.1:stop 52:start 53:die=1", "noted=started; noted=stopped by hand (exit 2); noted=started by hand; failed=exit 1"},
		{"out-of-memory-once", policyAlways, "0:start 1:oom 1.1:die=137 2:start", "noted=started; failed=out of memory; noted=ended for want of memory (exit 137); restarted=restarted after exit 137"},
		{"out-of-memory-each-run", policyAlways, "0:start 0.1:oom 0.2:die=137 1:start 1.1:oom 1.2:die=137", "noted=started; failed=out of memory; noted=ended for want of memory (exit 137); restarted=restarted after exit 137; failed=out of memory; noted=ended for want of memory (exit 137)"},
		{"out-of-memory-told-late", policyNo, "0:start 1:die=137 1.1:oom", "noted=started; failed=exit 137; noted=out of memory"},
		{"a-child-out-of-memory", policyNo, "0:start 1:oom 2:oom 60:oom", "noted=started; failed=out of memory; failed=out of memory"},
		{"health-by-transition", policyNo, "0:start 1:health_status=healthy 5:health_status=unhealthy 6:health_status=unhealthy 7:health_status=healthy 8:health_status=unhealthy", "noted=started; failed=health check fails; noted=health check passes again; failed=health check fails"},
		{"paused", policyNo, "0:pause 1:unpause", "noted=paused by hand; noted=unpaused"},
		{"stopped-while-waiting-to-restart", policyAlways, "0:start 1:die=3 5:stop 9:start", "noted=started; failed=exit 3; noted=started by hand"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := remembering(t, tt.policy)
			if diff := cmp.Diff(tt.want, told(m.fold(script(t, tt.events)))); diff != "" {
				t.Errorf("happenings (-want +got):\n%s", diff)
			}
		})
	}
}

func told(happened []source.Happening) string {
	var words []string
	for _, h := range happened {
		words = append(words, h.Kind+"="+h.Text)
	}
	return strings.Join(words, "; ")
}

func TestFoldTakesEachEventOnceEvenAfterAnOutage(t *testing.T) {
	m := remembering(t, policyAlways)
	events := script(t, "0:start 5:die=3 6:start 7:die=3")
	m.Cursor = firstSeen.Add(4 * time.Second).UnixNano()
	first := m.fold(events)
	m.service(web).SeenAt = firstSeen
	m.prune(firstSeen.Add(8 * time.Second))

	state, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	again, fresh, err := recall(state, "engine", firstSeen.Add(time.Hour))
	if err != nil || fresh {
		t.Fatalf("recalled afresh %v, error %v", fresh, err)
	}
	if diff := cmp.Diff("", told(again.fold(events))); diff != "" || len(first) != 4 {
		t.Errorf("told again (-want +got):\n%s", diff)
	}
	if got := again.Services["shop/web"].Failure; got == nil || *got.ExitCode != 3 {
		t.Errorf("failure forgotten: %+v", got)
	}
}

func TestRecallForgetsAnotherEngine(t *testing.T) {
	state, _ := json.Marshal(remembering(t, ""))
	m, fresh, err := recall(state, "other", started)
	if err != nil || !fresh || len(m.Containers) != 0 || !m.FirstSeen.Equal(started) {
		t.Errorf("memory %+v, fresh %v, error %v", m, fresh, err)
	}
	if _, _, err := recall(json.RawMessage("{"), "e", started); err == nil {
		t.Error("a broken memory is no error")
	}
}

func TestRemovalLowersWhatIsExpected(t *testing.T) {
	tests := []struct {
		name       string
		events     string
		autoRemove bool
		want       int
		reason     string
	}{
		{"scaled-down", "0:start 50:kill 51:die=137 51.2:destroy", false, 2, "scaled down"},
		{"removed-after-it-crashed", "0:start 5:die=1 500:destroy", false, 2, "removed by hand"},
		{"crashed-and-removed-itself", "0:start 5:die=1 5.1:destroy", true, 3, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := remembering(t, policyNo)
			m.Containers["c1"].AutoRemove, m.Containers["c1"].Serves = tt.autoRemove, true
			m.service(web).Marks = observe(nil, 3, firstSeen)
			m.fold(script(t, tt.events))
			if got := m.service(web); highest(got.Marks) != tt.want || got.Reason != tt.reason {
				t.Errorf("expects %d, reason %q; want %d, %q", highest(got.Marks), got.Reason, tt.want, tt.reason)
			}
		})
	}
}

func TestMarksRememberTheMostOfADay(t *testing.T) {
	var marks []mark
	counts := []struct {
		hour, count, want int
	}{{0, 3, 3}, {1, 2, 3}, {2, 1, 3}, {20, 2, 3}, {25, 1, 2}, {26, 1, 2}, {45, 1, 1}, {46, 4, 4}}
	for _, c := range counts {
		marks = observe(marks, c.count, firstSeen.Add(time.Duration(c.hour)*time.Hour))
		if got := highest(marks); got != c.want {
			t.Errorf("at hour %d: %d, want %d", c.hour, got, c.want)
		}
	}
}

func TestMeetMakesUpForRestartsThatNoEventTold(t *testing.T) {
	at := firstSeen.Add(time.Hour)
	tests := []struct {
		name          string
		before, now   int // the engine's count
		fresh, gap    bool
		created       time.Time
		restarts, all int // happenings
	}{
		{"gap", 2, 5, false, true, firstSeen, 3, 6},
		{"gap-with-count-set-back", 5, 2, false, true, firstSeen, 2, 4},
		{"no-gap-no-repair", 2, 5, false, false, firstSeen, 0, 0},
		{"young-at-first-sight", 0, 4, true, false, at.Add(-time.Hour), 4, 4},
		{"old-at-first-sight", 0, 400, true, false, at.Add(-100 * time.Hour), 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := remembering(t, policyAlways)
			c := m.Containers["c1"]
			if c.RestartCount = tt.before; !tt.fresh {
				c.StartedAt = firstSeen
			}
			l := listed{ID: "c1", Object: web, Created: tt.created, State: stateRunning, Detail: &details{RestartCount: tt.now, StartedAt: at, State: stateRunning}}
			got := m.meet(l, tt.fresh, tt.gap, at)
			restarts := 0
			for _, h := range got {
				if h.Kind == source.Restarted {
					restarts++
				}
			}
			if restarts != tt.restarts || len(got) != tt.all {
				t.Errorf("%d restarts of %d happenings: %s", restarts, len(got), told(got))
			}
			if len(m.meet(l, false, tt.gap, at)) != 0 {
				t.Error("told twice")
			}
		})
	}
}

// While the engine waits to restart a container, its count is one ahead.
func TestMeetCountsARestartThatIsToComeOnce(t *testing.T) {
	ended := firstSeen.Add(time.Hour)
	die := event{ID: "c1", Action: actDie, At: ended, Object: web, Exit: 3}
	tests := []struct {
		name             string
		fresh, gap       bool
		events           []event // that the engine had not forgotten
		now              time.Time
		failed, restarts int // before the start that is to come
	}{
		{"gap", false, true, nil, ended.Add(time.Minute), 3, 2},
		{"gap-that-ends-before-the-end", false, true, []event{die}, ended.Add(time.Minute), 3, 2},
		{"gap-and-an-end-whose-event-is-on-its-way", false, true, nil, ended.Add(time.Second), 2, 2},
		{"first-sight", true, false, nil, ended.Add(time.Minute), 0, 4},
		{"first-sight-with-its-end", true, false, []event{die}, ended.Add(time.Minute), 1, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := remembering(t, policyAlways)
			c := m.Containers["c1"]
			if !tt.fresh {
				c.RestartCount, c.StartedAt = 2, firstSeen
			}
			l := listed{ID: "c1", Object: web, Created: firstSeen, State: stateRestarting, Detail: &details{
				RestartCount: 5, ExitCode: 3, StartedAt: ended.Add(-time.Second), FinishedAt: ended, State: stateRestarting,
			}}
			kinds := map[string]int{}
			count := func(happened []source.Happening) {
				for _, h := range happened {
					kinds[h.Kind]++
				}
			}
			count(m.fold(tt.events))
			count(m.meet(l, tt.fresh, tt.gap, tt.now))
			if kinds[source.Failed] != tt.failed || kinds[source.Restarted] != tt.restarts {
				t.Errorf("%v, want %d failed and %d restarted", kinds, tt.failed, tt.restarts)
			}
			start := event{ID: "c1", Action: actStart, At: tt.now.Add(time.Second), Object: web}
			late := die
			late.At = late.At.Add(time.Millisecond)
			if tt.now.Sub(ended) < overlap {
				count(m.fold([]event{late}))
			}
			count(m.fold([]event{start}))
			if kinds[source.Restarted] != tt.restarts+1 || m.Containers["c1"].RestartCount != 5 {
				t.Errorf("%d restarts, count %d; want %d and 5", kinds[source.Restarted], m.Containers["c1"].RestartCount, tt.restarts+1)
			}
		})
	}
}

func TestParseEventDropsWhatDoesNotConcernUs(t *testing.T) {
	tests := []struct {
		name   string
		action string
		labels map[string]string
		want   bool
	}{
		{"die", "die", map[string]string{"name": "a", "exitCode": "1"}, true},
		{"health", "health_status: unhealthy", map[string]string{"name": "a"}, true},
		{"probe", "exec_create: /bin/sh -c true", map[string]string{"name": "a"}, false},
		{"oneoff", "die", map[string]string{"com.docker.compose.oneoff": "True"}, false},
		{"ignored", "die", map[string]string{"bellbuoy.ignore": "true"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := events.Message{Type: "container", Action: events.Action(tt.action), TimeNano: 1, Actor: events.Actor{ID: "c", Attributes: tt.labels}}
			if _, got := parseEvent(m); got != tt.want {
				t.Errorf("ours %v, want %v", got, tt.want)
			}
		})
	}
}
