// Command analyzer decides what is wrong in the clusters whose snapshots it is given, and tells it to NATS.
package main

import (
	"context"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

func main() { process.Main("analyzer", run) }

func run(ctx context.Context, args []string) error {
	var cfg analyzer.Config
	return daemon.Daemon{
		Name: "analyzer", Addr: "127.0.0.1:8475", Config: &cfg,
		Needs: func() []string { return []string{bus.Watch, bus.WatchFindings, bus.Hear, bus.Diagnose, bus.Answer} },
		Part: func(e daemon.Env) (process.Part, error) {
			a, err := analyzer.New(cfg, e.Bus, e.Log, e.Registry)
			if err != nil {
				return process.Part{}, err
			}
			return a.Part(), nil
		},
	}.Run(ctx, args)
}
