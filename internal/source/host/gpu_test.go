package host_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

func TestGraphicsProcessorsAreReadAndWhatTheyDoNotTellIsUnknown(t *testing.T) {
	tests := []struct {
		name string
		want []schema.GPUSummary
	}{
		{"a100", []schema.GPUSummary{
			{Index: 0, Model: "NVIDIA A100-SXM4-80GB", Utilization: new(97.0), VRAMUsedMB: new(70123.0), VRAMTotalMB: new(81920.0), Temperature: new(64.0), ErrorsTotal: new(int64(0))},
			{Index: 1, Model: "NVIDIA A100-SXM4-80GB", Utilization: new(0.0), VRAMUsedMB: new(4.0), VRAMTotalMB: new(81920.0), Temperature: new(31.0), ErrorsTotal: new(int64(2))},
		}},
		{"consumer", []schema.GPUSummary{
			{Index: 0, Model: "NVIDIA GeForce RTX 3060", Utilization: new(12.0), VRAMUsedMB: new(812.0), VRAMTotalMB: new(12288.0), Temperature: new(47.0)},
		}},
		{"partial", []schema.GPUSummary{
			{Index: 0, Model: "NVIDIA GeForce GT 710", VRAMUsedMB: new(180.0), VRAMTotalMB: new(2000.0), Temperature: new(41.0)},
			{Index: 1, Model: "Tesla K80"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := host.ParseGPUs([]byte(recorded(t, "nvidia-"+tt.name)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("graphics processors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWordsInPlaceOfATableAreAnError(t *testing.T) {
	for _, name := range []string{"lost", "mismatch", "nofield"} {
		t.Run(name, func(t *testing.T) {
			if got, err := host.ParseGPUs([]byte(recorded(t, "nvidia-"+name))); err == nil {
				t.Errorf("read %+v", got)
			}
		})
	}
}

func FuzzGraphicsProcessorsAreSound(f *testing.F) {
	for _, name := range []string{"a100", "partial", "lost"} {
		f.Add([]byte(recorded(f, "nvidia-"+name)))
	}
	f.Add([]byte("0, \"a\nb, 1, NaN, +Inf, -3, 1e999\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := host.ParseGPUs(text)
		if err == nil && len(got) == 0 {
			t.Error("nothing, and no error")
		}
		for _, g := range got {
			for _, n := range []*float64{g.Utilization, g.VRAMUsedMB, g.VRAMTotalMB, g.Temperature} {
				if n != nil && !(*n >= 0) || g.Index < 0 {
					t.Errorf("%+v", g)
				}
			}
		}
	})
}
