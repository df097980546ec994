package route_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/route"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// begun is a Tuesday evening, 23:00 in Berlin.
var begun = time.Date(2026, 11, 24, 22, 0, 0, 0, time.UTC)

func checkout() schema.Conversation {
	return schema.Conversation{
		Cluster: "prod", Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"},
		Condition: "service_down", Severity: schema.SeverityCritical, State: schema.StateInvestigating, CriticalSince: begun,
		Conditions: []schema.Condition{{Name: "service_down"}, {Name: "error_burst"}, {Name: "disk", Until: begun}},
		Labels:     map[string]string{"team": "shop"},
	}
}

func window(t *testing.T, days string, from, to int, zone string) *route.Window {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w := &route.Window{From: from * 60, To: to * 60, Zone: z}
	for i, day := range []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} {
		w.Days[i] = days == "" || strings.Contains(days, day)
	}
	return w
}

const workdays = "mon tue wed thu fri"

func told(choices []route.Choice) string {
	var all []string
	for _, x := range choices {
		if x.Tell {
			all = append(all, x.Channel)
		}
	}
	return strings.Join(all, " ")
}

func TestAMatchFitsWhatAllItsListsFit(t *testing.T) {
	node := checkout()
	node.Object, node.Condition, node.Conditions = schema.Object{Kind: schema.KindNode, Name: "web-1"}, "node_down", nil
	for _, tt := range []struct {
		name  string
		match route.Match
		of    schema.Conversation
		want  bool
	}{
		{"nothing-is-everything", route.Match{}, checkout(), true},
		{"severity", route.Match{Severity: []string{"critical"}}, checkout(), true},
		{"one-of-the-severities", route.Match{Severity: []string{"warning", "critical"}}, checkout(), true},
		{"another-severity", route.Match{Severity: []string{"warning"}}, checkout(), false},
		{"cluster", route.Match{Cluster: []string{"prod"}}, checkout(), true},
		{"cluster-by-pattern", route.Match{Cluster: []string{"test", "p*d"}}, checkout(), true},
		{"another-cluster", route.Match{Cluster: []string{"test"}}, checkout(), false},
		{"namespace", route.Match{Namespace: []string{"shop"}}, checkout(), true},
		{"any-namespace", route.Match{Namespace: []string{"*"}}, node, true},
		{"no-namespace", route.Match{Namespace: []string{"shop"}}, node, false},
		{"service", route.Match{Service: []string{"check*"}}, checkout(), true},
		{"a-service-is-no-node", route.Match{Service: []string{"web-*"}}, node, false},
		{"name-of-a-node", route.Match{Kind: []string{"node"}, Name: []string{"web-*"}}, node, true},
		{"kind", route.Match{Kind: []string{"node"}}, checkout(), false},
		{"the-worst-condition", route.Match{Condition: []string{"service_down"}}, checkout(), true},
		{"a-condition-that-is-true", route.Match{Condition: []string{"error_*"}}, checkout(), true},
		{"a-condition-that-was", route.Match{Condition: []string{"disk"}}, checkout(), false},
		{"label", route.Match{Labels: map[string][]string{"team": {"pay", "sh*"}}}, checkout(), true},
		{"another-label", route.Match{Labels: map[string][]string{"team": {"shop"}, "tier": {"*"}}}, checkout(), false},
		{"one-list-of-two", route.Match{Cluster: []string{"prod"}, Namespace: []string{"pay"}}, checkout(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := route.Routes{Channels: []string{"a"}, Routes: []route.Route{{Match: tt.match, To: []string{"a"}}}, Default: []string{}}
			if got := r.For(tt.of, begun)[0]; got.Tell != tt.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestTheFirstRouteThatMatchesHasIt(t *testing.T) {
	pay, shop := route.Match{Namespace: []string{"pay"}}, route.Match{Namespace: []string{"shop"}}
	ops := route.Route{Name: "ops", Match: shop, To: []string{"ops"}, Mention: "@ops"}
	pager := route.Route{Name: "pager", Line: 9, Match: shop, To: []string{"pager", "ops"}, Mention: "@pager"}
	goesOn := ops
	goesOn.Continue = true
	for _, tt := range []struct {
		name     string
		routes   []route.Route
		fallback []string
		want     string
	}{
		{"no-routes", nil, nil, "ops pager mail"},
		{"no-routes-but-a-default", nil, []string{"mail"}, "mail"},
		{"none-matches", []route.Route{{Match: pay, To: []string{"ops"}}}, []string{"mail", "pager"}, "pager mail"},
		{"none-matches-and-no-default", []route.Route{{Match: pay, To: []string{"ops"}}}, nil, "ops pager mail"},
		{"none-matches-and-the-default-is-nobody", []route.Route{{Match: pay, To: []string{"ops"}}}, []string{}, ""},
		{"first", []route.Route{ops, pager}, []string{"mail"}, "ops"},
		{"first-continues", []route.Route{goesOn, pager}, []string{"mail"}, "ops pager"},
		{"continues-to-none", []route.Route{goesOn, {Match: pay, To: []string{"pager"}}}, []string{"mail"}, "ops"},
		{"to-nobody", []route.Route{{Match: shop}, pager}, []string{"mail"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := route.Routes{Channels: []string{"ops", "pager", "mail"}, Routes: tt.routes, Default: tt.fallback}
			if got := told(r.For(checkout(), begun)); got != tt.want {
				t.Errorf("told: %s; want %s", got, tt.want)
			}
		})
	}
	r := route.Routes{Channels: []string{"ops", "pager"}, Routes: []route.Route{goesOn, pager}}
	want := []string{"ops @ops route ops (line 0)", "pager @pager route pager (line 9)"}
	var got []string
	for _, x := range r.For(checkout(), begun) {
		got = append(got, x.Channel+" "+x.Mention+" "+x.Why)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("terms (-want +got):\n%s", diff)
	}
}

func TestARouteOfTheDayWaitsForTheMorning(t *testing.T) {
	r := route.Routes{Channels: []string{"day", "night"}, Routes: []route.Route{
		{Name: "day", Match: route.Match{When: window(t, workdays, 9, 17, "Europe/Berlin")}, To: []string{"day"}},
		{Name: "rest", To: []string{"night"}},
	}}
	morning := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name       string
		now        time.Time
		told       string
		dayAgain   time.Time
		nightAgain time.Time
	}{
		{"at-night", begun, "night", morning, morning},
		{"in-the-last-second", morning.Add(-time.Second), "night", morning, morning},
		{"in-the-morning", morning, "day", morning.Add(8 * time.Hour), morning.Add(8 * time.Hour)},
		{"in-the-evening", morning.Add(8 * time.Hour), "night", morning.Add(24 * time.Hour), morning.Add(24 * time.Hour)},
		{"before-the-weekend", time.Date(2026, 11, 27, 20, 0, 0, 0, time.UTC), "night", time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC), time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := r.For(checkout(), tt.now)
			if told(got) != tt.told || !got[0].Again.Equal(tt.dayAgain) || !got[1].Again.Equal(tt.nightAgain) {
				t.Errorf("%+v", got)
			}
		})
	}
	over := checkout()
	over.ClosedAs, over.ClosedAt = schema.StateCleared, begun.Add(time.Minute)
	if got := r.For(over, morning); told(got) != "night" || !got[0].Again.IsZero() {
		t.Errorf("what was over at night is told in the morning: %+v", got)
	}
}

func TestHoursOverMidnightFollowTheClocks(t *testing.T) {
	r := route.Routes{Channels: []string{"a"}, Routes: []route.Route{
		{Match: route.Match{When: window(t, "sat", 22, 6, "Europe/Berlin")}, To: []string{"a"}},
	}, Default: []string{}}
	for _, tt := range []struct {
		name, from, until string
	}{
		{"an-hour-less", "2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"},
		{"an-hour-more", "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"},
		{"as-ever", "2026-11-28T21:00:00Z", "2026-11-29T05:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			from, _ := time.Parse(time.RFC3339, tt.from)
			until, _ := time.Parse(time.RFC3339, tt.until)
			before := r.For(checkout(), from.Add(-time.Hour))[0]
			within := r.For(checkout(), from)[0]
			after := r.For(checkout(), until)[0]
			if before.Tell || !before.Again.Equal(from) || !within.Tell || !within.Again.Equal(until) || after.Tell {
				t.Errorf("before %+v\nwithin %+v\nafter %+v", before, within, after)
			}
		})
	}
}

func TestAnEscalationTellsOfWhatIsCriticalAndNobodys(t *testing.T) {
	due := begun.Add(15 * time.Minute)
	r := route.Routes{Channels: []string{"ops", "pager"}, Routes: []route.Route{
		{Name: "x", To: []string{"ops"}, Escalate: &route.Escalation{After: 15 * time.Minute, To: []string{"pager"}, Mention: "@boss"}},
	}}
	with := func(change func(*schema.Conversation)) schema.Conversation {
		c := checkout()
		change(&c)
		return c
	}
	given := func(kind string, at time.Time) schema.Conversation {
		return with(func(c *schema.Conversation) { c.Messages = []schema.Message{{Kind: kind, At: at}} })
	}
	for _, tt := range []struct {
		name  string
		c     schema.Conversation
		now   time.Time
		tell  bool
		again time.Time
		says  string
	}{
		{"before", checkout(), due.Add(-time.Second), false, due, "once nobody has had it for 15m"},
		{"due", checkout(), due, true, time.Time{}, "nobody has had it for 15m"},
		{"diagnosed", with(func(c *schema.Conversation) { c.State = schema.StateDiagnosed }), due, true, time.Time{}, ""},
		{"owned", with(func(c *schema.Conversation) { c.State, c.Owner = schema.StateAcknowledged, "ada" }), due, false, time.Time{}, "; ada has this"},
		{"silenced", with(func(c *schema.Conversation) { c.State = schema.StateSilenced }), due, false, time.Time{}, "; this is silenced"},
		{"watched", with(func(c *schema.Conversation) { c.State = schema.StateWatching }), due, false, time.Time{}, "; this is watching"},
		{"a-warning", with(func(c *schema.Conversation) { c.Severity, c.CriticalSince = schema.SeverityWarning, time.Time{} }), due, false, time.Time{}, "; this is warning"},
		{"over", with(func(c *schema.Conversation) { c.State, c.ClosedAs = schema.StateCleared, schema.StateCleared }), due, false, time.Time{}, "; this is over"},
		{"given-back", given(schema.EventUnacknowledged, begun.Add(time.Hour)), begun.Add(time.Hour), false, due.Add(time.Hour), ""},
		{"no-longer-silenced", given(schema.EventUnsilenced, begun.Add(time.Hour)), due.Add(time.Hour), true, time.Time{}, ""},
		{"given-back-before-it-was-critical", given(schema.EventUnacknowledged, begun.Add(-time.Hour)), due, true, time.Time{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := r.For(tt.c, tt.now)
			pager := got[1]
			if !got[0].Tell || pager.Tell != tt.tell || !pager.Again.Equal(tt.again) || !strings.Contains(pager.Why, tt.says) {
				t.Errorf("%+v", got)
			}
			if pager.Tell != pager.Escalated || pager.Tell != (pager.Mention == "@boss") {
				t.Errorf("terms %+v", pager)
			}
		})
	}
}

func TestNoChannelIsToldOfItsOwnTroubleFirst(t *testing.T) {
	own := schema.Conversation{
		Cluster: schema.OwnCluster, Object: schema.Object{Kind: schema.KindChannel, Name: "ops"}, Condition: "channel_failing", Severity: "critical",
	}
	for _, tt := range []struct {
		name     string
		channels []string
		fallback []string
		want     string
	}{
		{"others-are-told", []string{"ops", "mail"}, nil, "mail"},
		{"it-alone-would-be-told", []string{"ops", "mail", "pager"}, []string{"ops"}, "mail pager"},
		{"there-is-no-other", []string{"ops"}, nil, "ops"},
		{"nobody-is-told", []string{"ops", "mail"}, []string{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := route.Routes{Channels: tt.channels, Default: tt.fallback}
			if got := told(r.For(own, begun)); got != tt.want {
				t.Errorf("told: %s; want %s", got, tt.want)
			}
		})
	}
}

func TestEveryChannelIsToldOfATest(t *testing.T) {
	c := checkout()
	c.Cluster = schema.TestCluster + "abc"
	r := route.Routes{Channels: []string{"a", "b"}, Routes: []route.Route{{To: []string{"a"}, Digest: route.Digest{Every: time.Hour}}}, Default: []string{}}
	got := r.For(c, begun)
	if told(got) != "a b" || !got[0].Digest.None() || !strings.Contains(got[1].Why, "bellbuoy test") {
		t.Errorf("%+v", got)
	}
}

func TestWhyAChannelIsNotToldNamesWhatComesNearest(t *testing.T) {
	shop := route.Match{Namespace: []string{"shop"}}
	near := route.Route{Name: "near", Line: 3, Match: route.Match{Cluster: []string{"prod"}, Namespace: []string{"pay", "hr"}}, To: []string{"a"}}
	far := route.Route{Name: "far", Line: 7, Match: route.Match{Cluster: []string{"test"}, Namespace: []string{"pay"}, Labels: map[string][]string{"tier": {"*"}}}, To: []string{"a"}}
	has := route.Route{Line: 11, Match: shop, To: []string{"b"}}
	for _, tt := range []struct {
		name     string
		routes   []route.Route
		fallback []string
		want     string
	}{
		{"by-one-word", []route.Route{far, near}, []string{"b"}, "route near (line 3) would tell it, but namespace is shop and not pay or hr"},
		{"by-three", []route.Route{far}, []string{"b"}, "route far (line 7) would tell it, but cluster is prod and not test, and namespace is shop and not pay, and label tier is none and not *"},
		{"an-earlier-one-has-it", []route.Route{has, {Name: "late", Line: 15, To: []string{"a"}}}, nil, "the route on line 11 has it and does not continue to route late (line 15)"},
		{"the-default-is-not-told", []route.Route{has}, []string{"a"}, "the route on line 11 has it, and the default is told only of what no route has"},
		{"other-hours", []route.Route{{Name: "day", Line: 2, Match: route.Match{When: window(t, workdays, 9, 17, "UTC")}, To: []string{"a"}}, has}, nil, "route day (line 2) tells it at other hours: mon-fri 09:00–17:00 UTC"},
		{"nothing-names-it", []route.Route{has}, []string{"b"}, "no route names it, and it is not of the default"},
		{"only-an-escalation-names-it", []route.Route{{Match: near.Match, Escalate: &route.Escalation{To: []string{"a"}}}}, []string{"b"}, "no route that names it has it, and it is not of the default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := route.Routes{Channels: []string{"a", "b"}, Routes: tt.routes, Default: tt.fallback}
			if got := r.For(checkout(), begun)[0]; got.Tell || got.Why != tt.want {
				t.Errorf("%v, %s", got.Tell, got.Why)
			}
		})
	}
}

func TestAMatchCoversWhatItLeavesNothingOf(t *testing.T) {
	day, night := window(t, workdays, 9, 17, "UTC"), window(t, "", 22, 6, "UTC")
	for _, tt := range []struct {
		name       string
		wide, slim route.Match
		want       bool
	}{
		{"everything", route.Match{}, route.Match{Cluster: []string{"prod"}, When: day}, true},
		{"the-same", route.Match{Severity: []string{"critical"}}, route.Match{Severity: []string{"critical"}}, true},
		{"a-pattern", route.Match{Service: []string{"web-*"}}, route.Match{Service: []string{"web-1", "web-*-db"}}, true},
		{"a-wider-pattern", route.Match{Service: []string{"web-1*"}}, route.Match{Service: []string{"web-*"}}, false},
		{"one-of-two", route.Match{Cluster: []string{"prod"}}, route.Match{Cluster: []string{"prod", "test"}}, false},
		{"what-the-other-leaves-open", route.Match{Cluster: []string{"prod"}}, route.Match{}, false},
		{"label", route.Match{Labels: map[string][]string{"team": {"*"}}}, route.Match{Labels: map[string][]string{"team": {"shop"}}}, true},
		{"another-label", route.Match{Labels: map[string][]string{"team": {"*"}}}, route.Match{Labels: map[string][]string{"tier": {"dev"}}}, false},
		{"some-hours", route.Match{When: day}, route.Match{}, false},
		{"the-same-hours", route.Match{When: day}, route.Match{When: day, Cluster: []string{"x"}}, true},
		{"other-hours", route.Match{When: day}, route.Match{When: night}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.wide.Covers(&tt.slim); got != tt.want {
				t.Errorf("covers: %v", got)
			}
		})
	}
}

// Whatever the routes: the same question has the same answer, nobody's time to look again is past, a channel hears the
// same until then, and one that is not told, and never looked at again, is not told within the week either.
func TestNothingChangesBeforeItIsLookedAtAgain(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		r := made(t, rnd)
		c := checkout()
		c.CriticalSince = begun.Add(-time.Duration(rnd.IntN(120)) * time.Minute)
		now := begun.Add(time.Duration(rnd.IntN(7*24*60)) * time.Minute)
		first := r.For(c, now)
		for _, x := range first {
			one := r.One(c, x.Channel, now)
			if x.Why = ""; one != x {
				t.Fatalf("seed %d: alone it is %+v, among all %+v", seed, one, x)
			}
		}
		if diff := cmp.Diff(first, r.For(c, now), cmp.AllowUnexported(route.Choice{})); diff != "" {
			t.Fatalf("seed %d: the same question has two answers:\n%s", seed, diff)
		}
		for at := now; at.Before(now.Add(7 * 24 * time.Hour)); at = at.Add(29 * time.Minute) {
			for i, x := range r.For(c, at) {
				was := first[i]
				if !x.Again.IsZero() && !x.Again.After(at) {
					t.Fatalf("seed %d: at %v it is to be looked at again at %v", seed, at, x.Again)
				}
				if early := was.Again.IsZero() || at.Before(was.Again); early && (x.Tell != was.Tell || x.Mention != was.Mention) {
					t.Fatalf("seed %d: %s: %+v at %v became %+v at %v", seed, x.Channel, was, now, x, at)
				}
			}
		}
		for i, was := range first {
			if was.Again.IsZero() {
				continue
			}
			if x := r.For(c, was.Again)[i]; x.Tell == was.Tell && x.Why == was.Why {
				t.Errorf("seed %d: %s is looked at again at %v for nothing: %+v, %+v", seed, was.Channel, was.Again, was, x)
			}
		}
	}
}

// made gives up to five routes of some hours each, or of all.
func made(t *testing.T, rnd *rand.Rand) route.Routes {
	t.Helper()
	r := route.Routes{Channels: []string{"a", "b", "c"}, Default: []string{}}
	some := func() []string {
		return slices.DeleteFunc(slices.Clone(r.Channels), func(string) bool { return rnd.IntN(2) == 0 })
	}
	for i := range rnd.IntN(5) + 1 {
		x := route.Route{Line: i + 1, To: some(), Mention: string(rune('A' + i)), Continue: rnd.IntN(2) == 0}
		if from := rnd.IntN(24); rnd.IntN(3) > 0 {
			zone := []string{"Europe/Berlin", "UTC", "America/New_York", "Asia/Kolkata"}[rnd.IntN(4)]
			days := []string{"", workdays, "sat sun", "wed"}[rnd.IntN(4)]
			x.Match.When = window(t, days, from, (from+1+rnd.IntN(22))%24, zone)
		}
		if rnd.IntN(3) == 0 {
			x.Match.Namespace = []string{"pay"} // does not match
		}
		if rnd.IntN(2) == 0 {
			x.Escalate = &route.Escalation{After: time.Duration(1+rnd.IntN(300)) * time.Minute, To: some(), Mention: "!"}
		}
		r.Routes = append(r.Routes, x)
	}
	return r
}

func TestADigestEndsAtTheSameTimeForEverybody(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		digest route.Digest
		now    string
		want   string // empty: never
		says   string
	}{
		{"none", route.Digest{}, "2026-11-24T22:00:00Z", "", ""},
		{"within", route.Digest{Every: 15 * time.Minute}, "2026-11-24T22:07:03Z", "2026-11-24T22:15:00Z", "every 15m"},
		{"on-the-edge", route.Digest{Every: 15 * time.Minute}, "2026-11-24T22:15:00Z", "2026-11-24T22:30:00Z", "every 15m"},
		{"today", route.Digest{At: 8 * 60, Zone: berlin}, "2026-11-24T06:59:59Z", "2026-11-24T07:00:00Z", "daily 08:00 Europe/Berlin"},
		{"tomorrow", route.Digest{At: 8 * 60, Zone: berlin}, "2026-11-24T07:00:00Z", "2026-11-25T07:00:00Z", "daily 08:00 Europe/Berlin"},
		{"over-a-change-of-clocks", route.Digest{At: 8 * 60, Zone: berlin}, "2026-10-24T12:00:00Z", "2026-10-25T07:00:00Z", "daily 08:00 Europe/Berlin"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, tt.now)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if end := tt.digest.End(now); !end.IsZero() {
				got = end.UTC().Format(time.RFC3339)
			}
			if got != tt.want {
				t.Errorf("ends at %s, want %s", got, tt.want)
			}
			if tt.digest.String() != tt.says {
				t.Errorf("says %q", tt.digest.String())
			}
		})
	}
}

func BenchmarkOne(b *testing.B) {
	zone := time.UTC
	r := route.Routes{Channels: []string{"a", "b", "c"}}
	for i := range 50 {
		m := route.Match{Namespace: []string{"pay", "hr-*"}}
		if i%10 == 0 {
			m = route.Match{Cluster: []string{"p*"}, When: &route.Window{Days: [7]bool{1: true, 2: true}, From: 60 * (i / 10), To: 600, Zone: zone}}
		}
		r.Routes = append(r.Routes, route.Route{Match: m, To: []string{"a"}, Continue: true})
	}
	c := checkout()
	for b.Loop() {
		r.One(c, "a", begun)
	}
}
