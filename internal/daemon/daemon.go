// Package daemon is what the three daemons have in common beyond a bare process: the configuration that all of them
// read, and the way to a NATS server that has been set up. It waits for both, because whoever starts a whole stack at
// once starts them in any order. It does nothing of what a daemon is for.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

// NATS says which server to use and as whom.
type NATS struct {
	URL      string        `env:"NATS_URL" unset:"nats://127.0.0.1:4222; bellbuoy up starts a server of its own" desc:"The NATS server or servers, comma separated."`
	Creds    string        `env:"NATS_CREDS" desc:"Path of a credentials file for NATS."`
	NKeySeed config.Secret `env:"NATS_NKEY_SEED" desc:"The nkey seed to log in to NATS with."`
	CA       string        `env:"NATS_CA" desc:"Path of the certificates that NATS's own is checked against."`
}

// DefaultURL is where a NATS server is looked for when NATS.URL is empty.
const DefaultURL = "nats://127.0.0.1:4222"

// Options gives what the bus needs to connect as name.
func (n NATS) Options(name string) bus.Options {
	url := n.URL
	if url == "" {
		url = DefaultURL
	}
	return bus.Options{URL: url, Creds: n.Creds, NKeySeed: n.NKeySeed.Reveal(), CA: n.CA, Name: name}
}

// Common is what every daemon reads.
type Common struct {
	NATS     NATS
	HTTPAddr string `env:"HTTP_ADDR" unset:"notifier and up 127.0.0.1:8474, analyzer 127.0.0.1:8475, collector 127.0.0.1:8476" desc:"Where /healthz, /readyz and /metrics are served."`
	Log      process.LogConfig
}

// Env is what a part is made on.
type Env struct {
	Bus      *bus.Bus
	Log      *slog.Logger
	Registry *prometheus.Registry
}

// Daemon is one part as a process of its own.
type Daemon struct {
	Name   string
	Addr   string          // of its HTTP server unless configured
	Config any             // pointer to the part's own configuration
	Needs  func() []string // the consumers it reads, once Config is loaded; may be nil
	Part   func(Env) (process.Part, error)
}

// Run reads flags and configuration and runs the daemon until ctx is done.
func (d Daemon) Run(ctx context.Context, args []string) error {
	var common Common
	action, err := process.Flags(d.Name, args, os.Stdout, &common, d.Config)
	if err != nil || action == process.Done {
		return err
	}
	if err := config.Load(process.Prefix, &common, d.Config); err != nil {
		return err
	}
	if action == process.Check {
		fmt.Fprintf(os.Stdout, "%s: the configuration is valid\n", d.Name)
		return nil
	}
	env := Env{Log: process.Logger(os.Stderr, common.Log), Registry: prometheus.NewRegistry()}
	options := common.NATS.Options(d.Name)
	options.Log, options.Registerer = env.Log, env.Registry
	var needs []string
	if d.Needs != nil {
		needs = d.Needs()
	}
	if env.Bus, err = Reach(ctx, options, needs...); err != nil {
		return err
	}
	defer env.Bus.Close()
	part, err := d.Part(env)
	if err != nil {
		return err
	}
	addr := common.HTTPAddr
	if addr == "" {
		addr = d.Addr
	}
	return process.Run(ctx, process.Options{
		Name: d.Name, Log: env.Log, HTTPAddr: addr, Registry: env.Registry, Parts: []process.Part{part},
	})
}

// lookAgain is the pause between two attempts to reach a server that is not there yet.
const lookAgain = time.Second

// Reach connects and checks that streams and consumers are there. What is missing is waited for until ctx is done:
// in a stack that is starting it appears in a moment, and elsewhere the log says what to do.
func Reach(ctx context.Context, o bus.Options, consumers ...string) (*bus.Bus, error) {
	return waitFor(ctx, o, func(b *bus.Bus) error { return b.Check(ctx, consumers...) })
}

// Connect connects to a server as soon as there is one.
func Connect(ctx context.Context, o bus.Options) (*bus.Bus, error) {
	return waitFor(ctx, o, func(*bus.Bus) error { return nil })
}

func waitFor(ctx context.Context, o bus.Options, good func(*bus.Bus) error) (*bus.Bus, error) {
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	said := ""
	for {
		b, err := attempt(ctx, o, good)
		if err == nil || ctx.Err() != nil {
			return b, err
		}
		if err.Error() != said && o.Log != nil {
			o.Log.Warn("waiting for NATS", "error", err)
			said = err.Error()
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

func attempt(ctx context.Context, o bus.Options, good func(*bus.Bus) error) (*bus.Bus, error) {
	b, err := bus.Connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := good(b); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}
