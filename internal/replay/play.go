package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Live is a replay into whatever runs on a bus.
//
// Snapshots are published at Speed times their own pace, under a name of their own, so that the memory of a cluster that is
// watched is not disturbed. All their times are moved by one length, such that the last one is taken when it is
// published: holds run on those times and need no other change, and no time lies in the future. When the course is over,
// or ctx is done, each cluster says goodbye, so that nobody misses it. What is open then stays open.
type Live struct {
	Recording
	Speed float64 // 0: 1
	As    string  // the cluster's name; empty: its own and "-replay". Only for a recording of one cluster
}

// suffix makes the name of a replayed cluster.
const suffix = "-replay"

// Plan is what a live replay is going to publish.
type Plan struct {
	Snapshots int           `json:"snapshots"`
	Clusters  []string      `json:"clusters"` // as they are published, sorted
	Course    time.Duration `json:"-"`        // as recorded
	Takes     time.Duration `json:"-"`
	Seconds   float64       `json:"takes_seconds"`

	names       map[string]string // published names by recorded ones
	first, last time.Time         // the first snapshot's taken_at, and the newest of all
}

// Published is one snapshot that was published.
type Published struct {
	Line    int       `json:"line"` // 0: a goodbye
	Cluster string    `json:"cluster"`
	TakenAt time.Time `json:"taken_at"` // as published
	Seq     uint64    `json:"seq"`
}

// Run plays the recording. It reads all of it before it publishes anything: planned is told what is to come, and a bad
// line ends it there. Then said is told of each snapshot. Without an analyzer, or where a cluster of the name is there
// already, it publishes nothing. It ends without an error when ctx is done.
func (l Live) Run(ctx context.Context, b *bus.Bus, planned func(Plan), said func(Published)) error {
	if l.Speed == 0 {
		l.Speed = 1
	}
	plan, err := l.plan()
	if err != nil {
		return err
	}
	if _, err := client.New(b).List(ctx, client.ListRequest{Limit: 1}); err != nil {
		return err
	}
	p := &performance{Live: l, bus: b, plan: plan, said: said, newest: map[string]schema.ClusterContext{}, began: time.Now().UTC()}
	p.shift = p.began.Add(plan.Takes).Sub(plan.last)
	if err := p.alone(ctx); err != nil {
		return err
	}
	planned(plan)
	l.SkipBad = l.quietly()
	p.Live = l
	err = l.each(func(x line) error { return p.publish(ctx, x) })
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, p.goodbye(ctx))
}

// quietly leaves bad lines out the second time too, but they have been told of.
func (l Live) quietly() func(error) {
	if l.SkipBad == nil {
		return nil
	}
	return func(error) {}
}

// plan reads the recording from end to end.
func (l Live) plan() (Plan, error) {
	p := Plan{names: map[string]string{}}
	tokens := map[string]string{}
	err := l.each(func(x line) error {
		s := &x.snapshot
		if p.Snapshots == 0 {
			p.first = s.TakenAt
		}
		p.Snapshots++
		p.Course = x.at
		if s.TakenAt.After(p.last) {
			p.last = s.TakenAt
		}
		if p.names[s.ClusterName] != "" {
			return nil
		}
		name, err := l.name(s.ClusterName, len(p.names))
		if err != nil {
			return err
		}
		if other, taken := tokens[schema.Token(name)]; taken {
			return fmt.Errorf("replay %s: the clusters %q and %q make the same subject", l.Path, other, name)
		}
		p.names[s.ClusterName], tokens[schema.Token(name)] = name, name
		return nil
	})
	if err == nil && p.Snapshots == 0 {
		err = fmt.Errorf("replay %s: there is no snapshot in it", l.Path)
	}
	p.Clusters = slices.Sorted(maps.Values(p.names))
	if takes := float64(p.Course) / l.Speed; takes < math.MaxInt64 {
		p.Takes = time.Duration(takes)
	} else if err == nil {
		err = fmt.Errorf("replay %s: %v take too long at that speed", l.Path, p.Course)
	}
	p.Seconds = p.Takes.Seconds()
	return p, err
}

func (l Live) name(recorded string, others int) (string, error) {
	name := recorded + suffix
	switch {
	case l.As != "" && others > 0:
		return "", fmt.Errorf("replay %s: it has several clusters, which cannot all be called %q: leave --as out", l.Path, l.As)
	case l.As != "":
		name = l.As
	}
	if name == schema.OwnCluster {
		return "", fmt.Errorf("replay %s: %q is the cluster of Bellbuoy itself: choose another name", l.Path, name)
	}
	if len(name) > schema.MaxName {
		return "", fmt.Errorf("replay %s: %q is longer than the %d bytes allowed: choose a name with --as", l.Path, name, schema.MaxName)
	}
	return name, nil
}

// performance is a Live that plays.
type performance struct {
	Live
	bus    *bus.Bus
	plan   Plan
	said   func(Published)
	began  time.Time
	shift  time.Duration
	newest map[string]schema.ClusterContext // published, by cluster
}

// alone makes sure that nobody publishes the clusters, and that none has a memory from a replay that came further in time:
// what is older would be dropped, or taken for a clock that was set back.
func (p *performance) alone(ctx context.Context) error {
	for _, name := range p.plan.Clusters {
		m, err := p.bus.LastContext(ctx, name)
		if errors.Is(err, bus.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		s, err := schema.DecodeContext(m.Data)
		switch begins := p.plan.first.Add(p.shift); {
		case err != nil || !s.Over():
			return fmt.Errorf("replay %s: there is a cluster %q, and its detection must not be disturbed: choose another name with --as", p.Path, name)
		case s.TakenAt.After(begins):
			return fmt.Errorf("replay %s: an earlier replay as %q went on until %s, and this one would begin at %s: choose another name with --as",
				p.Path, name, s.TakenAt.Format(time.DateTime), begins.Format(time.DateTime))
		}
	}
	return nil
}

// publish waits until the line's time has come and publishes it. Its error is ctx's, or of publishing.
func (p *performance) publish(ctx context.Context, x line) error {
	due := time.NewTimer(time.Until(p.began.Add(time.Duration(float64(x.at) / p.Speed))))
	defer due.Stop()
	select {
	case <-due.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	s := shifted(x.snapshot, p.shift)
	s.ClusterName, s.Recorded = p.plan.names[s.ClusterName], true
	err := p.send(ctx, x.number, s)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("replay %s:%d: %w", p.Path, x.number, err)
	}
	if !s.TakenAt.Before(p.newest[s.ClusterName].TakenAt) {
		p.newest[s.ClusterName] = s
	}
	return ctx.Err()
}

func (p *performance) send(ctx context.Context, number int, s schema.ClusterContext) error {
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the snapshot: %w", err)
	}
	seq, err := p.bus.Publish(ctx, p.bus.Subjects().Context(s.ClusterName), body, "")
	if err != nil {
		return err
	}
	p.said(Published{Line: number, Cluster: s.ClusterName, TakenAt: s.TakenAt, Seq: seq})
	return nil
}

// goodbyeWithin is how long the goodbyes of a replay that was called off may take.
const goodbyeWithin = 5 * time.Second

// goodbye says of every cluster that this was all of it, also when ctx is done.
func (p *performance) goodbye(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeWithin)
	defer cancel()
	var failed error
	for _, name := range slices.Sorted(maps.Keys(p.newest)) {
		s := p.newest[name]
		s.Goodbye, s.Source = true, schema.SourceTest
		if err := p.send(ctx, 0, s); err != nil {
			failed = errors.Join(failed, fmt.Errorf("say goodbye for %s: %w", name, err))
		}
	}
	return failed
}
