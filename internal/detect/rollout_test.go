package detect_test

import (
	"testing"
	"time"
)

func TestRolloutIsExplainedByTheServiceThatFailedFirst(t *testing.T) {
	const image = "registry/shop:2"
	deployed := start
	for _, tt := range []struct {
		name string
		web  svc // which fails two snapshots after api
		want []string
	}{
		{"same-image", shipped(down("web"), image, deployed), []string{"api: service_down", "web: service_down <- api"}},
		{"deployed-5-min-later", shipped(down("web"), image, deployed.Add(5*time.Minute)), []string{"api: service_down", "web: service_down <- api"}},
		{"deployed-6-min-later", shipped(down("web"), image, deployed.Add(6*time.Minute)), []string{"api: service_down", "web: service_down"}},
		{"another-image", shipped(down("web"), "registry/shop:1", deployed), []string{"api: service_down", "web: service_down"}},
		{"nobody-knows-when", shipped(down("web"), image, time.Time{}), []string{"api: service_down", "web: service_down"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := build(t, up("api"), up("web"))
			w.pass(4 * 6)
			w.set(shipped(down("api"), image, deployed.Add(time.Second)))
			w.pass(2)
			w.set(tt.web)
			w.pass(2)
			w.tells(tt.want...)
		})
	}
}

// Without the grace after a deploy, which would keep some of it back for a while.
func TestRolloutOverFourServicesIsOneFinding(t *testing.T) {
	w := build(t)
	w.rules.DeployGrace.On = false
	w.pass(1)
	at := w.at
	killed := oomed("d", at.Add(3*i))
	w.set(shipped(up("a"), "app:2", at), shipped(up("b"), "app:2", at), shipped(up("c"), "app:2", at.Add(time.Minute)), shipped(up("d"), "app:2", at.Add(2*time.Minute)))
	w.pass(1)
	w.set(shipped(down("b"), "app:2", at))
	w.pass(1)
	w.set(shipped(down("a"), "app:2", at), shipped(down("c"), "app:2", at))
	w.pass(1)
	w.set(shipped(killed, "app:2", at))
	w.pass(2)
	w.tells("a: service_down <- b", "b: service_down", "c: service_down <- b", "d: oom_killed <- b")
	w.set(shipped(up("b"), "app:3", w.at)) // rolled on, one after the other
	w.pass(6)
	w.set(shipped(up("a"), "app:3", w.at), shipped(up("c"), "app:3", w.at))
	w.pass(5)
	w.tells("d: oom_killed <- b")
}

func TestWhatFailsLongAfterADeployIsNotItsFault(t *testing.T) {
	w := build(t, shipped(up("a"), "app:2", start), shipped(up("b"), "app:2", start))
	w.pass(4*30 + 1)
	w.set(shipped(down("a"), "app:2", start), shipped(down("b"), "app:2", start))
	w.pass(2)
	w.tells("a: service_down", "b: service_down")
	w = build(t, shipped(up("a"), "app:2", start), shipped(up("b"), "app:2", start))
	w.pass(4*30 - 1)
	w.set(shipped(down("a"), "app:2", start), shipped(down("b"), "app:2", start))
	w.pass(2)
	w.tells("a: service_down", "b: service_down <- a")
}

// A worse failure than the first one is no part of it.
func TestRolloutExplainsNothingWorseThanItsFirstFailure(t *testing.T) {
	w := build(t, up("a"), up("b"), up("c"))
	w.pass(1)
	w.set(shipped(sick("a"), "app:2", w.at), shipped(down("b"), "app:2", w.at), shipped(down("c"), "app:2", w.at))
	w.pass(6)
	w.tells("a: unhealthy", "b: service_down", "c: service_down <- b")
}

// Where no snapshot says when, the change of the image does that was seen. What the grace kept back is one finding too.
func TestRolloutIsKnownByTheChangeOfTheImage(t *testing.T) {
	w := build(t)
	all := named("web", 4, func(name string) svc { return shipped(up(name), "app:1", time.Time{}) })
	w.set(all...)
	w.pass(4)
	for n, s := range all {
		s.Image = "app:2"
		w.set(s)
		w.pass(n % 2)
	}
	for _, s := range named("web", 4, down) {
		w.set(shipped(s, "app:2", time.Time{}))
		w.pass(1)
	}
	w.pass(12)
	w.hears("web-00000 service_down with 3")
}
