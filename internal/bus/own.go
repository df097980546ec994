package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Fill is how much of what it may keep a stream keeps, in bytes.
type Fill struct {
	Stream       string
	Bytes, Limit int64
}

// Fills looks at every stream that has a limit of bytes.
func (b *Bus) Fills(ctx context.Context) ([]Fill, error) {
	var all []Fill
	for _, row := range Streams() {
		if row.MaxBytes == 0 {
			continue
		}
		s, err := b.stream(ctx, row.Name)
		if err != nil {
			return all, err
		}
		info, err := s.Info(ctx)
		if err != nil {
			b.forgetStreams() // it may be another one by now
			return all, fmt.Errorf("look at %s: %w", row.Name, err)
		}
		if limit := info.Config.MaxBytes; limit > 0 { // what it is set up with; an operator may have changed it
			all = append(all, Fill{Stream: row.Name, Bytes: int64(info.State.Bytes), Limit: limit}) //nolint:gosec // no disk is that large
		}
	}
	return all, nil
}

// Died is what one part or channel has given up lately.
type Died struct {
	Who    string // its token
	Count  int    // of letters
	More   bool   // there are more than Count
	First  time.Time
	Last   time.Time
	Reason string // of the last
}

// maxDied bounds how many letters of one writer are read, and maxDiers of how many writers.
const (
	maxDied  = 50
	maxDiers = 50
)

// Deaths tells who has given up what since then, by name. What could not be told of Bellbuoy itself is left out: it would
// be news of itself for ever.
func (b *Bus) Deaths(ctx context.Context, since time.Time) ([]Died, error) {
	s, err := b.stream(ctx, StreamDead)
	if err != nil {
		return nil, err
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(b.below("dead.*")))
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", StreamDead, err)
	}
	subjects := slices.Sorted(maps.Keys(info.State.Subjects))
	var all []Died
	for _, subject := range subjects[:min(len(subjects), maxDiers)] {
		last, err := b.last(ctx, s, subject)
		if errors.Is(err, ErrNotFound) || err == nil && last.Time.Before(since) {
			continue
		}
		if err != nil {
			return all, err
		}
		d, err := b.died(ctx, s, subject, since)
		if err != nil {
			return all, err
		}
		if d.Count > 0 {
			all = append(all, d)
		}
	}
	return all, nil
}

func (b *Bus) died(ctx context.Context, s *stream, subject string, since time.Time) (Died, error) {
	d := Died{Who: strings.TrimPrefix(subject, b.below("dead."))}
	seq, err := b.firstSince(ctx, s, since)
	for read := 0; err == nil; read++ {
		var m *jetstream.RawStreamMsg
		m, err = b.from(ctx, s, subject, seq)
		switch {
		case errors.Is(err, ErrNotFound):
			return d, nil
		case err != nil:
			return d, err
		case read >= maxDied:
			d.More = true
			return d, nil
		}
		seq = m.Sequence + 1
		var letter DeadLetter
		if json.Unmarshal(m.Data, &letter) != nil {
			letter = DeadLetter{Reason: "it is not readable"}
		}
		if b.ofItself(letter.Subject) {
			continue
		}
		if d.Count++; d.Count == 1 {
			d.First = m.Time.UTC()
		}
		d.Last, d.Reason = m.Time.UTC(), letter.Reason
	}
	return d, err
}

// ofItself tells whether a message is about Bellbuoy's own cluster.
func (b *Bus) ofItself(subject string) bool {
	alert, _, _, err := b.subjects.ParseAlert(subject)
	finding, err2 := b.subjects.ParseFinding(subject)
	own := schema.Token(schema.OwnCluster)
	return err == nil && alert == own || err2 == nil && finding == own
}

// firstSince is the sequence of the first message of a stream that was stored at or after then; one more than the last if
// there is none. It looks by halving.
func (b *Bus) firstSince(ctx context.Context, s *stream, since time.Time) (uint64, error) {
	info, err := s.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("look at %s: %w", StreamDead, err)
	}
	low, high := max(1, info.State.FirstSeq), info.State.LastSeq+1
	for low < high {
		middle := low + (high-low)/2
		m, err := b.from(ctx, s, b.below("dead.*"), middle) // some may have been dropped
		switch {
		case errors.Is(err, ErrNotFound), err == nil && !m.Time.Before(since):
			high = middle
		case err != nil:
			return 0, err
		default:
			low = m.Sequence + 1
		}
	}
	return low, nil
}
