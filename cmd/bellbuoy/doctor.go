package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/embed"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

func doctorCommand() command {
	var asJSON bool
	return command{
		name: "doctor", args: "[--json]", about: "what is wrong with this configuration and what it stands on, each with its fix; changes nothing",
		flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("doctor", "[--json]")
			}
			return examine(ctx, out, asJSON)
		},
	}
}

func examine(ctx context.Context, out io.Writer, asJSON bool) error {
	options, err := doctorOptions()
	if err != nil {
		return err
	}
	found := doctor.Examine(ctx, options)
	if channels, shadow := doctor.Shadowed(found); shadow && asJSON {
		console.New(os.Stderr, console.Options{}).Shadow(channels) // a list of JSON has no place for it
	} else if shadow {
		printer(out).Shadow(channels)
	}
	if asJSON {
		err = printJSON(out, found)
	} else {
		err = doctor.Print(out, found, printer(out).Width())
	}
	if err == nil && doctor.Faults(found) > 0 {
		err = fmt.Errorf("doctor: %s", doctor.Summary(found))
	}
	return err
}

// doctorOptions reads what `up` and the daemons read. What is wrong with it is for the doctor to tell.
func doctorOptions() (doctor.Options, error) {
	var cfg upConfig
	var wrong *config.Error
	if err := config.Load(process.Prefix, &cfg); err != nil && !errors.As(err, &wrong) {
		return doctor.Options{}, err
	}
	o := doctor.Options{
		Unknown: config.Unknown(process.Prefix, cfg), NATS: cfg.NATS.Options("bellbuoy"), Named: cfg.NATS.URL != "",
		Setup:    bus.Setup{Channels: notifier.Channels(cfg.Notifier), LLMConcurrency: cfg.Analyzer.Calls.Concurrency},
		HTTP:     cmp.Or(cfg.HTTPAddr, upHTTPAddr),
		Collects: cfg.Collector.Collects(), Asked: !slices.Equal(cfg.Collector.Source, []string{"auto"}),
		LLM: cfg.Analyzer.LLM, Webhook: cfg.Notifier.Webhook, File: ofFile(cfg.Notifier), Shadow: cfg.Notifier.Notify == notifier.NotifyShadow,
	}
	if wrong != nil {
		o.Mistakes = wrong.Mistakes
	}
	if file, err := cfg.Analyzer.Rules.Contents(); err == nil { // else it is among the mistakes
		o.Rules, o.Windows = &file.Rules, len(file.Windows)
	}
	if cfg.Collector.Reads("docker") {
		o.Docker = &docker.Config{}
	}
	o.Host = cfg.Collector.Reads("host")
	return o, ownServer(&o, cfg)
}

// ownServer fills in where `bellbuoy up` has the server that it starts when none is named.
func ownServer(o *doctor.Options, cfg upConfig) error {
	if o.Named {
		return nil
	}
	o.DataDir = cfg.Server.DataDir
	if o.DataDir == "" {
		dir, err := stateDir()
		if err != nil {
			return err
		}
		o.DataDir = dir
	}
	host, port, err := net.SplitHostPort(cmp.Or(cfg.Server.Listen, embed.DefaultListen))
	if err != nil {
		o.Mistakes = append(o.Mistakes, config.Mistake{Name: "BELLBUOY_NATS_LISTEN", Value: cfg.Server.Listen, Problem: "is not host:port"})
		return nil //nolint:nilerr // it is told as a mistake
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	o.NATS.URL = "nats://" + net.JoinHostPort(host, port)
	return nil
}

// ofFile is what the doctor looks at of a file of channels; none, if there is none or it cannot be read.
func ofFile(cfg notifier.Config) []doctor.Channel {
	declared, err := notifier.Declared(cfg)
	if err != nil || cfg.ChannelsFile == "" {
		return nil
	}
	var all []doctor.Channel
	for _, c := range declared {
		all = append(all, doctor.Channel{Name: c.Name, Kind: c.Kind, Options: c.Options, URL: notifier.URL(c)})
	}
	return all
}
