package replay_test

import (
	"testing"
	"time"
)

const quarter = 15 * time.Second // of a minute: what lies between two looks unless a story says otherwise

func madeDeploys() []made {
	return []made{
		{"good-rolling-deploy", goodRollingDeploy},
		{"bad-rolling-deploy", badRollingDeploy},
		{"error-burst-during-deploy", errorBurstDuringDeploy},
		{"endless-redeploys", endlessRedeploys},
		{"deploy-that-does-not-help", deployThatDoesNotHelp},
		{"new-service-never-well", newServiceNeverWell},
		{"rollout-of-one-image", rolloutOfOneImage},
		{"deploys-all-morning", deploysAllMorning},
	}
}

// goodRollingDeploy replaces three replicas one by one, and an only one with a gap of 45 s.
func goodRollingDeploy(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("db")
	api, web := needs(w.service("api"), "db"), needs(w.service("web", "web1", "web1", "web1"), "api")
	w.until(8, 5, 0)
	w.deploy(web, "registry.example/web:1.5")
	w.running(web, 2)
	w.until(8, 6, 30)
	w.running(web, 3)
	w.until(8, 7, 0)
	w.deploy(api, "registry.example/api:1.5")
	w.ended(api, 143, "")
	w.until(8, 7, 45)
	w.back(api)
	w.until(8, 20, 0)
	return []*world{w}
}

// badRollingDeploy brings an image that ends at once. Six minutes later the old one is back.
func badRollingDeploy(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("db")
	api := needs(w.service("api"), "db")
	needs(w.service("web", "web1", "web1"), "api")
	w.until(8, 5, 0)
	w.deploy(api, "registry.example/api:1.5")
	w.while(8, 11, 0, func(time.Time) { w.again(api, 1, 2, `panic: config: unknown key "retries"`) })
	w.deploy(api, "registry.example/api:1.4")
	w.back(api)
	w.until(8, 26, 0)
	return []*world{w}
}

// errorBurstDuringDeploy has two bursts of errors of the same size: one while a service is deployed, one without.
func errorBurstDuringDeploy(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	api, web := w.service("api"), w.service("web")
	errors := func(until time.Time, of, other int64) {
		w.while(8, 0, int(until.Sub(begins).Seconds()), func(at time.Time) {
			few := int64(0)
			if at.Second() == 0 {
				few = 1 // of a service at work
			}
			api.ErrorsTotal, web.ErrorsTotal = new(*api.ErrorsTotal+few+of), new(*web.ErrorsTotal+few+other)
		})
	}
	errors(clock(8, 40, 0), 0, 0)
	w.deploy(api, "registry.example/api:1.5")
	errors(clock(8, 40, 45), 20, 0) // refused connections of those that it had open
	errors(clock(8, 55, 0), 0, 0)
	errors(clock(9, 0, 0), 0, 20)
	errors(clock(9, 25, 0), 0, 0)
	return []*world{w}
}

// endlessRedeploys is a build that replaces a service every 90 s while it never comes up.
func endlessRedeploys(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("db")
	api := needs(w.service("api"), "db")
	w.until(8, 5, 0)
	for build, minute := 5, 5*60; minute < 17*60; build, minute = build+1, minute+90 {
		w.deploy(api, "registry.example/api:1."+string(rune('0'+build)))
		w.while(8, 0, minute+90, func(time.Time) { w.again(api, 1, 1, "FATAL: missing variable DATABASE_URL") })
	}
	w.deploy(api, "registry.example/api:1.4")
	w.back(api)
	w.until(8, 32, 0)
	return []*world{w}
}

// deployThatDoesNotHelp is a repair of what is down already, and the one after it.
func deployThatDoesNotHelp(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	api := w.service("api")
	w.service("web")
	w.until(8, 2, 0)
	w.ended(api, 1, "FATAL: certificate has expired")
	w.until(8, 6, 0)
	w.deploy(api, "registry.example/api:1.5")
	w.ended(api, 1, "FATAL: certificate has expired")
	w.until(8, 10, 0)
	w.deploy(api, "registry.example/api:1.6")
	w.back(api)
	w.until(8, 16, 0)
	return []*world{w}
}

// newServiceNeverWell is one that was never seen well, beside one that is well at its second try.
func newServiceNeverWell(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	w.service("web")
	w.until(8, 3, 0)
	search := w.service("search")
	mail := w.service("mail")
	w.again(mail, 1, 1, "smtp: connection refused")
	w.again(search, 1, 78, "FATAL: no index at /data/index")
	w.look()
	w.back(mail)
	w.while(8, 7, 0, func(time.Time) { w.again(search, 1, 78, "FATAL: no index at /data/index") })
	w.back(search)
	w.until(8, 20, 0)
	return []*world{w}
}

// rolloutOfOneImage brings the same base image to five services within two minutes; it breaks them all.
func rolloutOfOneImage(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	names := []string{"billing", "cart", "mail", "orders", "search"}
	for _, name := range append(names, "web") {
		s := w.service(name)
		s.Image = "registry.example/runtime:21"
		w.well(s)
	}
	w.named("web").Image = "registry.example/nginx:1.27"
	w.until(8, 5, 0)
	for i, name := range names {
		w.deploy(w.named(name), "registry.example/runtime:22")
		w.sick(w.named(name), "x509: certificate signed by unknown authority")
		w.until(8, 5, 15*(i+1))
	}
	w.until(8, 14, 0)
	for _, name := range names {
		w.deploy(w.named(name), "registry.example/runtime:21")
		w.well(w.named(name))
	}
	w.until(8, 20, 0)
	return []*world{w}
}

// deploysAllMorning has three good ones within five minutes, a bad one 15 minutes later, and, half an hour after that, one
// that is repaired in time.
func deploysAllMorning(t *testing.T) []*world {
	w := newWorld(t, "prod", quarter, "web1")
	api := w.service("api")
	w.service("web")
	for build, at := range []time.Time{clock(8, 5, 0), clock(8, 7, 0), clock(8, 9, 0)} {
		w.until(8, 0, int(at.Sub(begins).Seconds()))
		w.deploy(api, "registry.example/api:1."+string(rune('5'+build)))
	}
	for build, x := range [][2]time.Time{{clock(8, 25, 0), clock(8, 29, 0)}, {clock(8, 58, 0), clock(8, 59, 30)}} {
		w.until(8, 0, int(x[0].Sub(begins).Seconds()))
		w.deploy(api, "registry.example/api:1."+string(rune('8'+build)))
		w.ended(api, 1, "FATAL: missing variable DATABASE_URL")
		w.until(8, 0, int(x[1].Sub(begins).Seconds()))
		w.deploy(api, "registry.example/api:1.7")
		w.back(api)
	}
	w.until(9, 10, 0)
	return []*world{w}
}
