package eval_test

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func collectionFilms() []film {
	return []film{
		{"condition-source-blind", []string{detect.SourceBlind}, 15 * time.Second, "08:30", sourceBlind},
		{"condition-cluster-silent", []string{detect.ClusterSilent}, 30 * time.Second, "08:30", clusterSilent},
		{"condition-cluster-silent-fast", []string{detect.ClusterSilent}, 10 * time.Second, "08:13", clusterSilentFast},
		{"condition-cluster-silent-goodbye", []string{detect.ClusterSilent}, 30 * time.Second, "08:45", clusterSilentGoodbye},
		{"condition-two-collectors", []string{detect.TwoCollectors}, 10 * time.Second, "08:36", twoCollectors},
		{"condition-clock-skew", []string{detect.ClockSkew}, 15 * time.Second, "08:18", clockSkew},
		{"condition-two-collectors-fast", []string{detect.TwoCollectors}, 5 * time.Second, "08:06", twoCollectorsFast},
	}
}

// blind are the times in which the engine cannot be read.
func sourceBlind(n now, s *schema.ClusterContext) bool {
	s.Source = "docker"
	db := service("db", 1, 1)
	for _, x := range [][2]string{{"08:02", "08:04"}, {"08:08", "08:24"}, {"08:24:30", "08:25"}} {
		if n.in(x[0], x[1]) {
			s.Stale = append(s.Stale, schema.StalePart{Source: "docker", Since: clock(x[0]).Add(-15 * time.Second), Error: "no answer within 10s"})
			db.Stale = true
		}
	}
	s.Services = append(s.Services, db)
	return true
}

// by is a snapshot of that collector, of a cluster in which all is well.
func by(collector string, s *schema.ClusterContext) {
	s.Collector, s.Host = collector+"-4f1c", collector
	s.Services = append(s.Services, service("db", 1, 1))
}

func clusterSilent(n now, s *schema.ClusterContext) bool {
	by("web1", s)
	return !n.in("08:05:30", "08:08:30") && !n.in("08:15:30", "08:22")
}

func clusterSilentFast(n now, s *schema.ClusterContext) bool {
	by("web1", s)
	return !n.in("08:02:10", "08:03:40") && !n.in("08:06:10", "08:10")
}

// Two clusters in one recording, a snapshot of the one after each of the other.
func clusterSilentGoodbye(n now, s *schema.ClusterContext) bool {
	back := "08:30"
	if s.ClusterName = "short"; n.Second() == 30 {
		s.ClusterName, back = "long", "08:42:30"
	}
	s.IntervalSeconds = 60
	by(s.ClusterName, s)
	s.Goodbye = n.in("08:20", "08:21")
	return !n.in("08:21", back)
}

// twoCollectors has an interval of 30 s. The first collector's snapshots come on the minute and half a minute after it, the
// second one's ten seconds later.
func twoCollectors(n now, s *schema.ClusterContext) bool {
	s.IntervalSeconds = 30
	first := n.Second()%30 == 0
	second := n.Second()%30 == 10
	switch {
	case first && (n.in("08:00", "08:20:30") || n.in("08:31:30", "08:31:31")):
		by("old", s)
	case second && (n.in("08:02:10", "08:02:11") || n.in("08:10", "08:14:30") || n.in("08:22:30", "08:30:30") || n.since("08:31:40")):
		by("new", s)
	default:
		return false
	}
	return true
}

// twoCollectorsFast has an interval of 10 s. The second collector's snapshots come in between the first one's.
func twoCollectorsFast(n now, s *schema.ClusterContext) bool {
	s.IntervalSeconds = 10
	first := n.Second()%10 == 0
	switch {
	case first && (n.in("08:00", "08:01:10") || n.in("08:02", "08:03:10")):
		by("old", s)
	case !first && (n.in("08:01:50", "08:02") || n.since("08:04:15")):
		by("new", s)
	default:
		return false
	}
	return true
}

// clockSkew is a collector whose clock goes ahead: a little all the time, more for two snapshots, and then for five minutes.
func clockSkew(n now, s *schema.ClusterContext) bool {
	ahead := 20 * time.Second
	if n.in("08:05", "08:05:30") || n.in("08:10", "08:15") {
		ahead = 45 * time.Second
	}
	s.StoredAt, s.TakenAt = n.Time, n.Add(ahead)
	by("web1", s)
	return true
}
