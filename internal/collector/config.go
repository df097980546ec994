package collector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

// Config is what a collector can be told. Its zero value watches what the machine has.
type Config struct {
	Cluster       string        `env:"CLUSTER" unset:"the host's name; with one file as the only source, the name that its lines say" desc:"Name of the cluster that snapshots are about."`
	Source        []string      `env:"SOURCE" default:"auto" desc:"What to read, a list of: docker, host (this machine and its units), file:PATH (JSON Lines of snapshots). auto: all that this machine has of them but files; what it has not is left out, and looked for again. none: nothing, somebody else publishes snapshots."`
	Interval      time.Duration `env:"INTERVAL" default:"15s" desc:"Time between two snapshots, at least 1s."`
	CollectLabels []string      `env:"COLLECT_LABELS" default:"team,owner,tier,runbook" desc:"Labels of containers that are taken over into snapshots; those that begin with bellbuoy. always are."`

	// Docker and Host say where those sources look, and no variable sets them: their zero values read this machine.
	// Their intervals, labels and logs are the collector's.
	Docker docker.Config
	Host   host.Config
}

// Names in Config.Source that are not a kind of source.
const (
	auto = "auto" // all that this machine has
	none = "none" // no collector
)

// MinInterval is the shortest time allowed between two snapshots.
const MinInterval = time.Second

// ErrNone is in the error of New when the configuration wants no collector.
var ErrNone = errors.New("the configured source is none, so there is nothing to collect")

// Collects tells whether the configuration wants a collector at all.
func (c Config) Collects() bool { return !slices.Equal(c.Source, []string{none}) }

// Validate lists every mistake, joined, each a config.Mistake.
func (c Config) Validate() error {
	var errs []error
	mistake := func(name, value, problem string) {
		errs = append(errs, config.Mistake{Name: name, Value: value, Problem: problem})
	}
	if c.Interval != 0 && c.Interval < MinInterval {
		mistake("INTERVAL", c.Interval.String(), "is shorter than the shortest interval, "+MinInterval.String())
	}
	if len(c.Cluster) > schema.MaxName {
		mistake("CLUSTER", c.Cluster, fmt.Sprintf("is longer than %d bytes", schema.MaxName))
	}
	if c.Cluster == schema.OwnCluster {
		mistake("CLUSTER", c.Cluster, "is reserved for what Bellbuoy says of itself")
	}
	for i, s := range c.Source {
		if problem := c.problem(i, s); problem != "" {
			mistake("SOURCE", s, problem)
		}
	}
	return errors.Join(errs...)
}

// problem says what is wrong with the i-th source of the list.
func (c Config) problem(i int, s string) string {
	name, argument, _ := strings.Cut(s, ":")
	switch {
	case slices.Contains(c.Source[:i], s):
		return "is listed twice"
	case s == none || s == auto:
		if len(c.Source) > 1 {
			return "stands alone or not at all"
		}
		return ""
	}
	k, found := kindOf(name)
	switch {
	case !found || !k.argument && s != name:
		return "is no source that this version has; there are " + strings.Join(known(), ", ")
	case k.argument && argument == "":
		return "lacks its argument: " + k.usage()
	}
	return ""
}

// known lists what Config.Source may hold.
func known() []string {
	names := []string{auto}
	for _, k := range kinds() {
		names = append(names, k.usage())
	}
	return append(names, none)
}

// withDefaults fills what is not set.
func (c Config) withDefaults() Config {
	if c.Interval == 0 {
		c.Interval = schema.DefaultInterval
	}
	if len(c.Source) == 0 {
		c.Source = []string{auto}
	}
	return c
}

// Reads tells whether the kind of source is among those to be read.
func (c Config) Reads(kind string) bool {
	list, _ := c.withDefaults().sources()
	return slices.Contains(list, kind)
}

// sources lists what to read. optional: those that this machine does not have are left out.
func (c Config) sources() (list []string, optional bool) {
	if slices.Equal(c.Source, []string{auto}) {
		return automatic(), true
	}
	return c.Source, false
}
