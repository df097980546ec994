package collector

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
	"github.com/bellbuoy/bellbuoy/internal/source/file"
)

// kind is one kind of source and how it is opened.
type kind struct {
	name     string
	argument bool // it is written name:PATH
	counts   bool // its happenings are all there are, so a service without one has failed 0 times
	recorded bool // its snapshots have a cluster and a time of their own
	check    func(argument string) error
	open     opener
}

// opener opens a source, with what it handed over as its state before.
type opener func(ctx context.Context, o opening) (source.Source, error)

type opening struct {
	argument string
	config   Config
	log      *slog.Logger
	state    json.RawMessage
}

// kinds is every kind of source there is.
func kinds() []kind {
	return []kind{
		{name: "docker", counts: true, open: openDocker},
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
	s, err := docker.Open(ctx, docker.Config{
		CollectLabels: o.config.CollectLabels, Interval: o.config.Interval, Log: o.log,
	}, o.state)
	if err != nil {
		return nil, err // not a nil *docker.Source
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

// configured makes a reader for each source in cfg, and checks what can be checked before anything runs.
func configured(cfg Config, log *slog.Logger) ([]*reader, error) {
	var all []*reader
	for _, s := range cfg.Source {
		name, argument, _ := strings.Cut(s, ":")
		k, _ := kindOf(name)
		if k.check != nil {
			if err := k.check(argument); err != nil {
				return nil, err
			}
		}
		all = append(all, newReader(s, k, opening{argument: argument, config: cfg, log: log.With("source", s)}))
	}
	return all, nil
}
