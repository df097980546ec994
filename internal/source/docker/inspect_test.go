package docker

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsInspectedAgain(t *testing.T) {
	list := []listed{
		{ID: "known", State: stateRunning},
		{ID: "changed", State: stateExited},
		{ID: "new", State: stateRunning},
		{ID: "created", State: stateCreated}, // a start that failed leaves it as it was, but for the error
	}
	s := &Source{details: map[string]cached{
		"known": {stateRunning, &details{}}, "changed": {stateRunning, &details{}}, "created": {stateCreated, &details{}},
	}}
	if diff := cmp.Diff([]string{"changed", "new", "created"}, s.toInspect(list, false)); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"known", "changed", "new", "created"}, s.toInspect(list, true)); diff != "" {
		t.Errorf("asked after a gap (-want +got):\n%s", diff)
	}
}
