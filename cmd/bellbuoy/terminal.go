package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

const (
	// firstLook is how long `up` waits for the first snapshot before it goes on to what is open.
	firstLook = 8 * time.Second
	// lookAgain is the pause between two looks for it.
	lookAgain = 100 * time.Millisecond
)

// terminal is the part of `up` that talks to whoever started it: what is watched, what is open, then every event.
func terminal(out io.Writer, cfg upConfig, b *bus.Bus, url string, log *slog.Logger) process.Part {
	began := time.Now()
	return process.Part{Name: "terminal", Run: func(ctx context.Context) error {
		return beside(ctx, log, func() error { return tellTerminal(ctx, out, cfg, b, url, began) })
	}}
}

// beside runs what only shows what others do: if it fails, they go on without it. A terminal may be gone, a disk full.
func beside(ctx context.Context, log *slog.Logger, show func() error) error {
	failed := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("%v", p)
			}
		}()
		return show()
	}()
	if failed != nil && ctx.Err() == nil {
		log.Error("events are not printed here any more; alerting goes on, see bellbuoy watch", "error", failed)
	}
	<-ctx.Done()
	return nil
}

func tellTerminal(ctx context.Context, out io.Writer, cfg upConfig, b *bus.Bus, url string, began time.Time) error {
	p, c, w := printer(out), client.New(b), welcome(cfg, url)
	if cfg.Collector.Collects() {
		w.Overview = look(ctx, c, cfg.Collector, began)
	}
	if ctx.Err() != nil {
		return nil
	}
	p.Welcome(w)
	if w.Overview != nil {
		p.Alone(w.Overview.Cluster)
	}
	return watch(ctx, c, out, p, false)
}

// look is what the first snapshot since began shows, as soon as an analyzer knows it; nil if none comes in time.
func look(ctx context.Context, c *client.Client, cfg collector.Config, began time.Time) *client.Overview {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for ctx.Err() == nil {
		if response, err := c.Why(ctx, ""); err == nil { // an error passes: the analyzer is starting
			if o := fresh(response.Clusters, cfg, began); o != nil {
				return o
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// fresh is the cluster that this process collects, once there is something newer of it than began. A recording has its
// own name and its own time, so that the time of storing counts there.
func fresh(clusters []client.Overview, cfg collector.Config, began time.Time) *client.Overview {
	recorded := len(cfg.Source) == 1 && strings.HasPrefix(cfg.Source[0], "file:")
	for _, o := range clusters {
		ours := o.Cluster == cluster(cfg) || recorded && cfg.Cluster == ""
		if ours && (o.TakenAt.After(began) || o.StoredAt.After(began)) {
			return &o
		}
	}
	return nil
}

// welcome is what `up` says of its configuration.
func welcome(cfg upConfig, url string) console.Welcome {
	w := console.Welcome{
		Version: process.Version(), Waited: firstLook, Auto: slices.Equal(cfg.Collector.Source, []string{"auto"}),
		Channels: notifier.Channels(cfg.Notifier), Shadow: cfg.Notifier.Notify == "shadow", Kept: cfg.Server.DataDir,
	}
	if cfg.Collector.Collects() {
		w.Cluster = cluster(cfg.Collector)
	}
	if llm := cfg.Analyzer.LLM; llm.Enabled() {
		w.Model, w.ModelHost = llm.Model, elsewhere(llm.BaseURL)
	}
	w.ChannelHosts = channelHosts(cfg.Notifier)
	if cfg.NATS.URL != "" {
		w.ServerHost, w.Kept = elsewhere(cfg.NATS.URL), "the NATS server"
	}
	if url != daemon.DefaultURL {
		w.URL = url
	}
	for _, c := range commands() {
		if c.name == "test" {
			w.Try = "bellbuoy test"
		}
	}
	return w
}

// channelHosts names where each channel posts to, if that is elsewhere.
func channelHosts(cfg notifier.Config) []string {
	declared, err := notifier.Declared(cfg)
	if err != nil {
		return nil // it was told at the start
	}
	var all []string
	for _, c := range declared {
		all = append(all, elsewhere(notifier.URL(c).Reveal()))
	}
	return all
}

// elsewhere names the hosts of addresses that are not this machine; empty: they all are.
func elsewhere(addresses string) string { return strings.Join(doctor.Elsewhere(addresses), ", ") }

// cluster is the name that the collector will give what it watches.
func cluster(c collector.Config) string {
	name, err := os.Hostname()
	if err != nil {
		name = "this host"
	}
	return cmp.Or(c.Cluster, name)
}
