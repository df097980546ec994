package detect_test

import (
	"slices"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestEveryConditionIsDeclaredOnceWithAPartThatThereIs(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range detect.Conditions(detect.Default()) {
		if seen[c.Name] || schema.SeverityRank(c.Severity) == 0 {
			t.Errorf("%+v", c)
		}
		seen[c.Name] = true
		ofCollecting := slices.Contains([]string{schema.KindSource, schema.KindCluster, schema.KindCollector}, c.Kind) ||
			!schema.OfSnapshots(c.Kind) || c.Kind == schema.KindClock
		if !ofCollecting && !slices.Contains(schema.Parts(), c.Part) {
			t.Errorf("%s is judged by part %q, which there is not", c.Name, c.Part)
		}
	}
	for _, c := range courses() {
		if !seen[c.name] {
			t.Errorf("%s is not declared", c.name)
		}
	}
}

func TestOffNamesWhatIsNotJudgedAndWhy(t *testing.T) {
	s := snapshot(start)
	s.Unread = []schema.UnreadPart{{Part: schema.PartGPUs, Reason: "no GPU here"}, {Part: schema.PartGPUErrors}, {Part: "later", Reason: "a part that is not known"}}
	r := detect.Default()
	want(t, detect.Off(snapshot(start), r), []detect.OffCondition(nil))
	r.CPU.Severity, r.TwoCollectors.Severity = "", ""
	want(t, detect.Off(s, r), []detect.OffCondition{
		{Condition: "gpu_errors", Reason: "no source for gpu_errors"},
		{Condition: "gpu_hot", Reason: "no GPU here"},
		{Condition: "cpu", Reason: "switched off by the rules"},
		{Condition: "gpu_memory", Reason: "no GPU here"},
		{Condition: "two_collectors", Reason: "switched off by the rules"},
	})
}

// partOf is the part that a condition is judged by.
func partOf(name string) string {
	all := detect.Conditions(detect.Default())
	return all[slices.IndexFunc(all, func(d detect.Declared) bool { return d.Name == name })].Part
}

func TestConditionWhosePartNothingReadsStandsStillAndIsThenDropped(t *testing.T) {
	for _, c := range courses() {
		t.Run(c.name, func(t *testing.T) {
			on := watch(t)
			off := func(s schema.ClusterContext) []string {
				s.Unread = []schema.UnreadPart{{Part: partOf(c.name), Reason: "no source for it"}}
				return firing(on.see(s))
			}
			on.see(c.well(start))
			for range int(c.hold/i) + 2 { // off, nothing is raised
				want(t, off(c.bad(on.memory.TakenAt.Add(i))), []string(nil))
			}
			for range int(c.hold/i) + 1 {
				on.see(c.bad(on.memory.TakenAt.Add(i)))
			}
			for range 8 {
				want(t, off(c.well(on.memory.TakenAt.Add(i))), c.title())
			}
			want(t, firing(on.see(c.bad(on.memory.TakenAt.Add(i)))), c.title()) // back in time
			for n := range 10 {
				want(t, len(off(c.well(on.memory.TakenAt.Add(i)))) > 0, n < 8)
			}
		})
	}
}
