// Command collector reads one cluster and publishes snapshots of it to NATS.
package main

import (
	"context"

	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

func main() { process.Main("collector", run) }

func run(ctx context.Context, args []string) error {
	var cfg collector.Config
	return daemon.Daemon{
		Name: "collector", Addr: "127.0.0.1:8476", Config: &cfg,
		Part: func(e daemon.Env) (process.Part, error) {
			c, err := collector.New(cfg, e.Bus, e.Log, e.Registry)
			if err != nil {
				return process.Part{}, err
			}
			return c.Part(), nil
		},
	}.Run(ctx, args)
}
