package collector_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// eye is an engine's source that can look things up.
type eye struct {
	engineSource
	look func(ctx context.Context, i schema.Inspection) (schema.InspectionResult, error)
}

func (e *eye) Inspect(ctx context.Context, i schema.Inspection) (schema.InspectionResult, error) {
	return e.look(ctx, i)
}

func seeing(look func(context.Context, schema.Inspection) (schema.InspectionResult, error)) collector.Fake {
	return collector.Fake{Name: "engine", Open: func(context.Context, json.RawMessage) (source.Source, error) {
		return &eye{engineSource{engine: newEngine()}, look}, nil
	}}
}

// says is a source whose every look-up gives one line.
func says(line string) collector.Fake {
	return seeing(func(context.Context, schema.Inspection) (schema.InspectionResult, error) {
		var r schema.InspectionResult
		source.Show(&r, "web-1", []source.RawLine{{At: start, Text: line}})
		return r, nil
	})
}

// runs starts a collector of cluster prod on a machine of its own.
func runs(t *testing.T, s *bustest.NATS, host string, fakes ...collector.Fake) {
	t.Helper()
	b := s.Connect(t)
	c, err := collector.NewWith(collector.Config{Cluster: "prod", Interval: time.Second}, b, b.Kept("collector"), bustest.Log(t), nil, fakes...)
	if err != nil {
		t.Fatal(err)
	}
	c.At(host)
	bustest.Start(t, c.Part().Run)
	next := func() schema.ClusterContext {
		return bustest.Next[schema.ClusterContext](t, b, "bellbuoy.context.prod")
	}
	published(t, next, func(c schema.ClusterContext) bool { return c.Host == host })
}

func asking(kind, name string) schema.Inspection {
	return schema.Inspection{
		Schema: schema.InspectionVersion, Cluster: "prod", Kind: kind, Object: schema.Object{Kind: schema.KindService, Name: name},
	}
}

// ask looks something up as an analyzer does.
func ask(t *testing.T, b *bus.Bus, i schema.Inspection) (schema.InspectionResult, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), schema.InspectWithin)
	defer cancel()
	body, err := json.Marshal(i)
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Request(ctx, b.Subjects().Inspect("prod", i.Kind), body)
	if err != nil {
		return schema.InspectionResult{}, err
	}
	return schema.DecodeInspectionResult(got, i)
}

func TestOnlyTheOwnerOfTheClusterAnswersLookups(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	if _, err := ask(t, b, asking(schema.LookLogs, "web")); !errors.Is(err, bus.ErrNobody) {
		t.Fatalf("with nobody there: %v", err)
	}
	runs(t, s, "one", says("password=hunter2hunter2 refused"))
	runs(t, s, "other", says("from the other one"))
	for range 20 {
		got, err := ask(t, b, asking(schema.LookLogs, "web"))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Lines) != 1 || got.Lines[0].Text != "password=[REDACTED:secret] refused" || got.Source != "engine" ||
			!strings.HasPrefix(got.Collector, "one-") || got.At.IsZero() || got.Lines[0].From != "web-1" {
			t.Fatalf("got %+v", got)
		}
	}
}

func TestLookupsAreOfWhatTheCollectorWatchesAndNothingElse(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	runs(t, s, "one", says("ready"))
	tests := []struct {
		name   string
		change func(*schema.Inspection)
		says   string
	}{
		{"not-in-the-snapshot", func(i *schema.Inspection) { i.Object.Name = "other" }, "other is not in the newest snapshot of cluster prod"},
		{"a-path", func(i *schema.Inspection) { i.Object.Name = "../../etc/passwd" }, "not in the newest snapshot"},
		{"another-kind-of-object", func(i *schema.Inspection) { i.Object.Kind = schema.KindNode }, "not in the newest snapshot"},
		{"another-cluster", func(i *schema.Inspection) { i.Cluster = "dev" }, "its subject says"},
		{"another-cluster-with-the-same-token", func(i *schema.Inspection) { i.Cluster = "prod\x00" }, "control characters"},
		{"nothing", func(i *schema.Inspection) { *i = schema.Inspection{Kind: schema.LookLogs} }, "cluster: missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i := asking(schema.LookLogs, "web")
			tt.change(&i)
			_, err := ask(t, b, i)
			if api, ok := errors.AsType[*bus.APIError](err); !ok || !strings.Contains(api.Message, tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
		})
	}
	i := asking("exec", "web")
	if _, err := ask(t, b, i); err == nil || !strings.Contains(err.Error(), `"exec" is not one of`) {
		t.Errorf("a shell: %v", err)
	}
}

func TestSourceThatHangsOrCannotLookIsToldInTime(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	runs(t, s, "one", seeing(func(_ context.Context, i schema.Inspection) (schema.InspectionResult, error) {
		switch i.Kind {
		case schema.LookLogs:
			<-release // whatever ctx says
		case schema.LookEvents:
			return schema.InspectionResult{}, errors.New("GET http://admin:hunter2hunter2@engine/events: refused")
		}
		return schema.InspectionResult{}, nil
	}))
	var hanging sync.WaitGroup
	for range 3 {
		hanging.Go(func() {
			if _, err := ask(t, b, asking(schema.LookLogs, "web")); err == nil || !strings.Contains(err.Error(), "gave no answer in time") {
				t.Errorf("one that hangs: %v", err)
			}
		})
	}
	if _, err := ask(t, b, asking(schema.LookStatus, "web")); err != nil {
		t.Errorf("beside three that hang: %v", err)
	}
	if _, err := ask(t, b, asking(schema.LookEvents, "web")); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("one that fails: %v", err)
	}
	hanging.Wait()
	if _, err := ask(t, b, asking(schema.LookLogs, "web")); err == nil || !strings.Contains(err.Error(), "gave no answer in time") {
		t.Errorf("the fourth: %v", err)
	}
	if _, err := ask(t, b, asking(schema.LookStatus, "web")); err == nil || !strings.Contains(err.Error(), "busy with others") {
		t.Errorf("with all places taken for good: %v", err)
	}
}

func TestSourceWithoutEyesSaysSo(t *testing.T) {
	s := bustest.Server(t)
	runs(t, s, "one", newEngine().fake())
	if _, err := ask(t, s.Connect(t), asking(schema.LookLogs, "web")); err == nil || !strings.Contains(err.Error(), "source engine has no means to") {
		t.Errorf("got %v", err)
	}
}

func TestLookupsAreRationed(t *testing.T) {
	var got []int
	r, now := collector.NewRation(), start
	for _, pause := range []time.Duration{0, 0, 5 * time.Second, time.Hour} {
		now = now.Add(pause)
		n := 0
		for r(now) {
			n++
		}
		got = append(got, n)
	}
	if diff := cmp.Diff([]int{30, 0, 5, 30}, got); diff != "" {
		t.Errorf("allowed in a row (-want +got):\n%s", diff)
	}
}
