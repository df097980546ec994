package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	// firstLook is how long `up` waits for the first snapshot before it goes on to what is open.
	firstLook = 10 * time.Second
	// lookAgain is the pause between two looks for it.
	lookAgain = 200 * time.Millisecond
)

// terminal is the part of `up` that talks to whoever started it: what is seen, what is open, then every event.
func terminal(out io.Writer, cfg upConfig, b *bus.Bus) process.Part {
	began := time.Now()
	return process.Part{Name: "terminal", Run: func(ctx context.Context) error {
		if readsDocker(cfg.Collector) {
			look(ctx, out, b, cluster(cfg.Collector), began)
		}
		return watch(ctx, client.New(b), out, false)
	}}
}

func readsDocker(c collector.Config) bool {
	return slices.Contains(c.Source, "docker") || slices.Contains(c.Source, "auto")
}

// look prints what the first snapshot since began shows, as soon as there is one.
func look(ctx context.Context, out io.Writer, b *bus.Bus, cluster string, began time.Time) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m, err := b.LastContext(ctx, cluster)
		if err != nil || m.At.Before(began) {
			continue
		}
		if s, err := schema.DecodeContext(m.Data); err == nil {
			fmt.Fprintf(out, "  %-10s %s\n", "sees", seen(&s))
			return
		}
	}
}

// seen sums a snapshot up in one line.
func seen(s *schema.ClusterContext) string {
	var troubles []string
	for _, part := range s.Stale {
		troubles = append(troubles, plain(part.Error))
	}
	if len(troubles) > 0 {
		return "nothing yet: " + strings.Join(troubles, "; ")
	}
	running := 0
	for i := range s.Services {
		if n := s.Services[i].ReplicasRunning; n != nil && *n > 0 {
			running++
		}
	}
	text := fmt.Sprintf("%s on %s, %d of them running", count(len(s.Services), "service"), count(len(s.Nodes), "node"), running)
	if s.Baseline > 0 {
		text += fmt.Sprintf("; %d had ended before Bellbuoy first looked and will not be alerted on", s.Baseline)
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func banner(out io.Writer, cfg upConfig, url string) {
	fmt.Fprintf(out, "bellbuoy %s  watching %s\n", process.Version(), watched(cfg.Collector))
	tells := "this terminal only (set BELLBUOY_WEBHOOK_URL)"
	if names := notifier.Channels(cfg.Notifier); len(names) > 0 {
		tells = strings.Join(names, ", ") + " and this terminal"
	}
	diagnosis := "by rules (set BELLBUOY_LLM_BASE_URL and BELLBUOY_LLM_MODEL for a model)"
	if cfg.Analyzer.LLM.Enabled() {
		diagnosis = "by rules, then by " + cfg.Analyzer.LLM.Model
	}
	kept := "on the server"
	if cfg.Server.DataDir != "" {
		kept = "90 days in " + cfg.Server.DataDir
	}
	server := ""
	if url != daemon.DefaultURL {
		server = "BELLBUOY_NATS_URL=" + url + " "
	}
	for _, line := range [][2]string{
		{"diagnosis", diagnosis},
		{"tells", tells},
		{"kept", kept},
		{"tap", "nats -s " + url + " sub 'bellbuoy.alerts.>'"},
		{"answer", server + "bellbuoy reply ID 'why?'   (or ack ID, show ID, help)"},
	} {
		fmt.Fprintf(out, "  %-10s %s\n", line[0], line[1])
	}
}

// watched says which cluster is watched, and by what.
func watched(c collector.Config) string {
	switch {
	case !c.Collects():
		return "whatever others publish to bellbuoy.context.*"
	case slices.Equal(c.Source, []string{"auto"}):
		return cluster(c) + ": the Docker engine"
	}
	return cluster(c) + ": " + strings.Join(c.Source, ", ")
}

// cluster is the name that the collector will give what it watches.
func cluster(c collector.Config) string {
	name, err := os.Hostname()
	if err != nil {
		name = "this host"
	}
	return cmp.Or(c.Cluster, name)
}
