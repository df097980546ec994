package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

func setupCommand() command {
	replicas, asJSON := 1, false
	return command{
		name: "setup", args: "[--replicas N] [--json]", about: "create or update the streams and consumers on the NATS server",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&asJSON, "json", false, "print JSON")
			f.IntVar(&replicas, "replicas", 1, "copies of every stream: 1, or 3 on three servers or more")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("setup", "[--replicas N] [--json]")
			}
			return setup(ctx, out, replicas, asJSON)
		},
	}
}

func setup(ctx context.Context, out io.Writer, replicas int, asJSON bool) error {
	var cfg struct {
		daemon.Common
		Calls    analyzer.Calls
		Notifier notifier.Config
	}
	if err := config.Load(process.Prefix, &cfg); err != nil {
		return err
	}
	options := cfg.NATS.Options("setup")
	options.Log = process.Logger(os.Stderr, cfg.Log)
	b, err := daemon.Connect(ctx, options)
	if err != nil {
		return err
	}
	defer b.Close()
	topology := bus.Setup{Replicas: replicas, Channels: notifier.Channels(cfg.Notifier), LLMConcurrency: cfg.Calls.Concurrency}
	if err := b.Setup(ctx, topology); err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, map[string]any{"streams": len(bus.Streams()), "consumers": len(bus.Consumers(topology)), "replicas": replicas, "url": options.Shown()})
	}
	fmt.Fprintf(out, "%d streams and %d consumers are in place on %s\n", len(bus.Streams()), len(bus.Consumers(topology)), plain(options.Shown()))
	return nil
}
