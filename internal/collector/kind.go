package collector

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
	"github.com/bellbuoy/bellbuoy/internal/source/file"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

// kind is one kind of source and how it is opened.
type kind struct {
	name     string
	argument bool     // it is written name:PATH
	counts   bool     // its happenings are all there are, so a service without one has failed 0 times
	recorded bool     // its snapshots have a cluster and a time of their own
	auto     bool     // it is read with SOURCE=auto, if this machine has it
	missing  string   // the reason why its parts are not read where it is left out; empty: its own error
	parts    []string // of schema.Parts that it can read where all goes well; none: whatever its snapshots hold
	check    func(argument string) error
	open     opener
}

// opener opens a source, with what it handed over as its state before.
type opener func(ctx context.Context, o opening) (source.Source, error)

type opening struct {
	argument string
	config   Config
	unasked  bool // nobody named the source, it is one of SOURCE=auto
	log      *slog.Logger
	state    json.RawMessage
}

// kinds is every kind of source there is. Those of SOURCE=auto are read in this order.
func kinds() []kind {
	return []kind{
		{
			name: "docker", counts: true, auto: true, open: openDocker, missing: "no Docker engine here",
			parts: []string{schema.PartServices, schema.PartHealth, schema.PartJobs, schema.PartErrors, schema.PartMachine},
		},
		{
			name: "host", counts: true, auto: true, open: openHost, missing: "this is a container without HOST_ROOT",
			parts: []string{schema.PartServices, schema.PartJobs, schema.PartMachine, schema.PartDisks, schema.PartGPUs, schema.PartGPUErrors},
		},
		{name: "file", argument: true, recorded: true, open: openFile, check: file.Check},
	}
}

func kindOf(name string) (kind, bool) {
	for _, k := range kinds() {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

func (k kind) usage() string {
	if k.argument {
		return k.name + ":PATH"
	}
	return k.name
}

func openDocker(ctx context.Context, o opening) (source.Source, error) {
	c := o.config.Docker
	c.CollectLabels, c.Interval, c.Log = o.config.CollectLabels, o.config.Interval, o.log
	s, err := docker.Open(ctx, c, o.state)
	if err != nil {
		return nil, err // not a nil *docker.Source
	}
	return s, nil
}

func openHost(ctx context.Context, o opening) (source.Source, error) {
	c := o.config.Host
	c.Interval, c.Unasked, c.Log = o.config.Interval, o.unasked, o.log
	s, err := host.Open(ctx, c, o.state)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func openFile(_ context.Context, o opening) (source.Source, error) {
	s, err := file.Open(o.argument)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// automatic names the sources that SOURCE=auto stands for.
func automatic() []string {
	var names []string
	for _, k := range kinds() {
		if k.auto {
			names = append(names, k.name)
		}
	}
	return names
}

// configured makes a reader for each source in cfg, and checks what can be checked before anything runs.
func configured(cfg Config, log *slog.Logger) ([]*reader, error) {
	var all []*reader
	list, optional := cfg.sources()
	for _, s := range list {
		name, argument, _ := strings.Cut(s, ":")
		k, _ := kindOf(name)
		if k.check != nil {
			if err := k.check(argument); err != nil {
				return nil, err
			}
		}
		r := newReader(s, k, opening{argument: argument, config: cfg, unasked: optional, log: log.With("source", s)})
		r.optional = optional
		all = append(all, r)
	}
	return all, nil
}
