package detect_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func setting(t testing.TB, condition, name string) detect.Setting {
	t.Helper()
	for _, s := range detect.Settings() {
		if s.Condition == condition && s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no setting %s of %s", name, condition)
	return detect.Setting{}
}

func line(t testing.TB, n int, condition, name string, v detect.Value) detect.Change {
	t.Helper()
	return detect.Change{Setting: setting(t, condition, name), Value: v, By: fmt.Sprintf("line %d", n)}
}

// leaves calls each with every number and text below v.
func leaves(v reflect.Value, path string, each func(path string, v reflect.Value)) {
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[detect.Span]() {
		each(path, v)
		return
	}
	for k := range v.NumField() {
		leaves(v.Field(k), path+"."+v.Type().Field(k).Name, each)
	}
}

// other is a value that is not the one of any rule as shipped.
func other(s detect.Setting) detect.Value {
	if s.Unit == detect.UnitSeverity {
		return detect.Value{Word: "other"}
	}
	return detect.Value{Span: detect.Span{Time: 12345 * time.Second}, Number: 12345}
}

// Whatever the rules as shipped set can be set, by exactly one setting; a condition that is added has to have its own.
func TestEverythingThatTheRulesSetHasOneSetting(t *testing.T) {
	sets := map[string][]string{}
	before := map[string]any{}
	leaves(reflect.ValueOf(detect.Default()), "", func(path string, v reflect.Value) { before[path] = v.Interface() })
	for _, s := range detect.Settings() {
		r := detect.Default().With(detect.Change{Setting: s, Value: other(s)})
		r.Changed = nil
		n := 0
		leaves(reflect.ValueOf(r), "", func(path string, v reflect.Value) {
			if !reflect.DeepEqual(v.Interface(), before[path]) {
				sets[path] = append(sets[path], s.Condition+" "+s.Name)
				n++
			}
		})
		if n != 1 {
			t.Errorf("%s of %s sets %d fields", s.Name, s.Condition, n)
		}
	}
	leaves(reflect.ValueOf(detect.Default()), "", func(path string, v reflect.Value) {
		if !v.IsZero() && len(sets[path]) != 1 {
			t.Errorf("the field %s is set by %v; give it a setting in settings.go", path, sets[path])
		}
	})
	for _, c := range detect.Conditions(detect.Default()) {
		if c.Name == detect.Storm { // as severe as its members are
			setting(t, c.Name, detect.SettingEnabled)
			continue
		}
		setting(t, c.Name, detect.SettingSeverity)
	}
}

func TestOverridesAreForWhatTheyMatch(t *testing.T) {
	service := func(namespace, name string) schema.Object {
		return schema.Object{Kind: schema.KindService, Namespace: namespace, Name: name}
	}
	n := schema.Object{Kind: schema.KindNode, Name: "db-1"}
	dev := map[string]string{"tier": "dev", "empty": ""}
	for _, tt := range []struct {
		name   string
		match  detect.Match
		object schema.Object
		want   bool
	}{
		{"all", detect.Match{}, service("shop", "web"), true},
		{"cluster", detect.Match{Cluster: "prod"}, n, true},
		{"other-cluster", detect.Match{Cluster: "stage"}, n, false},
		{"cluster-pattern", detect.Match{Cluster: "p*d"}, n, true},
		{"namespace", detect.Match{Namespace: "shop"}, service("shop", "web"), true},
		{"other-namespace", detect.Match{Namespace: "sho"}, service("shop", "web"), false},
		{"no-namespace", detect.Match{Namespace: "shop"}, service("", "web"), false},
		{"service", detect.Match{Service: "web"}, service("shop", "web"), true},
		{"service-in-cluster", detect.Match{Cluster: "stage", Service: "web"}, service("shop", "web"), false},
		{"prefix", detect.Match{Service: "batch-*"}, service("", "batch-"), true},
		{"not-the-prefix", detect.Match{Service: "batch-*"}, service("", "a-batch-"), false},
		{"suffix", detect.Match{Service: "*-db"}, service("", "my-db-db"), true},
		{"not-the-suffix", detect.Match{Service: "*-db"}, service("", "my-db-x"), false},
		{"middle", detect.Match{Service: "a*b*c"}, service("", "a-b-b-c"), true},
		{"not-the-middle", detect.Match{Service: "a*b*c"}, service("", "acb"), false},
		{"no-overlap", detect.Match{Service: "ab*ba"}, service("", "aba"), false},
		{"any", detect.Match{Service: "*"}, service("", ""), true},
		{"label", detect.Match{Labels: map[string]string{"tier": "d*"}}, service("", "web"), true},
		{"label-with-another-value", detect.Match{Labels: map[string]string{"tier": "prod"}}, service("", "web"), false},
		{"label-that-is-not-there", detect.Match{Labels: map[string]string{"team": "*"}}, service("", "web"), false},
		{"empty-label", detect.Match{Labels: map[string]string{"empty": "*"}}, service("", "web"), true},
		{"one-of-two-labels", detect.Match{Labels: map[string]string{"tier": "dev", "team": "a"}}, service("", "web"), false},
		{"node", detect.Match{Node: "db-*"}, n, true},
		{"node-is-no-service", detect.Match{Service: "db-*"}, n, false},
		{"service-is-no-node", detect.Match{Node: "*"}, service("shop", "web"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := detect.Default()
			r.Overrides = []detect.Override{{Match: tt.match, Changes: []detect.Change{line(t, 1, detect.CPU, "severity", detect.Value{})}}}
			labels := dev
			if tt.object.Kind == schema.KindNode {
				labels = nil
			}
			want(t, r.For("prod", tt.object, labels).CPU.Severity == "", tt.want)
		})
	}
}

// layered are rules in which a narrow override stands between two for all of the cluster.
func layered(t testing.TB) detect.Rules {
	t.Helper()
	severity := func(n int, match detect.Match, word string, more ...detect.Change) detect.Override {
		return detect.Override{Match: match, Changes: append(more, line(t, n, detect.ServiceDown, "severity", detect.Value{Word: word}))}
	}
	r := detect.Default()
	r.Overrides = []detect.Override{
		severity(1, detect.Match{Service: "web"}, "info", line(t, 1, detect.ServiceDown, "hold", detect.Value{})),
		severity(2, detect.Match{Cluster: "prod"}, "warning"),
		severity(3, detect.Match{Service: "db"}, "info"),
		severity(4, detect.Match{Cluster: "stage"}, ""),
	}
	return r
}

func TestOfSeveralOverridesTheLastThatSetsSomethingWins(t *testing.T) {
	on := watch(t)
	on.rules = layered(t)
	on.see(snapshot(start, up("web"), up("db"), up("else")))
	want(t, firing(on.see(snapshot(after(i), down("web"), down("db"), down("else")))), []string{"shop/web service_down warning"})
	want(t, firing(on.see(snapshot(after(2*i), down("web"), down("db"), down("else")))),
		[]string{"shop/else service_down warning", "shop/web service_down warning", "shop/db service_down info"})
	s := snapshot(after(3*i), down("web"))
	s.ClusterName = "stage"
	elsewhere := watch(t)
	elsewhere.rules = on.rules
	for range 5 {
		want(t, firing(elsewhere.see(s)), []string(nil))
		s.TakenAt = s.TakenAt.Add(i)
	}
}

// What is judged by an override is judged as if the rules were so for all.
func TestEveryConditionGoesByTheOverrideOfItsObject(t *testing.T) {
	for _, c := range courses() {
		t.Run(c.name, func(t *testing.T) {
			changes := []detect.Change{line(t, 1, c.name, "severity", detect.Value{Word: "critical"})}
			for _, s := range detect.Settings() {
				if s.Condition == c.name && s.Unit == detect.UnitSpan {
					changes = append(changes, line(t, 1, c.name, s.Name, detect.Value{Span: detect.Span{Intervals: 2}}))
				}
			}
			match := detect.Match{Namespace: "shop"}
			if !strings.Contains(c.object, "/") {
				match = detect.Match{Node: "n1"}
			}
			all, some := watch(t), watch(t)
			all.rules = all.rules.With(changes...)
			some.rules.Overrides = []detect.Override{{Match: match, Changes: changes}}
			raised := false
			see := func(s schema.ClusterContext) {
				t.Helper()
				got := some.see(s)
				raised = raised || slices.Contains(firing(got), c.object+" "+c.name+" critical")
				want(t, firing(got), firing(all.see(s)))
				want(t, encode(t, some.memory), encode(t, all.memory))
			}
			see(c.well(start))
			for at := i; at <= 5*i; at += i {
				see(c.bad(after(at)))
			}
			for at := 6 * i; at <= 10*i; at += i {
				see(c.well(after(at)))
			}
			if !raised && c.name != detect.ErrorBurst { // which takes half an hour to know what is usual
				t.Error("never raised")
			}
		})
	}
}

func TestConditionSwitchedOffForSomeIsDroppedAtOnce(t *testing.T) {
	on := watch(t)
	for at := time.Duration(0); at < 3*i; at += i {
		on.see(snapshot(after(at), down("web"), down("db")))
	}
	on.rules.Overrides = []detect.Override{{
		Match:   detect.Match{Labels: map[string]string{"tier": "dev"}},
		Changes: []detect.Change{line(t, 7, detect.ServiceDown, "severity", detect.Value{})},
	}}
	web := down("web")
	web.Labels = map[string]string{"tier": "dev"}
	s := snapshot(after(3*i), web, down("db"))
	want(t, firing(on.see(s)), []string{"shop/db service_down critical"})
	want(t, detect.Off(s, on.rules), []detect.OffCondition(nil))
	want(t, detect.Off(s, on.rules.For("prod", web.Object(), web.Labels)), []detect.OffCondition{{Condition: "service_down", Reason: "switched off by line 7"}})
	why := detect.Why(on.memory, &s, on.rules, web.Object())
	want(t, why[0], detect.Reason{Condition: "service_down", Verdict: "off", Text: "service_down: switched off by line 7"})
	want(t, detect.Why(on.memory, &s, on.rules, s.Services[1].Object())[0].Verdict, "firing")
}

func TestSeverityLabelOfAServiceWinsOverTheFileButDoesNotSwitchOn(t *testing.T) {
	for _, tt := range []struct{ name, word, want string }{{"severity", "info", "warning"}, {"off", "", ""}} {
		t.Run(tt.name, func(t *testing.T) {
			on := watch(t)
			on.rules = on.rules.With(line(t, 1, detect.ServiceDown, "severity", detect.Value{Word: tt.word}))
			s := down("web")
			s.Labels = map[string]string{detect.SeverityLabel: "warning"}
			on.see(snapshot(start, s))
			got := strings.Join(firing(on.see(snapshot(after(i), s))), " ")
			want(t, strings.TrimPrefix(got, "shop/web service_down "), tt.want)
		})
	}
}

func TestWhySaysWhatWasSetAndWhere(t *testing.T) {
	on := watch(t)
	on.rules = on.rules.With(
		line(t, 2, detect.Disk, "raise", detect.Value{Number: 85}), line(t, 2, detect.Disk, "clear", detect.Value{Number: 70}),
		line(t, 3, detect.Disk, "hold", detect.Value{Span: detect.Span{Time: 10 * time.Minute}}),
		line(t, 4, detect.CPU, "severity", detect.Value{}), line(t, 5, detect.TwoCollectors, "times", detect.Value{Number: 4}),
	)
	on.rules.Overrides = []detect.Override{{
		Match:   detect.Match{Node: "n1"},
		Changes: []detect.Change{line(t, 9, detect.Disk, "raise", detect.Value{Number: 75}), line(t, 9, detect.Disk, "worse_free", detect.Value{Number: 5e8})},
	}}
	s := nodes(start, func() node { n := disks(new(60.0), nil); n.ID = "n1"; return n }())
	on.see(s)
	said := map[string]string{}
	for _, r := range detect.Why(on.memory, &s, on.rules, schema.Object{Kind: schema.KindNode, Name: "n1"}) {
		said[r.Condition] = r.Text
	}
	if text := said[detect.Disk]; !strings.HasSuffix(text, "; clear 70% by line 2; hold 10m by line 3; raise 75%, worse_free 500MB by line 9") {
		t.Errorf("said %q", text)
	}
	want(t, said[detect.CPU], "cpu: switched off by line 4")
	if text := said[detect.LowMemory]; strings.Contains(text, "line") {
		t.Errorf("said %q of what nobody has set", text)
	}
	collectors := detect.Why(on.memory, nil, on.rules, detect.Collector("prod"))[0].Text
	if !strings.HasSuffix(collectors, "; times 4 by line 5") {
		t.Errorf("said %q", collectors)
	}
}

func TestOverrideOfAClusterIsForItsCollectors(t *testing.T) {
	r := detect.Default()
	r.Overrides = []detect.Override{{Match: detect.Match{Cluster: "prod"}, Changes: []detect.Change{line(t, 3, detect.TwoCollectors, "severity", detect.Value{})}}}
	want(t, detect.Off(snapshot(start), r), []detect.OffCondition{{Condition: "two_collectors", Reason: "switched off by line 3"}})
	want(t, detect.Why(detect.Memory{}, nil, r, detect.Collector("prod"))[0].Text, "two_collectors: switched off by line 3")
	want(t, detect.Why(detect.Memory{}, nil, r, detect.Collector("stage"))[0].Verdict, "unknown")
}

func TestOverridesThatContradictEachOtherWhereTheyMeetAreMadeSenseOf(t *testing.T) {
	r := detect.Default()
	r.Overrides = []detect.Override{
		{Match: detect.Match{Node: "n*"}, Changes: []detect.Change{line(t, 1, detect.Disk, "raise", detect.Value{Number: 70}), line(t, 1, detect.Disk, "clear", detect.Value{Number: 60})}},
		{Match: detect.Match{Node: "*1"}, Changes: []detect.Change{line(t, 2, detect.Disk, "clear", detect.Value{Number: 80})}},
	}
	got := r.For("prod", schema.Object{Kind: schema.KindNode, Name: "n1"}, nil)
	want(t, []float64{got.Disk.Over, got.Disk.Under}, []float64{70, 70})
	want(t, got.Contradictions(), []detect.Contradiction(nil))
}

func TestRulesAsShippedContradictNothing(t *testing.T) {
	want(t, detect.Default().Contradictions(), []detect.Contradiction(nil))
}

func TestWithLeavesTheRulesThatItIsGivenAsTheyWere(t *testing.T) {
	r := detect.Default().With(line(t, 1, detect.Disk, "raise", detect.Value{Number: 95}))
	r.Changed = slices.Grow(r.Changed, 8)
	a := r.With(line(t, 2, detect.Disk, "raise", detect.Value{Number: 96}))
	b := r.With(line(t, 3, detect.Disk, "raise", detect.Value{Number: 97}))
	want(t, []float64{r.Disk.Over, a.Disk.Over, b.Disk.Over}, []float64{95, 96, 97})
	want(t, []string{a.Changed[1].By, b.Changed[1].By}, []string{"line 2", "line 3"})
}

func TestValuesAreWrittenAsPeopleWriteThem(t *testing.T) {
	for want, v := range map[string]detect.Value{
		"4I": {Span: detect.Span{Intervals: 4}}, "10m": {Span: detect.Span{Time: 10 * time.Minute}}, "0s": {},
		"1h": {Span: detect.Span{Time: time.Hour}}, "1h30m": {Span: detect.Span{Time: 90 * time.Minute}}, "1m30s": {Span: detect.Span{Time: 90 * time.Second}},
	} {
		if got := detect.UnitSpan.Text(v); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, got := range map[string]string{
		"85.5%": detect.UnitPercent.Text(detect.Value{Number: 85.5}), "90C": detect.UnitCelsius.Text(detect.Value{Number: 90}),
		"1.5GB": detect.UnitBytes.Text(detect.Value{Number: 15e8}), "12B": detect.UnitBytes.Text(detect.Value{Number: 12}),
		"2TB": detect.UnitBytes.Text(detect.Value{Number: 2e12}), "5KB": detect.UnitBytes.Text(detect.Value{Number: 5000}),
		"off": detect.UnitSeverity.Text(detect.Value{}), "info": detect.UnitSeverity.Text(detect.Value{Word: "info"}),
		"30": detect.UnitCount.Text(detect.Value{Number: 30}), "2.5": detect.UnitTimes.Text(detect.Value{Number: 2.5}),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Of three settings where each may not be above the next, the first gives way to what the second has given way to.
func TestOverridesThatMeetInThreeSettingsOfADiskStillMakeSense(t *testing.T) {
	set := func(name string, percent float64) detect.Change {
		return line(t, 1, detect.Disk, name, detect.Value{Number: percent})
	}
	r := detect.Default()
	r.Overrides = []detect.Override{
		{Changes: []detect.Change{set("worse", 60), set("raise", 50), set("clear", 45)}},
		{Changes: []detect.Change{set("raise", 70), set("clear", 65)}},
	}
	if got := r.For("prod", detect.Source("x"), nil).Contradictions(); len(got) > 0 {
		t.Errorf("what holds contradicts itself: %+v", got)
	}
}
