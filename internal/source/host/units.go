package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Namespace is that of all units of a machine, so that Name.Namespace is the unit's whole name. No Compose project can
// have it: the names of those hold no dot.
const Namespace = "systemd.service"

const (
	unitsPatience = 4 * time.Second // for the list and the properties together
	askTogether   = 250             // units that one command line names
)

// errNoSystemd is why nothing is read of units on a machine, or in a container, where systemd is not.
var errNoSystemd = errors.New("systemd does not run here")

// object names the unit as an object of its cluster.
func (u *unit) object() schema.Object {
	return schema.Object{Kind: schema.KindService, Namespace: Namespace, Name: strings.TrimSuffix(u.ID, suffix)}
}

// manager asks systemd.
type manager struct {
	tools    tools
	booted   string // a directory that is there exactly if systemd runs the machine
	slot     slot[listing]
	patience time.Duration // how long the list and the properties may take; 0: unitsPatience
	known    map[string]looked
	reading  int
	at       time.Time // when the newest answer came; zero: never
	err      error     // of that
}

// listing is the outcome of asking.
type listing struct {
	known map[string]looked
	err   error
}

// start begins to ask, unless it is too early to ask again. restless tells which units are to be looked at every time.
func (m *manager) start(life context.Context, now time.Time, every time.Duration, restless func(id string) bool) {
	if within(m.at, now, every) {
		return
	}
	m.reading++
	known, reading := m.known, m.reading
	m.slot.start(func() listing {
		ctx, stop := context.WithTimeout(life, cmp.Or(m.patience, unitsPatience))
		defer stop()
		known, err := m.ask(ctx, known, reading, restless)
		return listing{known, err}
	})
}

// wait gives the units, in the order of their names.
func (m *manager) wait(ctx context.Context, now time.Time) ([]unit, error) {
	if m.slot.out != nil {
		ctx, stop := context.WithTimeout(ctx, cmp.Or(m.patience, unitsPatience))
		defer stop()
		got, ok := m.slot.wait(ctx)
		if !ok {
			return nil, errors.New("ask systemd: no answer in time")
		}
		m.at, m.err = now, got.err
		if got.err == nil {
			m.known = got.known
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	units := make([]unit, 0, len(m.known))
	for _, l := range m.known {
		units = append(units, l.unit)
	}
	slices.SortFunc(units, func(a, b unit) int { return cmp.Compare(a.ID, b.ID) })
	return units, nil
}

// ask lists all units and asks about those that are due. It changes nothing of known, which is given back anew.
func (m *manager) ask(ctx context.Context, known map[string]looked, reading int, restless func(id string) bool) (map[string]looked, error) {
	file, found := m.tools.find("systemctl")
	if _, err := os.Stat(m.booted); err != nil || !found {
		return nil, errNoSystemd
	}
	text, err := m.tools.run(ctx, file, "list-units", "--type=service", "--all", "--plain", "--full", "--no-legend", "--no-pager")
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	rows, err := parseList(strings.NewReader(string(text)))
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	asked := map[string]unit{}
	for ids := range slices.Chunk(due(rows, known, restless), askTogether) {
		args := []string{"show", "--no-pager", "--property=" + properties(), "--"}
		text, err := m.tools.run(ctx, file, append(args, ids...)...)
		if err != nil {
			return nil, fmt.Errorf("ask about units: %w", err)
		}
		for _, u := range parseShow(text) {
			asked[u.ID] = u
		}
	}
	return merge(rows, known, asked, reading), nil
}

// merge puts together what is known of the units that are listed.
func merge(rows []row, known map[string]looked, asked map[string]unit, reading int) map[string]looked {
	now := make(map[string]looked, len(rows))
	for _, r := range rows {
		if u, ok := asked[r.ID]; ok {
			// The row as it is by now, so that a change since the list was made is looked at next time.
			now[r.ID] = looked{u, row{u.ID, u.Load, u.Active, u.Sub}, reading}
		} else if have, ok := known[r.ID]; ok && r.Load == loaded {
			now[r.ID] = have
		}
	}
	return now
}

// summarize describes a unit.
func summarize(u *unit, k *kept, node string, now time.Time) (schema.ServiceSummary, verdict) {
	v := judge(u, k.baseline(u), now)
	o := u.object()
	s := schema.ServiceSummary{
		Name: o.Name, Namespace: o.Namespace, Runtime: "unit", ReplicasRunning: v.Running, ReplicasDesired: new(0),
		NotWanted: v.Reason, Status: status(v), DependsOn: needs(u),
	}
	if v.Wanted {
		s.ReplicasDesired = new(1)
	}
	if u.job() && !v.Baseline {
		s.Job = cmp.Or(v.Job, k.Job)
	}
	if u.Active == failed && !v.Baseline {
		s.LastFailure = u.failure() // it knows by now whether systemd gave up
	}
	if u.running() {
		s.Nodes, s.MemoryBytes, s.MemoryLimit = []string{node}, u.Memory, u.MemoryLimit
	}
	s.Instances = []schema.Instance{{Name: u.ID, Node: node, State: u.Sub, StartedAt: u.StartedAt, Restarts: new(u.Restarts)}}
	return s, v
}

func status(v verdict) string {
	switch {
	case v.Running == nil:
		return schema.ServiceDegraded
	case *v.Running == 0:
		return schema.ServiceStopped
	}
	return schema.ServiceHealthy
}

// needs are the units that this one cannot be without, by their names.
func needs(u *unit) []string {
	var names []string
	for _, id := range u.Requires {
		if name, service := strings.CutSuffix(id, suffix); service && validUnit(id) {
			names = append(names, name)
		}
	}
	return names
}

// booted is where systemd leaves its mark, below the machine's /run.
func booted(run string) string { return filepath.Join(cmp.Or(run, "/run"), "systemd", "system") }
