package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/embed"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

// upConfig is everything: `up` is all daemons in one process.
type upConfig struct {
	daemon.Common
	Server    serverConfig
	Collector collector.Config
	Analyzer  analyzer.Config
	Notifier  notifier.Config
	Person    personConfig // not up's own; read so that up does not take the variable for a slip
}

// serverConfig is of the NATS server that `up` starts where no other is named.
type serverConfig struct {
	Listen  string `env:"NATS_LISTEN" default:"127.0.0.1:4222" desc:"Where the server that bellbuoy up starts listens; nobody needs it when NATS_URL is set."`
	DataDir string `env:"DATA_DIR" unset:"/var/lib/bellbuoy as root, else bellbuoy in the user's state directory" desc:"Where that server keeps what is stored."`
}

const upHTTPAddr = "127.0.0.1:8474"

func upCommand() command {
	return command{
		name: "up", about: "everything in one process, with a NATS server of its own unless BELLBUOY_NATS_URL names one",
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("up", "")
			}
			var cfg upConfig
			if err := config.Load(process.Prefix, &cfg); err != nil {
				return err
			}
			return up(ctx, out, cfg)
		},
	}
}

func up(ctx context.Context, out io.Writer, cfg upConfig) error {
	log := process.Logger(os.Stderr, logging(cfg.Log))
	for _, u := range config.Unknown(process.Prefix, cfg) {
		log.Warn("variable is set but nobody reads it", "name", u.Name, "nearest", u.Nearest)
	}
	env := daemon.Env{Log: log, Registry: prometheus.NewRegistry()}
	options := cfg.NATS.Options("up")
	options.Log, options.Registerer = log, env.Registry
	url := options.Shown()
	if cfg.NATS.URL == "" {
		server, err := serve(ctx, &cfg, log)
		if err != nil {
			return err
		}
		defer server.Close()
		options.InProcess, options.URL, url = server, server.ClientURL(), server.ClientURL()
	}
	b, err := bus.Connect(ctx, options)
	if err != nil {
		return err
	}
	defer b.Close()
	env.Bus = b
	if err := b.Setup(ctx, bus.Setup{Channels: notifier.Channels(cfg.Notifier), LLMConcurrency: cfg.Analyzer.Calls.Concurrency}); err != nil {
		return err
	}
	parts, err := parts(out, cfg, env, url)
	if err != nil {
		return err
	}
	return process.Run(ctx, process.Options{
		Name: "up", Log: log, HTTPAddr: cmp.Or(cfg.HTTPAddr, upHTTPAddr), Registry: env.Registry, Parts: parts,
	})
}

// logging is how `up` logs: what happens is printed anyway, so that only trouble is logged unless somebody asks for more.
func logging(c process.LogConfig) process.LogConfig {
	if os.Getenv(process.Prefix+"_LOG_LEVEL") == "" {
		c.Level = "warn"
	}
	c.Format = cmp.Or(c.Format, "text")
	return c
}

func serve(ctx context.Context, cfg *upConfig, log *slog.Logger) (*embed.Server, error) {
	if cfg.Server.DataDir == "" {
		dir, err := stateDir()
		if err != nil {
			return nil, err
		}
		cfg.Server.DataDir = dir
	}
	return embed.Start(ctx, embed.Options{Listen: cfg.Server.Listen, Dir: cfg.Server.DataDir, Log: log})
}

// stateDir is where state belongs by the file system hierarchy for root, and by the XDG base directory specification
// for anybody else.
func stateDir() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/bellbuoy", nil
	}
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "bellbuoy"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("look for a place to keep data: %w: set BELLBUOY_DATA_DIR", err)
	}
	return filepath.Join(home, ".local", "state", "bellbuoy"), nil
}

// parts are stopped in reverse order: first whoever brings work in.
func parts(out io.Writer, cfg upConfig, env daemon.Env, url string) ([]process.Part, error) {
	var parts []process.Part
	n, err := notifier.New(cfg.Notifier, env.Bus, env.Log, env.Registry)
	if err != nil {
		return nil, err
	}
	parts = append(parts, n.Part())
	a, err := analyzer.New(cfg.Analyzer, env.Bus, env.Log, env.Registry)
	if err != nil {
		return nil, err
	}
	parts = append(parts, terminal(out, cfg, env.Bus, url, env.Log), a.Part())
	c, err := collector.New(cfg.Collector, env.Bus, env.Log, env.Registry)
	if errors.Is(err, collector.ErrNone) {
		return parts, nil
	}
	if err != nil {
		return nil, err
	}
	return append(parts, c.Part()), nil
}
