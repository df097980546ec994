package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Letter is a dead letter as it is stored. Its ID is its sequence in DEAD, which stays.
type Letter struct {
	ID uint64 `json:"id"`
	DeadLetter
}

// MaxLetters is how many a page has at most.
const MaxLetters = 200

// Letters is a page of the dead letters, the newest first: at most limit of those that were stored before the one with that
// ID (0: from the newest on). total counts all there are; more tells that there are older ones.
func (b *Bus) Letters(ctx context.Context, before uint64, limit int) (page []Letter, total uint64, more bool, err error) {
	s, err := b.stream(ctx, StreamDead)
	if err != nil {
		return nil, 0, false, err
	}
	info, err := s.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		b.forgetStreams() // it may be another one by now
		return nil, 0, false, fmt.Errorf("look at %s: %w", StreamDead, err)
	}
	dropped := map[uint64]bool{}
	for _, seq := range info.State.Deleted {
		dropped[seq] = true
	}
	next := info.State.LastSeq
	if before > 0 {
		next = min(next, before-1)
	}
	for ; next >= max(info.State.FirstSeq, 1); next-- {
		if dropped[next] {
			continue
		}
		if len(page) >= min(limit, MaxLetters) {
			return page, info.State.Msgs, true, nil
		}
		l, err := b.letter(ctx, s, next)
		if errors.Is(err, ErrNotFound) { // dropped meanwhile
			continue
		}
		if err != nil {
			return nil, 0, false, err
		}
		page = append(page, l)
	}
	return page, info.State.Msgs, false, nil
}

// Letter is the dead letter with that ID; ErrNotFound if there is none.
func (b *Bus) Letter(ctx context.Context, id uint64) (Letter, error) {
	s, err := b.stream(ctx, StreamDead)
	if err != nil {
		return Letter{}, err
	}
	return b.letter(ctx, s, id)
}

func (b *Bus) letter(ctx context.Context, s *stream, id uint64) (Letter, error) {
	m, err := s.GetMsg(ctx, max(id, 1))
	if err := b.readError(fmt.Sprintf("dead letter %d", id), err); err != nil {
		return Letter{}, err
	}
	l := Letter{ID: m.Sequence}
	if json.Unmarshal(m.Data, &l.DeadLetter) != nil || l.At.IsZero() {
		l.DeadLetter = DeadLetter{At: m.Time.UTC(), Reason: "it is not readable", Size: len(m.Data)}
	}
	return l, nil
}

// DropLetter takes a dead letter away for good, and overwrites what it said on the disk. That needs the permission to delete
// from DEAD, which no part of Bellbuoy has; without it the error is a Trouble with ErrDenied. Dropping what is not there is
// an error.
func (b *Bus) DropLetter(ctx context.Context, id uint64) error {
	s, err := b.stream(ctx, StreamDead)
	if err != nil {
		return err
	}
	err = b.permitted(ctx, "$JS.API.STREAM.MSG.DELETE."+StreamDead, func(ctx context.Context) error {
		return s.SecureDeleteMsg(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("drop dead letter %d: %w", id, err)
	}
	return nil
}

// MayWrite tells whether the topology lets a part, or People, publish to the subject.
func (b *Bus) MayWrite(part, subject string) bool {
	for _, row := range Streams() {
		for _, s := range row.Subjects {
			for _, writer := range s.Writers {
				if writer == part && matches(b.below(s.Pattern), subject) {
					return true
				}
			}
		}
	}
	return false
}
