package host

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

type (
	Unit = unit
	Row  = row
)

const (
	MaxDisks   = maxDisks
	MaxGrowth  = maxGrowth
	TurnLive   = turnLive
	TurnAsleep = turnAsleep
)

// Shown are the mount points worth showing of a mountinfo text.
func Shown(text string) (points []string, more int, err error) {
	all, err := parseMounts(strings.NewReader(text))
	if err != nil {
		return nil, 0, err
	}
	shown, more := worthShowing(all)
	for _, m := range shown {
		points = append(points, m.Point)
	}
	return points, more, nil
}

func Summary(point string, s Space) schema.DiskSummary { return summary(point, s, true) }

func ParseShow(text []byte) []Unit { return parseShow(text) }

func ParseList(text string) ([]Row, error) { return parseList(strings.NewReader(text)) }

func ParseGPUs(text []byte) ([]schema.GPUSummary, error) { return parseGPUs(text) }

func ParseJournal(text []byte) []string { return parseJournal(text) }

func Stamp(s string) time.Time { return stamp(s) }

// Looked makes what is known of units that were all asked about in the given readings.
func Looked(units []Unit, reading func(i int) int) map[string]looked {
	known := map[string]looked{}
	for i, u := range units {
		known[u.ID] = looked{u, row{u.ID, u.Load, u.Active, u.Sub}, reading(i)}
	}
	return known
}

func Due(rows []Row, known map[string]looked, restless ...string) []string {
	return due(rows, known, func(id string) bool { return slices.Contains(restless, id) })
}

// Story compares readings of units one after another, by one memory that is written and read again in between, as by
// collectors that are started anew.
type Story struct {
	state json.RawMessage
	t     interface{ Fatal(...any) }
}

func NewStory(t interface{ Fatal(...any) }) *Story { return &Story{t: t} }

// Tell gives what happened, and the summaries by name.
func (s *Story) Tell(now time.Time, units ...Unit) ([]source.Happening, map[string]schema.ServiceSummary) {
	m, err := recall(s.state, "m1")
	if err != nil {
		s.t.Fatal(err)
	}
	shown, happened := m.compare(units, now)
	services := map[string]schema.ServiceSummary{}
	for _, u := range shown {
		sum, _ := summarize(&u, m.Units[u.ID], "m1", now)
		services[sum.Name] = sum
	}
	if s.state, err = json.Marshal(m); err != nil {
		s.t.Fatal(err)
	}
	return happened, services
}

// BePatient lets commands take as long as a busy machine needs for them.
func (s *Source) BePatient() {
	s.WaitFor(time.Minute)
	s.Bound(time.Minute)
}

// WaitFor is how long a reading waits for each of its commands. It is to be set before the first.
func (s *Source) WaitFor(each time.Duration) {
	s.gpus.patience, s.manager.patience, s.journal.patience = each, each, each
}

// Bound is how long a reading waits for all that it asks.
func (s *Source) Bound(all time.Duration) { s.patience = all }

// Slot runs one call at a time.
type Slot struct{ slot slot[int] }

func (s *Slot) Start(do func() int) { s.slot.start(do) }

func (s *Slot) Wait(ctx context.Context) (int, bool) { return s.slot.wait(ctx) }

// HangDisks makes every question to a file system wait for release, and counts them.
func (s *Source) HangDisks(release <-chan struct{}, asked func(path string)) {
	s.disks.ask = func(path string) (Space, error) {
		asked(path)
		<-release
		return Space{Total: 100, Free: 50, Available: 50}, nil
	}
}
