package host_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

func TestGraphicsProcessorsThatAreLostAreToldOnce(t *testing.T) {
	m := newMachine(t, false)
	m.command("nvidia-smi", m.prints("nvidia-a100"))
	s := m.open()
	r := m.read(s)
	if len(r.Snapshot.Nodes[0].GPUs) != 2 || r.Reads[schema.PartGPUErrors] != "" || len(r.Happened) != 0 {
		t.Fatalf("node %+v, reads %v, happened %v", r.Snapshot.Nodes[0], r.Reads, r.Happened)
	}
	m.command("nvidia-smi", m.prints("nvidia-lost")+"; exit 15")
	r = m.read(s)
	m.wantLost(r)
	if len(r.Happened) != 1 || r.Happened[0].Event != "gpu_lost" || r.Happened[0].Kind != source.Noted || r.Happened[0].Object.Kind != schema.KindNode {
		t.Errorf("happened %+v", r.Happened)
	}
	s = m.open() // anew, from its state
	if r = m.read(s); len(r.Happened) != 0 {
		t.Errorf("told again: %+v", r.Happened)
	}
	m.wantLost(r)
	m.command("nvidia-smi", m.prints("nvidia-a100"))
	if r = m.read(s); len(r.Happened) != 1 || r.Happened[0].Event != "gpu_back" {
		t.Errorf("happened %+v", r.Happened)
	}
}

// wantLost checks that the graphics processors are still there and read, with nothing known of them: were their parts
// among those that nothing reads, a GPU that dies would take its own alert along.
func (m *machine) wantLost(r source.Reading) {
	m.t.Helper()
	want := []schema.GPUSummary{{Index: 0, Model: "NVIDIA A100-SXM4-80GB"}, {Index: 1, Model: "NVIDIA A100-SXM4-80GB"}}
	if diff := cmp.Diff(want, r.Snapshot.Nodes[0].GPUs); diff != "" || r.Reads[schema.PartGPUs] != "" || r.Reads[schema.PartGPUErrors] != "" {
		m.t.Errorf("reads %v, graphics processors (-want +got):\n%s", r.Reads, diff)
	}
}

func TestLostGraphicsProcessorsThatNeverCountedErrorsAreNotTakenToCountThem(t *testing.T) {
	m := newMachine(t, false)
	m.command("nvidia-smi", m.prints("nvidia-consumer"))
	s := m.open()
	before := m.read(s).Reads
	m.command("nvidia-smi", m.prints("nvidia-lost")+"; exit 15")
	if diff := cmp.Diff(before, m.read(s).Reads); diff != "" {
		t.Errorf("reads (-before +lost):\n%s", diff)
	}
}

func TestGraphicsProcessorThatNoLongerTellsItsErrorsIsStillReadForThem(t *testing.T) {
	m := newMachine(t, false)
	m.command("nvidia-smi", "echo '0, A Card, 1, 2, 3, 4, 5'")
	s := m.open()
	m.read(s)
	m.command("nvidia-smi", "echo '0, A Card, 1, 2, 3, 4, [Unknown Error]'")
	if r := m.read(s); r.Reads[schema.PartGPUErrors] != "" || r.Snapshot.Nodes[0].GPUs[0].ErrorsTotal != nil {
		t.Errorf("node %+v, reads %v", r.Snapshot.Nodes[0], r.Reads)
	}
}

func TestDriverThatNeverWorkedIsNoLoss(t *testing.T) {
	m := newMachine(t, false)
	m.command("nvidia-smi", m.prints("nvidia-mismatch")+"; exit 18")
	r := m.read(m.open())
	if len(r.Happened) != 0 || !strings.Contains(r.Reads[schema.PartGPUs], "version mismatch") || r.Snapshot.Nodes[0].GPUs != nil {
		t.Errorf("happened %+v, reads %v", r.Happened, r.Reads)
	}
}
