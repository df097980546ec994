package collector_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestStalePartSaysWhichPartsOfTheSnapshotItConcerns(t *testing.T) {
	tests := []struct {
		name  string
		kind  []string          // the parts that its kind can read
		reads map[string]string // what it says that it reads
		never bool              // it has not been read yet
		want  []string
	}{
		{"as-it-read-them", []string{schema.PartServices, schema.PartDisks}, map[string]string{schema.PartServices: "no systemd here", schema.PartDisks: "", schema.PartGPUs: ""}, false, []string{schema.PartDisks, schema.PartGPUs}},
		{"never-read", []string{schema.PartServices, schema.PartDisks}, nil, true, []string{schema.PartServices, schema.PartDisks}},
		{"whatever-there-is", nil, nil, false, schema.Parts()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEngine()
			e.reads = tt.reads
			f := e.fake()
			f.Parts = tt.kind
			w := collect(t, newLedger(), f)
			if !tt.never {
				w.at(t, start)
			}
			e.set(func() { e.down = errors.New("gone") })
			got := w.at(t, start).Stale
			if len(got) != 1 {
				t.Fatalf("stale %+v", got)
			}
			if diff := cmp.Diff(tt.want, got[0].Parts); diff != "" {
				t.Errorf("parts (-want +got):\n%s", diff)
			}
		})
	}
}
