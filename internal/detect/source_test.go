package detect_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// reads is a snapshot made of docker and host, of which those named could not be read since the start.
func reads(at time.Time, failed ...string) schema.ClusterContext {
	s := snapshot(at, up("web"))
	s.Source = "docker,host"
	for _, name := range failed {
		s.Stale = append(s.Stale, schema.StalePart{Source: name, Since: start, Error: "permission denied"})
	}
	return s
}

func TestSourceThatCannotBeRead(t *testing.T) {
	tests := []struct {
		name string
		seen string // snapshots: how many, which sources fail
		want string // of the last one
	}{
		{"for-less-than-the-hold", "8 docker", ""},
		{"for-eight-intervals", "9 docker", "docker source_blind warning"},
		{"for-ten-minutes-less-one", "40 docker", "docker source_blind warning"},
		{"for-ten-minutes", "41 docker", "docker source_blind critical"},
		{"now-and-then", "8 docker 1 - 8 docker 1 - 8 docker", ""},
		{"can-be-read-for-less-than-the-clear", "9 docker 2 -", "docker source_blind warning"},
		{"can-be-read-for-two-intervals", "9 docker 3 -", ""},
		{"severity-stays-until-it-is-clear", "41 docker 2 -", "docker source_blind critical"},
		{"fails-again-before-it-is-clear", "9 docker 2 - 1 docker 2 -", "docker source_blind warning"},
		{"both", "9 docker,host", "docker source_blind warning, host source_blind warning"},
		{"the-other-one-goes-on", "9 docker,host 3 host", "host source_blind warning"},
		{"again-later", "41 docker 10 - 9 docker", "docker source_blind warning"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := watch(t)
			at, r := start, c.see(reads(start))
			seen := strings.Fields(tt.seen)
			for n := 0; n < len(seen); n += 2 {
				times, err := strconv.Atoi(seen[n])
				if err != nil {
					t.Fatal(err)
				}
				for range times {
					at = at.Add(i)
					r = c.see(reads(at, strings.FieldsFunc(seen[n+1], func(r rune) bool { return r == ',' || r == '-' })...))
				}
			}
			want(t, strings.Join(blind(r), ", "), tt.want)
		})
	}
}

func TestBlindSourceIsTold(t *testing.T) {
	c := watch(t)
	var r detect.Result
	for n := range 9 {
		s := reads(after(time.Duration(n) * i))
		s.Stale = []schema.StalePart{
			{Source: "docker", Since: start, Error: "dial unix\x1b[31m /var/run/docker.sock: permission denied"},
			{Source: "docker", Error: "a second one"},
			{Error: "of no source"},
		}
		r = c.see(s)
	}
	want(t, len(r.Findings), 1)
	got := r.Findings[0].Conditions[0]
	want(t, got.Title, "docker: cannot be read")
	want(t, got.Facts, []string{
		"dial unix /var/run/docker.sock: permission denied", "last read 08:00:00 UTC", "nothing of it is raised or cleared meanwhile",
	})
}

// A source that was taken out of the configuration is no longer there, which is not that it can be read.
func TestBlindSourceThatIsNoLongerConfiguredIsGone(t *testing.T) {
	c := watch(t)
	at := start
	for range 9 {
		at = at.Add(i)
		c.see(reads(at, "docker"))
	}
	for n := range 9 {
		at = at.Add(i)
		s := reads(at)
		s.Source = "host"
		r := c.see(s)
		want(t, slices.Contains(r.Gone, detect.Source("docker")), n == 8)
		want(t, len(blind(r)) == 0, n == 8)
	}
}

func TestSourcesOfASnapshot(t *testing.T) {
	tests := []struct {
		name, source, asked string
		change              func(*schema.ClusterContext)
		want                bool
	}{
		{"listed", "docker, host", "host", nil, true},
		{"not-listed", "docker", "host", nil, false},
		{"a-file-by-its-path", "docker,file", "file:/x", nil, true},
		{"a-snapshot-that-does-not-say", "", "host", nil, true},
		{"a-recording-of-another", "docker", "file:/x", func(s *schema.ClusterContext) { s.Recorded = true }, true},
		{"stale", "docker", "mine", func(s *schema.ClusterContext) { s.Stale = []schema.StalePart{{Source: "mine"}} }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := schema.ClusterContext{Source: tt.source}
			if tt.change != nil {
				tt.change(&s)
			}
			want(t, detect.HasSource(&s, tt.asked), tt.want)
		})
	}
}

func TestWhyExplainsASource(t *testing.T) {
	c := watch(t)
	var s schema.ClusterContext
	why := func(name string) string {
		reasons := detect.Why(c.memory, &s, c.rules, detect.Source(name))
		return reasons[0].Verdict + ", " + reasons[0].Text
	}
	see := func(times int, failed ...string) {
		for range times {
			s = reads(c.memory.TakenAt.Add(i), failed...)
			if c.memory.TakenAt.IsZero() {
				s.TakenAt = start
			}
			c.see(s)
		}
	}
	see(1)
	want(t, why("docker"), "well, source_blind: well, it can be read")
	want(t, why("swarm"), "unknown, swarm is in no snapshot that is remembered")
	see(5, "docker")
	want(t, why("docker"), "hold, source_blind: holding, 60 s of 2 min")
	see(5, "docker")
	want(t, why("docker"), "firing, source_blind: alerting since 08:00:15 UTC, docker: cannot be read")
	see(2)
	want(t, why("docker"), "clear_hold, source_blind: alerting, but well for 15 s of 30 s")
	c.rules.SourceBlind.Severity = ""
	want(t, why("docker"), "off, source_blind: switched off by the rules")
}
