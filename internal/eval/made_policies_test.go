package eval_test

import (
	"fmt"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func policyFilms() []film {
	return []film{
		{"condition-storm", []string{detect.Storm}, 20 * time.Second, "08:22", storm},
		{"policy-deploy-grace", []string{detect.DeployGrace}, 30 * time.Second, "08:46", deployGrace},
		{"policy-flapping", []string{detect.Flapping}, 30 * time.Second, "09:30", flapping},
		{"policy-explain", []string{detect.Explain}, 15 * time.Second, "08:34", explain},
	}
}

// on is a service that runs, but for the stretches of time given.
func on(n now, name string, down ...[2]string) schema.ServiceSummary {
	s := service(name, 1, 1)
	for _, x := range down {
		if n.in(x[0], x[1]) {
			s.ReplicasRunning = new(0)
		}
	}
	return s
}

// storm has two groups of ten. Of the first one five go down, and the others 100 s later; of the second one the others follow
// 40 s later, and come back one by one.
func storm(n now, s *schema.ClusterContext) bool {
	for i := range 10 {
		begin, again := "08:02", "08:10"
		if i >= 5 {
			begin, again = "08:03:40", "08:10:40"
		}
		s.Services = append(
			s.Services,
			on(n, fmt.Sprintf("a%d", i), [2]string{begin, "08:05"}),
			on(n, fmt.Sprintf("b%d", i), [2]string{again, fmt.Sprintf("08:%02d", 12+i/2)}),
		)
	}
	return true
}

func deployGrace(n now, s *schema.ClusterContext) bool {
	const deployed = "08:05"
	image := func(x schema.ServiceSummary, at ...string) {
		x.Image = fmt.Sprintf("shop/%s:1.%d", x.Name, n.count(at...))
		s.Services = append(s.Services, x)
	}
	image(on(n, "good", [2]string{"08:05", "08:06:30"}), deployed)
	image(on(n, "bad", [2]string{"08:05:30", "08:09"}), deployed)

	typo := on(n, "typo", [2]string{"08:05", "08:09"})
	if n.since(deployed) {
		typo.LastFailure = &schema.Failure{Reason: schema.FailureStart, At: clock(deployed), Text: "no such file or directory: /bin/shopp"}
	}
	image(typo, deployed)

	// Deployed every 90 s until it runs; once more a while later, which fails as well; and much later, which goes well.
	image(on(n, "again", [2]string{"08:10", "08:16"}, [2]string{"08:28", "08:29:30"}, [2]string{"08:42", "08:43"}),
		"08:10", "08:11:30", "08:13", "08:14:30", "08:28", "08:42")
	return true
}

func flapping(n now, s *schema.ClusterContext) bool {
	s.Services = append(
		s.Services,
		on(n, "flaps", [2]string{"08:02", "08:03"}, [2]string{"08:22", "08:23"}, [2]string{"08:42", "08:43"}, [2]string{"08:55", "08:56"}),
		on(n, "seldom", [2]string{"08:02", "08:03"}, [2]string{"08:40", "08:41"}, [2]string{"09:20", "09:21"}),
	)
	return true
}

func explain(n now, s *schema.ClusterContext) bool {
	needs := func(x schema.ServiceSummary, on string) {
		x.DependsOn = []string{on}
		s.Services = append(s.Services, x)
	}
	failing := func(name string) schema.ServiceSummary {
		return checked(name, step(n, 0, change[int]{"08:20", 1}, change[int]{"08:30", 0}))
	}
	s.Services = append(s.Services, on(n, "db", [2]string{"08:05", "08:10"}))
	needs(on(n, "api", [2]string{"08:05:30", "08:12:30"}), "db")
	needs(on(n, "web", [2]string{"08:05:30", "08:15"}), "db")

	s.Services = append(s.Services, on(n, "cache", [2]string{"08:24", "08:30"}), on(n, "queue", [2]string{"08:27", "08:30"}))
	needs(failing("front"), "cache")
	needs(failing("back"), "queue")
	return true
}
