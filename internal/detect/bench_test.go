package detect_test

import (
	"fmt"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/detect"
)

// large is n services of which every tenth has restarted once and logged errors before, and bad are down.
func large(n, bad int) []svc {
	services := make([]svc, n)
	for k := range services {
		services[k] = logging(fmt.Sprintf("service-%05d", k), 0)
		if k%10 == 0 {
			services[k].RestartsTotal, services[k].ErrorsTotal = new(int64(1)), new(int64(1))
		}
		if k < bad {
			services[k] = down(services[k].Name)
			services[k].ErrorsTotal = new(int64(0))
		}
		services[k].Image = "registry.example/shop/service:1.4"
	}
	return services
}

func BenchmarkDetect(b *testing.B) {
	for _, size := range []int{1000, 10000, 20000} {
		for _, bad := range []int{0, 100, size} {
			b.Run(fmt.Sprintf("services=%d/firing=%d", size, bad), func(b *testing.B) {
				var m detect.Memory
				s := snapshot(start, large(size, bad)...)
				rules := detect.Default()
				at := detect.Position{}
				b.ReportAllocs()
				for b.Loop() {
					at.Seq++
					s.TakenAt = s.TakenAt.Add(i)
					for k := range bad { // what is down logs errors
						*s.Services[k].ErrorsTotal++
					}
					m, _ = detect.Detect(m, s, at, rules)
				}
				b.ReportMetric(float64(len(encode(b, m))), "memory-bytes")
			})
		}
	}
}

// All services are deployed every ten minutes, and stay well.
func BenchmarkDetectDeploys(b *testing.B) {
	var m detect.Memory
	s := snapshot(start, large(10000, 0)...)
	at := detect.Position{}
	b.ReportAllocs()
	for b.Loop() {
		at.Seq++
		s.TakenAt = s.TakenAt.Add(i)
		if at.Seq%40 == 20 {
			for k := range s.Services {
				s.Services[k].LastDeployAt = s.TakenAt
			}
		}
		m, _ = detect.Detect(m, s, at, detect.Default())
	}
	b.ReportMetric(float64(len(encode(b, m))), "memory-bytes")
}

// What overrides cost: of a large cluster and as many as a file may have, each for a service or a few.
func BenchmarkDetectWithOverrides(b *testing.B) {
	for _, overrides := range []int{0, 10, 200} {
		b.Run(fmt.Sprintf("services=10000/overrides=%d", overrides), func(b *testing.B) {
			var m detect.Memory
			s := snapshot(start, large(10000, 100)...)
			rules := detect.Default()
			for k := range overrides {
				rules.Overrides = append(rules.Overrides, detect.Override{
					Match:   detect.Match{Cluster: "prod", Service: fmt.Sprintf("service-%04d*", k)},
					Changes: []detect.Change{line(b, k, detect.ServiceDown, "hold", detect.Value{Span: detect.Span{Intervals: 2}})},
				})
			}
			at := detect.Position{}
			b.ReportAllocs()
			for b.Loop() {
				at.Seq++
				s.TakenAt = s.TakenAt.Add(i)
				m, _ = detect.Detect(m, s, at, rules)
			}
		})
	}
}

// chained is n services that need each other eight deep, of which the first bad ones of each n/bad are down.
func chained(n, bad int) []svc {
	services := large(n, 0)
	for k := range services {
		for _, step := range []int{1, 2, 5} {
			if k%100 >= step {
				services[k].DependsOn = append(services[k].DependsOn, services[k-step].Name)
			}
		}
		services[k] = on(services[k], fmt.Sprintf("node-%d", k%50), fmt.Sprintf("node-%d", k%49))
		services[k].Image = fmt.Sprintf("app:%d", k%30)
		if k%(n/bad) == 0 {
			services[k] = on(services[k], fmt.Sprintf("!node-%d", k%50), fmt.Sprintf("!node-%d", k%49))
		}
	}
	return services
}

// What it costs to explain: with all that fails looked at anew (fresh), as in the snapshot after something happened, and
// with what is known of it (steady).
func BenchmarkExplain(b *testing.B) {
	off, on := detect.Default(), detect.Default()
	off.Explain.On, off.Storm.On = false, false
	for _, size := range []int{1000, 10000, 20000} {
		for _, bad := range []int{1, 100, size} {
			for _, with := range []struct {
				name  string
				rules detect.Rules
				again bool
			}{{"off", off, false}, {"fresh", on, true}, {"steady", on, false}} {
				b.Run(fmt.Sprintf("services=%d/firing=%d/%s", size, bad, with.name), func(b *testing.B) {
					s := snapshot(start, chained(size, bad)...)
					for k := range 50 {
						s.Nodes = append(s.Nodes, node{ID: fmt.Sprintf("node-%d", k), Status: []string{"healthy", "down"}[k%50/49]})
					}
					m, _ := detect.Detect(detect.Memory{}, s, detect.Position{Seq: 1}, off)
					s.TakenAt = s.TakenAt.Add(i)
					m, _ = detect.Detect(m, s, detect.Position{Seq: 2}, off)
					at := detect.Position{Seq: 2}
					b.ReportAllocs()
					for b.Loop() {
						at.Seq++
						s.TakenAt = s.TakenAt.Add(i)
						next, _ := detect.Detect(m, s, at, with.rules)
						if !with.again {
							m = next
						}
					}
				})
			}
		}
	}
}
