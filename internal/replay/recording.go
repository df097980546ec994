package replay

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/file"
)

// Recording is a file of snapshots, one a line.
type Recording struct {
	Path    string
	SkipBad func(error) // is told of each line that is no valid snapshot, and the line is left out; nil: the first one ends it
	Start   time.Time   // when the first snapshot of a cluster was taken, if its line does not say
}

// line is one snapshot of a recording.
type line struct {
	number   int
	snapshot schema.ClusterContext
	at       time.Duration // in the course of the recording, from its first line
}

// each hands every line on, in their order. A snapshot without a time was taken an interval after the one before.
func (r Recording) each(do func(line) error) error {
	f, err := file.Open(r.Path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	c := course{clusters: map[string]front{}, start: r.Start}
	for {
		s, err := f.Next()
		if err == nil && s.ClusterName == schema.OwnCluster {
			err = &file.BadLine{Path: r.Path, Line: f.Line(), Err: fmt.Errorf("%q is the cluster of Bellbuoy itself, which nobody publishes", s.ClusterName)}
		}
		switch bad := new(file.BadLine); {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad) && r.SkipBad != nil:
			r.SkipBad(err)
		case errors.As(err, &bad):
			return fmt.Errorf("%w: --skip-bad leaves such lines out", err)
		case err != nil:
			return err
		default:
			if err = do(line{number: f.Line(), at: c.take(&s), snapshot: s}); err != nil {
				return err
			}
		}
	}
}

// course tells when in a recording its lines come: when they were stored, where they say so. Otherwise, in each cluster time goes on as its newest taken_at does: a snapshot
// that came late takes none, and a clock that was set back begins anew from there.
type course struct {
	start    time.Time
	origin   time.Time // of the times of storing
	at       time.Duration
	clusters map[string]front
}

// front is how far a cluster has come.
type front struct {
	taken time.Time
	at    time.Duration
}

// anew is how many intervals older than the newest a snapshot is that was not late, but taken by a clock set back: as
// many as detection takes for that.
const anew = 8

// take gives the place of s, and s a time if it has none.
func (c *course) take(s *schema.ClusterContext) time.Duration {
	f, known := c.clusters[s.ClusterName]
	if !known {
		f = front{taken: cmp.Or(s.TakenAt, c.start), at: c.at}
	}
	switch {
	case s.TakenAt.IsZero() && known:
		s.TakenAt = f.taken.Add(s.Interval())
	case s.TakenAt.IsZero():
		s.TakenAt = f.taken
	}
	switch step := s.TakenAt.Sub(f.taken); {
	case step <= -anew*s.Interval():
		f = front{taken: s.TakenAt, at: f.at + s.Interval()}
	case step > 0:
		f = front{taken: s.TakenAt, at: f.at + step}
	}
	if !s.StoredAt.IsZero() {
		if c.origin.IsZero() {
			c.origin = s.StoredAt.Add(-c.at)
		}
		f.at = max(c.at, s.StoredAt.Sub(c.origin))
	}
	c.clusters[s.ClusterName] = f
	c.at = max(c.at, f.at)
	return c.at
}
