package collector

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// bounded brings a snapshot within the bounds of the contract and gives its bytes. What it cuts off is counted in
// Omitted: log lines first, then events, and only if that is not enough, services that are well.
func bounded(s *schema.ClusterContext) ([]byte, error) {
	// Lists that sources still hold are not changed in place.
	s.Services = append([]schema.ServiceSummary{}, s.Services...)
	s.RecentEvents = append([]schema.ClusterEvent{}, s.RecentEvents...)
	s.ActiveAlerts = append([]schema.AlertSummary{}, s.ActiveAlerts...)
	boundObjects(s)
	for i := range s.Services {
		boundService(s, &s.Services[i])
	}
	for i := range s.RecentEvents {
		e := &s.RecentEvents[i]
		e.Kind, e.Object, e.Text = scrub.Line(e.Kind, maxTextBytes), scrub.Line(e.Object, maxEventObject), scrub.Line(e.Text, maxEventBytes)
	}
	for i := range s.ActiveAlerts {
		s.ActiveAlerts[i].LastMessage = scrub.Line(s.ActiveAlerts[i].LastMessage, maxTextBytes)
	}
	keepEvents(s, schema.MaxEvents)
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return fit(s, schema.MaxContextBytes)
}

// boundObjects drops objects that nobody could name, second ones of the same name, and too many of them.
func boundObjects(s *schema.ClusterContext) {
	seen := map[schema.Object]bool{}
	s.Services = keepObjects(s, "services", s.Services, schema.MaxServices, func(v schema.ServiceSummary) bool {
		return len(v.Namespace) <= schema.MaxName && utf8.ValidString(v.Namespace) && nameable(seen, v.Object())
	})
	s.Nodes = keepObjects(s, "nodes", s.Nodes, schema.MaxNodes, func(v schema.NodeSummary) bool {
		return nameable(seen, schema.Object{Kind: schema.KindNode, Name: v.ID})
	})
}

func nameable(seen map[schema.Object]bool, o schema.Object) bool {
	if o.Name == "" || len(o.Name) > schema.MaxName || !utf8.ValidString(o.Name) || seen[o] {
		return false
	}
	seen[o] = true
	return true
}

// keepObjects gives the first most elements of list that keep allows, and counts the others.
func keepObjects[T any](s *schema.ClusterContext, what string, list []T, most int, keep func(T) bool) []T {
	kept := make([]T, 0, len(list))
	for _, v := range list {
		if len(kept) < most && keep(v) {
			kept = append(kept, v)
		}
	}
	omit(s, what, len(list)-len(kept))
	return kept
}

// boundService scrubs what others wrote about a service, and cuts its logs.
func boundService(s *schema.ClusterContext, v *schema.ServiceSummary) {
	if well(v) && !justFailed(s, v) {
		v.RecentLogs = nil
	}
	lines := cleanLines(v.RecentLogs)
	omit(s, "recent_logs", len(lines)-schema.MaxLogLines)
	v.RecentLogs = lines[max(0, len(lines)-schema.MaxLogLines):]
	v.Image, v.PreviousImage = scrub.Line(v.Image, maxTextBytes), scrub.Line(v.PreviousImage, maxTextBytes)
	v.NotWanted = scrub.Line(v.NotWanted, maxTextBytes)
	if v.LastFailure != nil {
		failure := *v.LastFailure
		failure.Text = scrub.Line(failure.Text, maxTextBytes)
		v.LastFailure = &failure
	}
	v.Instances = slices.Clone(v.Instances)
	for i := range v.Instances {
		v.Instances[i].State = scrub.Line(v.Instances[i].State, maxTextBytes)
	}
	v.Labels = maps.Clone(v.Labels)
	for name, value := range v.Labels {
		v.Labels[name] = scrub.Line(scrub.Value(name, value), maxTextBytes)
	}
}

func well(v *schema.ServiceSummary) bool {
	return v.Status == schema.ServiceHealthy && v.Health != schema.HealthUnhealthy
}

// afterwards is for how long a service that failed is not taken for well: a crash loop looks healthy between crashes.
const afterwards = 10 * time.Minute

func justFailed(s *schema.ClusterContext, v *schema.ServiceSummary) bool {
	return v.LastFailure != nil && s.TakenAt.Sub(v.LastFailure.At) < afterwards
}

// cleanLines scrubs log lines together, because a secret may span some of them, and each by itself.
func cleanLines(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	var clean []string
	for line := range strings.SplitSeq(scrub.Clean(strings.Join(lines, "\n")), "\n") {
		if line = scrub.Line(line, schema.MaxLogLineBytes); line != "" {
			clean = append(clean, line)
		}
	}
	return clean
}

// keepLogs leaves the newest n lines of each service.
func keepLogs(s *schema.ClusterContext, n int) {
	for i := range s.Services {
		logs := &s.Services[i].RecentLogs
		omit(s, "recent_logs", len(*logs)-n)
		*logs = (*logs)[max(0, len(*logs)-n):]
	}
}

// keepEvents leaves the newest n events.
func keepEvents(s *schema.ClusterContext, n int) {
	omit(s, "recent_events", len(s.RecentEvents)-n)
	s.RecentEvents = s.RecentEvents[max(0, len(s.RecentEvents)-n):]
}

// keepFailing drops services that are well, in the order of the list, until n bytes fewer are used.
func keepFailing(s *schema.ClusterContext, n int) error {
	var kept []schema.ServiceSummary
	for _, v := range s.Services {
		if n <= 0 || !well(&v) {
			kept = append(kept, v)
			continue
		}
		b, err := json.Marshal(v)
		if err != nil {
			return err
		}
		n -= len(b)
	}
	omit(s, "services", len(s.Services)-len(kept))
	s.Services = kept
	return nil
}

// fit gives the snapshot's bytes, at most limit of them.
func fit(s *schema.ClusterContext, limit int) ([]byte, error) {
	cuts := []func(){
		func() { keepLogs(s, 20) }, func() { keepLogs(s, 5) }, func() { keepLogs(s, 1) }, func() { keepLogs(s, 0) },
		func() { keepEvents(s, 20) }, func() { keepEvents(s, 0) },
	}
	for {
		b, err := json.Marshal(s)
		switch {
		case err != nil:
			return nil, fmt.Errorf("encode snapshot: %w", err)
		case len(b) <= limit:
			return b, nil
		case len(cuts) == 0:
			return shrunk(s, len(b), limit)
		}
		cuts[0]()
		cuts = cuts[1:]
	}
}

// shrunk leaves services out that are well, as the last way to make a snapshot fit.
func shrunk(s *schema.ClusterContext, size, limit int) ([]byte, error) {
	if err := keepFailing(s, size-limit+1024); err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	b, err := json.Marshal(s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("encode snapshot: %w", err)
	case len(b) > limit:
		return nil, fmt.Errorf("encode snapshot: %d bytes are more than the %d allowed, without logs, events and services that are well; watch the cluster in parts", len(b), limit)
	}
	return b, nil
}
