package collector_test

import (
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestTheMachinesOwnEngineIsCollected(t *testing.T) {
	need.Docker(t)
	b := bustest.New(t)
	c, err := collector.New(collector.Config{Cluster: "here", Source: []string{"docker"}}, b, bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	bustest.Start(t, c.Part().Run)
	s := bustest.Next[schema.ClusterContext](t, b, "bellbuoy.context.here")
	if s.Source != "docker" || s.Stale != nil || len(s.Nodes) != 1 || s.Nodes[0].Status != schema.NodeHealthy || s.TakenAt.IsZero() {
		t.Errorf("snapshot: %+v", s)
	}
	reasons := unread(s)
	if _, listed := reasons[schema.PartErrors]; listed || reasons[schema.PartNodes] == "" || reasons[schema.PartDisks] == "" || s.Host != hostname(t) {
		t.Errorf("host %q, unread %+v", s.Host, s.Unread)
	}
	for _, v := range s.Services {
		if v.ErrorsTotal == nil || v.RestartsTotal == nil || v.ErrorCount1h == nil || v.RestartCount24h == nil {
			t.Errorf("uncounted: %+v", v)
		}
	}
}
