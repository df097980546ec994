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
	replicas := 1
	return command{
		name: "setup", args: "[--replicas N]", about: "create or update the streams and consumers on the NATS server",
		flags: func(f *flag.FlagSet) {
			f.IntVar(&replicas, "replicas", 1, "copies of every stream: 1, or 3 on three servers or more")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("setup", "[--replicas N]")
			}
			return setup(ctx, out, replicas)
		},
	}
}

func setup(ctx context.Context, out io.Writer, replicas int) error {
	var cfg struct {
		daemon.Common
		Analyzer analyzer.Config
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
	topology := bus.Setup{Replicas: replicas, Channels: notifier.Channels(cfg.Notifier), LLMConcurrency: cfg.Analyzer.Concurrency}
	if err := b.Setup(ctx, topology); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d streams and %d consumers are in place on %s\n", len(bus.Streams()), len(bus.Consumers(topology)), options.URL)
	return nil
}
