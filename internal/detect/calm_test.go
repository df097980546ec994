package detect_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// What is critical is calm once it is no longer true, for as long as it is watched; not before, and not afterwards.
func TestCalmIsWhatIsWellButNotYetOver(t *testing.T) {
	object := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"}
	tests := []struct {
		name string
		at   []int // running replicas of one, snapshot by snapshot
		want bool
	}{
		{"never-seen", nil, false},
		{"well", []int{1, 1}, false},
		{"holding", []int{1, 0}, false},
		{"down", []int{1, 0, 0, 0}, false},
		{"up-again", []int{1, 0, 0, 1}, true},
		{"up-for-a-while", []int{1, 0, 0, 1, 1, 1}, true},
		{"down-again", []int{1, 0, 0, 1, 1, 0}, false},
		{"over", []int{1, 0, 0, 1, 1, 1, 1, 1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := seen(tt.at)
			if got := m.Calm(object); got != tt.want {
				t.Errorf("calm: %v, want %v", got, tt.want)
			}
		})
	}
}

func seen(running []int) detect.Memory {
	var m detect.Memory
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	for i, n := range running {
		status := schema.ServiceHealthy
		if n == 0 {
			status = schema.ServiceStopped
		}
		s := schema.ClusterContext{
			ClusterName: "prod", TakenAt: at.Add(time.Duration(i) * 15 * time.Second), IntervalSeconds: 15,
			Services: []schema.ServiceSummary{{Name: "checkout", Namespace: "shop", Status: status, ReplicasRunning: new(n), ReplicasDesired: new(1)}},
		}
		m, _ = detect.Detect(m, s, detect.Position{Seq: uint64(i + 1), At: s.TakenAt}, detect.Default()) //nolint:gosec // it counts from 1
	}
	return m
}

// Nobody knows that it is well because it has not happened again.
func TestWhatHappensIsNotCalmForThat(t *testing.T) {
	c := watch(t)
	api := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "api"}
	c.see(snapshot(start, up("api")))
	killed := oomed("api", after(i/2))
	killed.Labels = map[string]string{detect.SeverityLabel: schema.SeverityCritical}
	c.see(snapshot(after(i), killed))
	want(t, len(c.see(snapshot(after(2*i), killed)).Findings), 1)
	want(t, c.memory.Calm(api), false)
}
