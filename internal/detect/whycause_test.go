package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// why is what Why says of one condition of a service in shop.
func (w *town) why(name, condition string) detect.Reason {
	w.t.Helper()
	o := schema.Object{Kind: "service", Namespace: "shop", Name: name}
	for _, r := range detect.Why(w.memory, &w.last, w.rules, o) {
		if r.Condition == condition {
			return r
		}
	}
	w.t.Fatalf("no reason about %s of %s", condition, name)
	return detect.Reason{}
}

func TestWhyNamesWhatExplainsAnObject(t *testing.T) {
	w := pair(t)
	want(t, w.why("db", "service_down").Verdict, "firing")
	want(t, w.why("api", "service_down"), detect.Reason{
		Condition: "service_down", Verdict: "explained", Since: after(2 * i),
		Text: "service_down: explained by shop/db, which is down since 08:00:30 UTC; told there",
	})
	want(t, w.why("api", "unhealthy").Verdict, "well")
	w.set(needing(up("api"), "db"))
	w.pass(3)
	want(t, w.why("api", "service_down"), detect.Reason{
		Condition: "service_down", Verdict: "explained", Since: after(4 * i), Until: after(8 * i),
		Text: "service_down: explained by shop/db, which is down since 08:00:30 UTC; told there; well for 30 s of 60 s",
	})
	w = pair(t)
	w.set(up("db"))
	w.pass(6)
	want(t, w.why("api", "service_down").Text,
		"service_down: explained by shop/db, which has eased since 08:02:00 UTC; told by itself if it goes on for 2 min after that")
	w.pass(7)
	want(t, w.why("api", "service_down").Verdict, "firing")
}

func TestWhyNamesNodesAndRollouts(t *testing.T) {
	w := build(t, on(up("web"), "n1"), up("a"), up("b"))
	w.machine("n1", "healthy")
	w.pass(1)
	w.machine("n1", "down")
	w.set(on(up("web"), "!n1"), shipped(sick("a"), "app:2", w.at), shipped(sick("b"), "app:2", w.at))
	w.pass(5)
	want(t, w.why("web", "service_down").Text, "service_down: explained by node n1, which is down since 08:00:30 UTC; told there")
	want(t, w.why("b", "unhealthy").Text,
		"unhealthy: explained by shop/a, which failed first after the same image was deployed, and fails its health check since 08:00:30 UTC; told there")
}

func TestWhySaysThatAnObjectIsPartOfAStorm(t *testing.T) {
	w := failing(t, 12)
	want(t, w.why("web-00003", "service_down"), detect.Reason{
		Condition: "service_down", Verdict: "storm", Since: after(2 * i),
		Text: "service_down: part of the storm of 12 objects since 08:00:30 UTC; told there",
	})
	w.set(down("db"), needing(down("web-00003"), "db"))
	w.pass(2) // it is db's now, and db is a member
	want(t, w.why("web-00003", "service_down").Verdict, "storm")
	w.set(named("web", 12, up)...)
	w.pass(5)
	want(t, w.why("db", "service_down").Verdict, "firing")
}

func TestWhyOfAClusterSaysHowFarAStormIs(t *testing.T) {
	w := build(t, named("web", 4, down)...)
	of := func() []detect.Reason { return detect.Why(w.memory, &w.last, w.rules, detect.Cluster("prod")) }
	w.pass(2)
	want(t, of(), []detect.Reason{{Condition: "storm", Verdict: "well", Text: "storm: well, 4 of 10 objects that began to alert within 60 s"}})
	w.set(named("web", 12, down)...)
	w.pass(2)
	want(t, of(), []detect.Reason{{
		Condition: "storm", Verdict: "firing", Since: after(i),
		Text: "storm: alerting since 08:00:15 UTC, prod: 12 objects failing, 12 of them down; 12 of 12 that stood for themselves are left, over at 3",
	}})
	for _, s := range named("web", 12, down) {
		w.set(needing(s, "db"))
	}
	w.set(down("db"))
	w.pass(2)
	want(t, of()[0].Verdict+" "+of()[0].Text, "explained storm: over, most of it is explained by shop/db; told there")
	w.rules = w.rules.With(line(t, 7, detect.Storm, "enabled", detect.Value{}))
	want(t, of(), []detect.Reason{{Condition: "storm", Verdict: "off", Text: "storm: switched off by line 7"}})
	want(t, detect.Off(w.last, w.rules), []detect.OffCondition{{Condition: "storm", Reason: "switched off by line 7"}})
	w.rules = detect.Default().With(line(t, 9, detect.Storm, "within", detect.Value{Span: detect.Span{Time: 2 * time.Minute}}))
	want(t, detect.Why(detect.Memory{}, nil, w.rules, detect.Cluster("prod"))[0].Text,
		"storm: well, 0 of 10 objects that began to alert within 2 min; within 2m by line 9")
}
