package finding_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/finding"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// scribe writes down what is published.
type scribe struct {
	t     *testing.T
	fails bool
	lines []string
}

func (s *scribe) Subjects() schema.Subjects { return schema.Subjects{} }

func (s *scribe) Publish(_ context.Context, subject string, body []byte, _ string) (uint64, error) {
	if s.fails {
		return 0, errors.New("nobody there")
	}
	f, err := schema.DecodeFinding(body)
	if err != nil || subject != "bellbuoy.findings.bellbuoy" {
		s.t.Errorf("%s: %v", subject, err)
	}
	s.lines = append(s.lines, fmt.Sprintf("%s %s %s firing=%v by %s", f.At.Format("15:04:05"), f.Object.Name, f.Severity, f.Firing, f.Source))
	return 1, nil
}

func failing(channel, severity string) schema.Finding {
	return schema.Finding{
		Object: schema.Object{Kind: schema.KindChannel, Name: channel}, Condition: schema.ChannelFailing, Severity: severity, Title: "failing",
	}
}

func TestFindingsAreSaidWhenTheyBeginEveryMinuteAndWhenTheyEnd(t *testing.T) {
	s := &scribe{t: t}
	teller := finding.NewTeller(s, "n")
	at := func(clock string) time.Time {
		now, err := time.Parse("15:04:05", clock)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	tell := func(clock string, firing ...schema.Finding) error { return teller.Tell(t.Context(), at(clock), firing) }
	steps := []struct {
		at     string
		fails  bool
		firing []schema.Finding
	}{
		{at: "10:00:00"},
		{at: "10:00:05", fails: true, firing: []schema.Finding{failing("a", "warning")}},
		{at: "10:00:10", firing: []schema.Finding{failing("a", "warning")}},
		{at: "10:00:15", firing: []schema.Finding{failing("a", "warning"), failing("b", "warning")}},
		{at: "10:00:20", firing: []schema.Finding{failing("a", "critical"), failing("b", "warning")}},
		{at: "10:01:15", firing: []schema.Finding{failing("a", "critical"), failing("b", "warning")}},
		{at: "10:01:20", fails: true, firing: []schema.Finding{failing("b", "warning")}},
		{at: "10:01:25", firing: []schema.Finding{failing("b", "warning")}},
		{at: "10:01:30"},
		{at: "10:01:35"},
	}
	for _, step := range steps {
		s.fails = step.fails
		err := tell(step.at, step.firing...)
		if (err != nil) != step.fails {
			t.Errorf("%s: %v", step.at, err)
		}
	}
	want := []string{
		"10:00:10 a warning firing=true by n",
		"10:00:15 b warning firing=true by n",
		"10:00:20 a critical firing=true by n",
		"10:01:15 b warning firing=true by n",
		"10:01:25 a critical firing=false by n",
		"10:01:30 b warning firing=false by n",
	}
	if diff := cmp.Diff(want, s.lines); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
}
