package silence_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func checkout() silence.Target {
	return silence.Target{
		Cluster: "prod", Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"},
		Conditions: []string{"service_down", "crash_loop"}, Labels: map[string]string{"team": "shop", "empty": ""}, Nodes: []string{"n1", "n2"},
	}
}

func TestMatchersCoverWhatAllTheirWordsMatch(t *testing.T) {
	node := silence.Target{Cluster: "prod", Object: schema.Object{Kind: schema.KindNode, Name: "n1"}, Conditions: []string{"node_down"}}
	tests := []struct {
		name, words string
		target      silence.Target
		want        bool
	}{
		{"cluster", "cluster=prod", checkout(), true},
		{"other-cluster", "cluster=test", checkout(), false},
		{"cluster-glob", "cluster=p*", checkout(), true},
		{"everything", "cluster=*", checkout(), true},
		{"part-of-a-name-is-no-match", "name=check", checkout(), false},
		{"name-glob", "name=check??t", checkout(), true},
		{"all-have-to-match", "cluster=prod name=cart", checkout(), false},
		{"kind-and-namespace", "kind=service namespace=shop", checkout(), true},
		{"other-kind", "kind=node", checkout(), false},
		{"one-condition-of-two", "condition=crash_loop", checkout(), false},
		{"a-pattern-for-both-conditions", "condition=[sc]*", checkout(), true},
		{"condition-of-nothing-true", "condition=*", silence.Target{Cluster: "prod"}, false},
		{"label", "label.team=shop", checkout(), true},
		{"label-glob", "label.team=s*", checkout(), true},
		{"label-of-another-value", "label.team=search", checkout(), false},
		{"label-that-it-lacks", "label.tier=*", checkout(), false},
		{"label-that-is-empty", "label.empty=", checkout(), true},
		{"runs-on-the-node", "node=n2", checkout(), true},
		{"runs-on-another-node", "node=n3", checkout(), false},
		{"the-node-itself", "node=n1", node, true},
		{"another-node", "node=n2", node, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := silence.Parse(strings.Fields(tt.words))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Covers(tt.target); got != tt.want {
				t.Errorf("%q covers it: %v, want %v", tt.words, got, tt.want)
			}
			if m.String() != tt.words {
				t.Errorf("shown as %q, want %q", m.String(), tt.words)
			}
		})
	}
}

func TestOneObjectAndNoOtherOfALikeName(t *testing.T) {
	odd := schema.Object{Kind: schema.KindService, Name: "a*"}
	m := silence.Object("p?", odd)
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		cluster string
		object  schema.Object
		want    bool
	}{
		{"p?", odd, true},
		{"pp", odd, false},
		{"p?", schema.Object{Kind: schema.KindService, Name: "ab"}, false},
		{"p?", schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "a*"}, false},
	} {
		if got := m.Covers(silence.Target{Cluster: tt.cluster, Object: tt.object}); got != tt.want {
			t.Errorf("%s covers %s %v: %v", m.String(), tt.cluster, tt.object, got)
		}
	}
	cluster, node := silence.Cluster("prod[1]"), silence.Node("prod[1]", `n\1`)
	target := silence.Target{Cluster: "prod[1]", Object: schema.Object{Kind: schema.KindNode, Name: `n\1`}}
	if !cluster.Covers(target) || !node.Covers(target) {
		t.Errorf("%s and %s do not cover %v", cluster.String(), node.String(), target)
	}
}

func TestWhatIsNoMatcherIsRefusedWithTheReason(t *testing.T) {
	for words, says := range map[string]string{
		"":                          "cover everything",
		"prod cluster=prod":         `"prod" is no key=value`,
		"host=n1":                   "the keys are cluster, kind, namespace, name, condition, node and label.NAME",
		"label.=x":                  "the keys are",
		"name=":                     "matches nothing",
		"name=a name=b":             "said twice",
		"label.team=a label.team=b": "said twice",
		"name=web[":                 "is no pattern",
	} {
		if _, err := silence.Parse(strings.Fields(words)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one with %q", words, err, says)
		}
	}
}

func of(id string, from, until time.Duration) silence.Silence {
	return silence.Silence{
		ID: id, Matcher: silence.Cluster("prod"), From: noon.Add(from), Until: noon.Add(until),
		Author: schema.Author{Name: "anna"}, Reason: "moving the racks",
	}
}

func TestSilencesAreBounded(t *testing.T) {
	unexplained := of("a", 0, time.Hour)
	unexplained.Reason = " "
	verbose := of("a", 0, time.Hour)
	verbose.Reason = strings.Repeat("x", 501)
	everything := of("a", 0, time.Hour)
	everything.Matcher = silence.Matcher{}
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name string
		s    silence.Silence
		says string // empty: nothing is wrong
	}{
		{"an-hour", of("a", 0, time.Hour), ""},
		{"thirty-days-from-in-thirty-days", of("a", 30*day, 60*day), ""},
		{"over-at-once", of("a", 0, time.Second), "shorter than a minute"},
		{"backwards", of("a", time.Hour, 0), "shorter than a minute"},
		{"too-long", of("a", 0, 30*day+1), "30 days is the longest"},
		{"too-far-ahead", of("a", 30*day+1, 31*day), "at most 30 days from now"},
		{"past", of("a", -2*time.Hour, -time.Hour), "over already"},
		{"no-reason", unexplained, "say why"},
		{"a-story", verbose, "501 bytes"},
		{"everything", everything, "cover everything"},
	} {
		err := tt.s.Validate(noon)
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.says)
		}
	}
}

func TestTheListKeepsWhatIsNotOver(t *testing.T) {
	var l silence.List
	var err error
	for _, s := range []silence.Silence{of("aaaa1", 0, time.Hour), of("aaaa2", 0, 2*time.Hour), of("bbbb1", time.Hour, 3*time.Hour), of("aaaa2", 0, 9*time.Hour)} {
		if l, err = l.With(s); err != nil {
			t.Fatal(err)
		}
	}
	at := func(d time.Duration) string {
		if s, found := l.Covering(checkout(), noon.Add(d)); found {
			return s.ID
		}
		return ""
	}
	want := []string{"", "aaaa2", "bbbb1", "bbbb1", ""}
	if diff := cmp.Diff(want, []string{at(-1), at(0), at(time.Hour), at(2 * time.Hour), at(3 * time.Hour)}); diff != "" {
		t.Errorf("covering, hour by hour (-want +got):\n%s", diff)
	}
	kept := l.Kept(noon.Add(2 * time.Hour))
	if len(kept.Silences) != 1 || kept.Silences[0].ID != "bbbb1" || len(l.Silences) != 3 {
		t.Errorf("kept %+v of %+v", kept, l)
	}
	if len(l.Named("aaaa")) != 2 || len(l.Named("aaa")) != 0 || len(l.Named("bbbb1")) != 1 || len(l.Without("aaaa1").Silences) != 2 {
		t.Errorf("named %v, %v", l.Named("aaaa"), l.Without("aaaa1"))
	}
}

func TestThereAreOnlySoMany(t *testing.T) {
	l := silence.List{Silences: make([]silence.Silence, silence.MaxCount)}
	if _, err := l.With(of("a", 0, time.Hour)); err == nil || !strings.Contains(err.Error(), "bellbuoy unsilence") {
		t.Errorf("one too many: %v", err)
	}
}
