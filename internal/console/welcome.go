package console

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Welcome is what `bellbuoy up` says before anything happens: who is watched, what is not alerted on, what is off, who
// is told, what leaves this machine, where things are kept, and what to type.
type Welcome struct {
	Version  string
	Cluster  string           // that the collector watches; empty: nothing collects here
	Overview *client.Overview // by the first snapshot; nil: none came
	Waited   time.Duration    // for that snapshot, in vain
	Auto     bool             // nobody said what to watch

	Model        string   // that diagnoses; empty: the rules alone
	ModelHost    string   // where evidence goes; empty: nowhere
	Channels     []string // besides the terminal
	ChannelHosts []string // where conversations go, hosts only; empty ones are this machine
	ServerHost   string   // of a NATS server that is not this process's; empty: this machine
	Shadow       bool     // nothing is sent

	Kept string // where things are stored
	URL  string // of the server, where it is not the one that everybody looks at; else empty
	Try  string // a command that tries it out; empty: there is none
}

// Welcome prints w.
func (p *Printer) Welcome(w Welcome) {
	if w.Shadow && len(w.Channels) > 0 {
		p.Shadow(w.Channels)
	}
	var b strings.Builder
	p.titled(&b, "bellbuoy "+w.Version+"  ", w.watching())
	for _, r := range w.rows() {
		p.row(&b, r[0], r[1])
	}
	p.whole(&b, "tap", w.typing())
	p.write(b.String())
}

func (w Welcome) rows() [][2]string {
	var rows [][2]string
	if o := w.Overview; o != nil {
		for _, s := range o.Stale {
			rows = append(rows, [2]string{"cannot read", clean(s.Source) + ": " + clean(s.Error)})
		}
		if len(o.Stale) == 0 || len(o.Services) > 0 {
			rows = append(rows, [2]string{"not alerting on", leftOut(o) + gap + "bellbuoy why"})
		}
	}
	if w.withoutEngine() {
		rows = append(rows, [2]string{"no engine", "no Docker engine is here, so only the host itself is watched"})
	}
	return append(
		rows, [2]string{"off", w.off()}, [2]string{"tells", w.tells()},
		[2]string{"leaves this host", w.leaves() + "   ·   kept 90 days in " + w.Kept},
	)
}

// typing is what to type: to tap, to ask, to try.
func (w Welcome) typing() string {
	server, ask := "", ""
	if w.URL != "" {
		server, ask = "-s "+w.URL+" ", "BELLBUOY_NATS_URL="+w.URL+" "
	}
	text := "nats " + server + "sub 'bellbuoy.alerts.>'" + gap + "ask " + ask + "bellbuoy reply ID 'why?'"
	if w.Try != "" {
		text += gap + "try it now: " + ask + w.Try
	}
	return text
}

// watching says of what kind, and how much, is watched.
func (w Welcome) watching() string {
	switch {
	case w.Cluster == "":
		return "watching whatever others publish to bellbuoy.context.*"
	case w.Overview == nil:
		return "watching " + clean(w.Cluster) + ": no snapshot came within " + Span(w.Waited) + ", the warnings say why; going on"
	}
	return "watching " + clean(w.Overview.Cluster) + ": " + strings.Join(sources(w.Overview), " + ")
}

// withoutEngine tells whether the best that was found is the host alone.
func (w Welcome) withoutEngine() bool {
	return w.Auto && w.Overview != nil && w.Overview.Source == "host"
}

// sources names each source with what it sees.
func sources(o *client.Overview) []string {
	var all []string
	for name := range strings.SplitSeq(o.Source, ",") {
		var sees []string
		switch name = strings.TrimSpace(name); name {
		case "docker":
			sees = []string{Count(o.Instances["container"], "container"), Count(o.Namespaces, "project")}
		case "host":
			sees = []string{Count(o.Instances["unit"], "unit"), Count(o.Disks, "disk")}
		default:
			sees = []string{things(o.Services), Count(o.Nodes, "node")}
		}
		if i := slices.IndexFunc(o.Stale, func(s schema.StalePart) bool { return s.Source == name }); i >= 0 {
			sees = []string{"cannot be read"}
		}
		all = append(all, clean(name)+" ("+strings.Join(sees, ", ")+")")
	}
	return all
}

// things counts by the words for what runs: 9 containers and 1 unit.
func things(by map[string]int) string {
	var all []string
	for _, runtime := range slices.Sorted(maps.Keys(by)) {
		if by[runtime] == 0 {
			continue
		}
		word := runtime
		if runtime == "wasm" {
			word = "wasm component"
		}
		all = append(all, Count(by[runtime], clean(word)))
	}
	if len(all) == 0 {
		return "0 services"
	}
	return strings.Join(all, " and ")
}

func sum(by map[string]int) int {
	n := 0
	for _, count := range by {
		n += count
	}
	return n
}

// leftOut sums up what was ended when it was first seen, or on purpose.
func leftOut(o *client.Overview) string {
	words := map[string]string{
		"baseline": "already stopped before now", "by_hand": "stopped by hand", "not_wanted": "not wanted",
	}
	var all []string
	for _, g := range o.Groups {
		if word, ok := words[g.Verdict]; ok && sum(g.Instances) > 0 {
			all = append(all, things(g.Instances)+" "+word)
		}
	}
	switch {
	case len(all) > 0:
		return strings.Join(all, "; ")
	case len(o.Services) == 0 && o.Nodes == 0:
		return "nothing is seen yet"
	}
	return "nothing is left out"
}

// off names the conditions that nothing can raise here, and how to get a model.
func (w Welcome) off() string {
	var all []string
	if w.Overview != nil {
		all = offs(w.Overview.Off)
	}
	if w.Model == "" {
		return strings.Join(append(all, "diagnosis by rules (set BELLBUOY_LLM_BASE_URL and BELLBUOY_LLM_MODEL for a model)"), "   ·   ")
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, "   ·   ")
}

// offs groups conditions by the reason for their being off.
func offs(list []client.Off) []string {
	by := map[string][]string{}
	var reasons []string
	for _, o := range list {
		if by[o.Reason] == nil {
			reasons = append(reasons, o.Reason)
		}
		by[o.Reason] = append(by[o.Reason], o.Condition)
	}
	var all []string
	for _, r := range reasons {
		all = append(all, clean(family(by[r])+": "+r))
	}
	return all
}

// family is names that begin alike as one, gpu_*; else the list.
func family(names []string) string {
	first, _, _ := strings.Cut(names[0], "_")
	for _, n := range names {
		if !strings.HasPrefix(n, first+"_") || len(names) == 1 {
			return strings.Join(names, ", ")
		}
	}
	return first + "_*"
}

func (w Welcome) tells() string {
	switch {
	case len(w.Channels) == 0:
		return "this terminal only (set BELLBUOY_WEBHOOK_URL)"
	case w.Shadow:
		return "this terminal only: BELLBUOY_NOTIFY=shadow keeps from the " + strings.Join(w.Channels, ", ") + " what it would be sent"
	}
	return "the " + strings.Join(w.Channels, ", ") + " and this terminal"
}

func (w Welcome) leaves() string {
	var all []string
	if w.ServerHost != "" {
		all = append(all, "snapshots and conversations to "+clean(w.ServerHost))
	}
	if w.ModelHost != "" {
		all = append(all, fmt.Sprintf("redacted evidence to %s, for %s", clean(w.ModelHost), clean(w.Model)))
	}
	for _, host := range w.ChannelHosts {
		if host != "" && !w.Shadow {
			all = append(all, "conversations to "+clean(host))
		}
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, "; ")
}
