package main

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
)

func TestPeopleForgetAClusterThatIsGone(t *testing.T) {
	b := stack(t)
	if out, err := typed(t, "forget", "prod"); err == nil || !strings.Contains(err.Error(), "stop its collector first") {
		t.Errorf("a cluster that is published is forgotten: %v\n%s", err, out)
	}
	last := e2e.Snapshot("prod", 2, 0)
	last.Goodbye = true
	e2e.Publish(t, b, last)
	bustest.Settled(t, b, bus.Notify("webhook"))
	out, err := typed(t, "forget", "prod")
	for _, want := range []string{"forgot cluster prod", "1 open conversation closed as removed", "detector memory", "gone by", "the collector's own record stays"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("forget: %v, printed\n%swant %q in it", err, out, want)
		}
	}
}
