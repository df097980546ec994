package docker

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// The list is taken before the newest events: a container may be in it that is gone by the time they are read.
func TestAContainerRemovedAfterTheListWasTakenIsNotMissedLater(t *testing.T) {
	now := time.Now().UTC()
	o := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "web"}
	m, _, err := recall(nil, "engine", now.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	s := &Source{memory: m}
	c := listed{ID: "c1", Name: "shop-web-1", Object: o, State: stateRunning, Created: now, Detail: &details{State: stateRunning, StartedAt: now}}
	read := func(list []listed, events []event) []schema.ServiceSummary {
		s.remember(list, events, false)
		var all []schema.ServiceSummary
		list = m.remaining(list)
		for key, members := range m.gather(list) {
			if sum, there := m.Services[key].summarize(members, view{now: now}); there {
				all = append(all, sum)
			}
		}
		return all
	}
	read([]listed{c}, nil)
	now = now.Add(2 * time.Second)
	read([]listed{c}, []event{
		{ID: "c1", Action: actKill, At: now, Object: o},
		{ID: "c1", Action: actDie, At: now, Object: o, Exit: 137},
		{ID: "c1", Action: actDestroy, At: now, Object: o},
	})
	now = now.Add(2 * time.Second)
	for _, sum := range read(nil, nil) {
		if sum.NotWanted == "" {
			t.Errorf("%s is still wanted, %d of %d", sum.Name, *sum.ReplicasRunning, *sum.ReplicasDesired)
		}
	}
}
