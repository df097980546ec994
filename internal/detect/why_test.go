package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestWhySaysWhereEachConditionStands(t *testing.T) {
	web := schema.Object{Kind: "service", Namespace: "shop", Name: "web"}
	n1 := schema.Object{Kind: "node", Name: "n1"}
	byHand := down("web")
	byHand.NotWanted = "stopped by hand"
	baseline := down("web")
	baseline.NotWanted = "ended before Bellbuoy first saw it"
	scaled := down("web")
	scaled.ReplicasDesired = new(0)
	blind := svc{Name: "web", Namespace: "shop"}
	starting := up("web")
	starting.Health = "starting"
	of := func(services ...svc) (all []schema.ClusterContext) {
		for n, s := range services {
			all = append(all, snapshot(after(time.Duration(n)*i), s))
		}
		return all
	}
	gone := of(down("web"), down("web"))
	for n := range 10 {
		gone = append(gone, snapshot(after(time.Duration(n+2)*i)))
	}
	stale := snapshot(after(i), sick("web"))
	stale.Services[0].Stale = true
	room := func(n node) []schema.ClusterContext {
		n.ID = "n1"
		return []schema.ClusterContext{nodes(start, n)}
	}
	blindTo := func(part string, all []schema.ClusterContext) []schema.ClusterContext {
		all[len(all)-1].Unread = []schema.UnreadPart{{Part: part, Reason: "no GPU here"}}
		return all
	}
	hot := func() (all []schema.ClusterContext) {
		for n := range 10 {
			s := room(gpus(gpu{Temperature: new(95.0)}))[0]
			s.TakenAt = after(time.Duration(n) * i)
			all = append(all, s)
		}
		return all
	}
	steady := of(logging("web", 0), logging("web", 0), logging("web", 7), logging("web", 7))
	tests := []struct {
		name      string
		seen      []schema.ClusterContext
		object    schema.Object
		condition string
		want      detect.Reason
	}{
		{"well", of(up("web")), web, "service_down", detect.Reason{Verdict: "well", Text: "service_down: well"}},
		{"firing", of(down("web"), down("web")), web, "service_down", detect.Reason{
			Verdict: "firing", Text: "service_down: alerting since 08:00:00 UTC, web: 0 of 1 running", Since: start,
		}},
		{"holding", of(sick("web"), sick("web")), web, "unhealthy", detect.Reason{
			Verdict: "hold", Text: "unhealthy: holding, 15 s of 60 s", Since: start, Until: after(4 * i),
		}},
		{"holding-in-a-stale-snapshot", append(of(sick("web")), stale), web, "unhealthy", detect.Reason{
			Verdict: "hold", Text: "unhealthy: holding, 0 s of 60 s; what is known of it is stale, so nothing is raised or cleared", Since: start,
		}},
		{"clearing", of(down("web"), down("web"), up("web"), up("web")), web, "service_down", detect.Reason{
			Verdict: "clear_hold", Text: "service_down: alerting, but well for 15 s of 60 s", Since: after(2 * i), Until: after(6 * i),
		}},
		{"loop-clearing", of(up("web"), looping("web", 11), looping("web", 11)), web, "crash_loop", detect.Reason{
			Verdict: "clear_hold", Text: "crash_loop: alerting, but not again for 15 s of 10 min", Since: after(2 * i), Until: after(2*i + 10*time.Minute - i),
		}},
		{"stopped-by-hand", of(byHand), web, "service_down", detect.Reason{Verdict: "by_hand", Text: "service_down: not alerted, stopped by hand"}},
		{"ended-before", of(baseline), web, "service_down", detect.Reason{Verdict: "baseline", Text: "service_down: not alerted, ended before Bellbuoy first saw it"}},
		{"scaled-to-nothing", of(scaled), web, "service_down", detect.Reason{Verdict: "not_wanted", Text: "service_down: not alerted, none is wanted"}},
		{"older-than-the-memory", of(oomed("web", after(-i))), web, "oom_killed", detect.Reason{
			Verdict: "baseline", Text: "oom_killed: not alerted, it happened before the first snapshot, of 08:00:00 UTC",
		}},
		{"number-unknown", of(blind), web, "service_down", detect.Reason{Verdict: "unknown", Text: "service_down: not judged, how many are running is not known"}},
		{"restarts-unknown", of(blind), web, "crash_loop", detect.Reason{Verdict: "unknown", Text: "crash_loop: not judged, how often it restarted is not known"}},
		{"check-starting", of(starting), web, "unhealthy", detect.Reason{Verdict: "unknown", Text: "unhealthy: not judged, its health check is still starting"}},
		{"no-check", of(up("web")), web, "unhealthy", detect.Reason{Verdict: "well", Text: "unhealthy: well, it has no health check"}},
		{"node", []schema.ClusterContext{nodes(start, node{ID: "n1", Status: "down"})}, n1, "node_down", detect.Reason{
			Verdict: "hold", Text: "node_down: holding, 0 s of 15 s", Since: start, Until: after(i),
		}},
		{"memory", room(node{MemoryPercent: new(41.7)}), n1, "memory", detect.Reason{Verdict: "well", Text: "memory: well, 41 % used"}},
		{"memory-unknown", room(node{}), n1, "memory", detect.Reason{Verdict: "unknown", Text: "memory: not judged, how much of its memory is in use is not known"}},
		{"processors", room(node{CPUPercent: new(12.0)}), n1, "cpu", detect.Reason{Verdict: "well", Text: "cpu: well, 12 % busy"}},
		{"disks", room(disks(new(41.0), new(52.0))), n1, "disk", detect.Reason{Verdict: "well", Text: "disk: well, at most 52 % of the inodes of disk /var are used"}},
		{"disk-filling", room(disks(new(93.0), nil)), n1, "disk", detect.Reason{
			Verdict: "hold", Text: "disk: holding, 0 s of 5 min", Since: start, Until: after(5 * time.Minute),
		}},
		{"gpu-cool", room(gpus(gpu{Temperature: new(61.0)})), n1, "gpu_hot", detect.Reason{Verdict: "well", Text: "gpu_hot: well, 61 °C at most"}},
		{"gpu-memory", room(gpus(vram(50))), n1, "gpu_memory", detect.Reason{Verdict: "well", Text: "gpu_memory: well, 50 % used at most"}},
		{"no-gpu", blindTo(schema.PartGPUs, room(node{})), n1, "gpu_hot", detect.Reason{Verdict: "off", Text: "gpu_hot: off, nothing reads it: no GPU here"}},
		{"gpu-taken-away", blindTo(schema.PartGPUs, hot()), n1, "gpu_hot", detect.Reason{
			Verdict: "off", Text: "gpu_hot: off, nothing reads it: no GPU here; it was alerting, and is dropped if nothing reads it for 2 min",
		}},
		{"no-gpu-errors-counted", room(gpus(gpu{})), n1, "gpu_errors", detect.Reason{Verdict: "unknown", Text: "gpu_errors: not judged, no GPU that counts its errors is known"}},
		{"not-rebooted", room(node{BootAt: start.Add(-49 * time.Hour)}), n1, "node_rebooted", detect.Reason{Verdict: "well", Text: "node_rebooted: well, up for 49 h"}},
		{"no-errors", of(logging("web", 0)), web, "error_burst", detect.Reason{Verdict: "well", Text: "error_burst: well, no errors lately"}},
		{"some-errors", steady, web, "error_burst", detect.Reason{Verdict: "well", Text: "error_burst: well, 7 errors in 5 min, usually less than 1 in 5 min"}},
		{"part-of-it", of(some("web", new(2), 3)), web, "service_degraded", detect.Reason{
			Verdict: "hold", Text: "service_degraded: holding, 0 s of 2 min", Since: start, Until: after(8 * i),
		}},
		{"none-of-it", of(down("web")), web, "service_degraded", detect.Reason{
			Verdict: "well", Text: "service_degraded: well, none is running, which service_down is about",
		}},
		{"absent", append(of(down("web"), down("web")), snapshot(after(2*i))), web, "service_down", detect.Reason{
			Verdict: "firing", Text: "service_down: alerting since 08:00:00 UTC, web: 0 of 1 running", Since: start,
		}},
		{"gone", gone, web, "", detect.Reason{Verdict: "unknown", Text: "shop/web has left the cluster; it was alerting when it did", Since: after(2 * i)}},
		{"never-seen", of(up("api")), web, "", detect.Reason{Verdict: "unknown", Text: "shop/web is in no snapshot that is remembered"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			for _, s := range tt.seen {
				c.see(s)
			}
			tt.want.Condition = tt.condition
			for _, r := range detect.Why(c.memory, &tt.seen[len(tt.seen)-1], c.rules, tt.object) {
				if r.Condition == tt.condition {
					want(t, r, tt.want)
					return
				}
			}
			t.Error("the condition has no reason")
		})
	}
}

func TestWhyNamesEveryConditionOfTheObject(t *testing.T) {
	c := watch(t)
	c.rules.OOMKilled.Severity = ""
	s := snapshot(start, up("web"))
	c.see(s)
	var got []string
	for _, r := range detect.Why(c.memory, &s, c.rules, s.Services[0].Object()) {
		got = append(got, r.Condition+" "+r.Verdict)
	}
	want(t, got, []string{"service_down well", "crash_loop well", "oom_killed off", "unhealthy well", "service_degraded well", "error_burst unknown", "job_failed well"})
}

func TestWhyWithoutASnapshot(t *testing.T) {
	c := watch(t)
	want(t, len(detect.Why(detect.Memory{}, nil, c.rules, schema.Object{Kind: "node", Name: "n1"})), 1)
	c.see(snapshot(start, down("web")))
	c.see(snapshot(after(i), down("web")))
	got := detect.Why(c.memory, nil, c.rules, schema.Object{Kind: "service", Namespace: "shop", Name: "web"})
	want(t, got[0].Verdict, "firing")
	want(t, got[1].Verdict, "unknown")
}

func TestWhyOfWhatIsStillToBeJudged(t *testing.T) {
	s := snapshot(start, down("web"))
	r := detect.Why(detect.Memory{}, &s, detect.Default(), s.Services[0].Object())[0]
	if r.Verdict != detect.VerdictHold || r.Text != "service_down: holding, seen in a snapshot that is still to be judged" {
		t.Errorf("%s: %q", r.Verdict, r.Text)
	}
}
