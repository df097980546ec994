// Package doctor looks at everything that Bellbuoy stands on and says what is wrong and how to put it right: the
// configuration, the NATS server with its streams and consumers, who works there, the Docker engine, this machine, the
// model, the channels, what is off, and what leaves this machine.
//
// It changes nothing anywhere and sends nothing to people. The connections are made by the packages that own them, as
// in the daemons. Checks run side by side, each within its own deadline, and the findings come in a fixed order. A
// finding names the cause and not what follows from it: what cannot be looked at because of another fault is off.
// Nothing secret is in a finding: of a URL it has scheme and host.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// Level is how bad a finding is.
type Level string

// Levels. Only a fault makes the command fail.
const (
	OK    Level = "ok"
	Warn  Level = "warn"  // works, and will not for long or not as one would want
	Fault Level = "FAULT" // does not work
	Off   Level = "off"   // not configured, or not to be looked at
)

// Areas of findings, in their order.
const (
	AreaConfiguration = "configuration"
	AreaNATS          = "NATS"
	AreaParts         = "parts"
	AreaSources       = "sources"
	AreaMachine       = "machine"
	AreaModel         = "model"
	AreaChannels      = "channels"
	AreaConditions    = "conditions"
	AreaLeaves        = "leaves" // what leaves this machine: Name is the destination's host
)

// Finding is one line of the report.
type Finding struct {
	Area  string `json:"area"`
	Name  string `json:"name"`
	Level Level  `json:"level"`
	What  string `json:"what"`
	Fix   string `json:"fix,omitempty"` // of a fault and of a warning
}

// Options say what is looked at: the configuration of `bellbuoy up` and the daemons.
type Options struct {
	Mistakes []config.Mistake         // of the configuration as a whole
	Unknown  []config.UnknownVariable // variables that nobody reads

	Rules   *detect.Rules // what an analyzer with this configuration judges by; nil: as shipped
	Windows int           // weekly ones of silence that the file of rules has

	NATS    bus.Options
	Named   bool // NATS.URL was configured; else it is where `bellbuoy up` would have its server
	Setup   bus.Setup
	Within  time.Duration    // of each check; 0: 8 s
	Now     func() time.Time // nil: time.Now
	HTTP    string           // host:port of health and metrics; empty: not looked at
	DataDir string           // of `bellbuoy up`; empty: not looked at

	Collects bool           // a collector is configured
	Docker   *docker.Config // nil: no source reads an engine
	Host     bool           // a source reads this machine
	Asked    bool           // the sources are configured, not the default

	LLM     llm.Config
	Webhook webhook.Config // the single one that variables configure
	File    []Channel      // those of the file of channels
	Shadow  bool           // posts are not sent
}

// Channel is one of a file of channels.
type Channel struct {
	Name, Kind string
	Options    any           // a *webhook.Config; the way to any other kind is not looked at
	URL        config.Secret // where its posts go
}

const (
	checkWithin = 8 * time.Second
	maxText     = 400 // bytes of a finding's text
)

type doctor struct {
	Options
}

// check is one of the things that are looked at side by side.
type check struct {
	area, name string
	run        func(context.Context) []Finding
}

// Examine looks at everything. It returns within about Within, whatever hangs; a check that does not heed its deadline,
// such as one on a file system that does not answer, is left behind.
func Examine(ctx context.Context, o Options) []Finding {
	d := &doctor{o}
	if d.Within <= 0 {
		d.Within = checkWithin
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Rules == nil {
		d.Rules = new(detect.Default())
	}
	checks := []check{
		{AreaConfiguration, AreaConfiguration, d.configuration},
		{AreaNATS, "server", d.nats},
		{AreaSources, "docker", d.docker},
		{AreaSources, "host", d.host},
		{AreaMachine, "data", d.data},
		{AreaMachine, "HTTP", d.http},
		{AreaModel, "model", d.model},
	}
	checks = append(checks, d.channels()...)
	checks = append(checks, check{AreaLeaves, "list", d.leaves})
	found := make([][]Finding, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() { found[i] = d.bounded(ctx, c) })
	}
	wg.Wait()
	all := slices.Concat(found...)
	for i, f := range all { // some of it is the words of servers, snapshots and receivers
		all[i].Name, all[i].What = scrub.Line(f.Name, maxText), scrub.Line(f.What, maxText)
	}
	return all
}

// grace is what a check gets beyond its deadline to say what it saw until then.
const grace = 2 * time.Second

func (d *doctor) bounded(ctx context.Context, c check) []Finding {
	ctx, cancel := context.WithTimeout(ctx, d.Within)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() { done <- c.run(ctx) }()
	late := time.NewTimer(d.Within + grace)
	defer late.Stop()
	select {
	case found := <-done:
		return found
	case <-late.C:
		return []Finding{{c.area, c.name, Fault, fmt.Sprintf("no end within %s", d.Within+grace), "look for what hangs there"}}
	}
}

// Faults counts the findings that are faults.
func Faults(all []Finding) int { return count(all, Fault) }

func count(all []Finding, level Level) (n int) {
	for _, f := range all {
		if f.Level == level {
			n++
		}
	}
	return n
}

// apart separates what an error says went wrong from what it says to do, which in this house follows the last "; ".
func apart(err error, otherwise string) (what, fix string) {
	if t, ok := errors.AsType[*bus.Trouble](err); ok {
		return t.Doing + ": " + t.Err.Error(), t.Fix
	}
	text := err.Error()
	if i := strings.LastIndex(text, "; "); i >= 0 {
		return text[:i], text[i+2:]
	}
	return text, otherwise
}

func (d *doctor) configuration(context.Context) []Finding {
	var all []Finding
	for _, m := range d.Mistakes {
		fix := cmp.Or(m.Fix, "set it right: docs/configuration.md says what is allowed")
		all = append(all, Finding{AreaConfiguration, AreaConfiguration, Fault, m.Sentence(), fix})
	}
	for _, u := range d.Unknown {
		fix := "unset it: docs/configuration.md lists those there are"
		if u.Nearest != "" {
			fix = "rename it to " + u.Nearest + ", or unset it"
		}
		all = append(all, Finding{AreaConfiguration, AreaConfiguration, Fault, u.Name + " is set, and nobody reads it", fix})
	}
	if len(all) == 0 {
		all = append(all, Finding{AreaConfiguration, AreaConfiguration, OK, "all variables are known and valid", ""})
	}
	if settings, overrides := len(d.Rules.Changed), len(d.Rules.Overrides); settings+overrides > 0 {
		what := fmt.Sprintf("%s changed for all, %s; `bellbuoy why OBJECT` names the lines that are for it", counted(settings, "setting"), counted(overrides, "override"))
		all = append(all, Finding{AreaConfiguration, "rules", OK, what, ""})
	}
	if d.Windows > 0 {
		what := counted(d.Windows, "weekly window") + " of silence; `bellbuoy silences` says when each holds and what it covers"
		all = append(all, Finding{AreaConfiguration, "windows", OK, what, ""})
	}
	return all
}
