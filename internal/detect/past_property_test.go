package detect_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/need"
)

// In random clusters nothing that fails is put down for long to what does not.
func TestWhatExplainsHasFailedLately(t *testing.T) {
	const atMost = 40 // snapshots: those that a cause takes to clear, that a victim outlives it for, and a chain of them
	for seed := range uint64(need.Seeds(20)) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := build(t)
		w.quick = true
		needs, states := make([][]string, 8), make([]int, 8)
		for k := range needs {
			for j := range needs {
				if j != k && r.IntN(4) == 0 {
					needs[k] = append(needs[k], fmt.Sprintf("s%d", j))
				}
			}
		}
		fails, hidden := map[string]bool{}, map[string]int{}
		for range 600 {
			for k := range states {
				if r.IntN(30) == 0 {
					states[k] = r.IntN(4)
				}
				name := fmt.Sprintf("s%d", k)
				s := []svc{up(name), down(name), sick(name), oomed(name, w.at)}[states[k]]
				w.set(needing(s, needs[k]...))
				fails[name] = states[k] == 1 || states[k] == 2
			}
			w.pass(1)
			for _, f := range w.result.Findings {
				if name := f.Object.Name; f.Cause == nil || !fails[name] || fails[f.Cause.Name] {
					hidden[name] = 0
				} else if hidden[name]++; hidden[name] == atMost {
					t.Errorf("seed %d: %s fails, and is put down to %s, which does not", seed, f.Object, f.Cause)
				}
			}
		}
	}
}
