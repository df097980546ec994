package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
)

const maxSnapshots = 256 // clusters

// Snapshots is the newest snapshot of every cluster, read without making a consumer. It stops at 256 clusters.
func (b *Bus) Snapshots(ctx context.Context) ([]Message, error) {
	s, err := b.stream(ctx, StreamContext)
	if err != nil {
		return nil, err
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(b.below("context.*")))
	if err != nil {
		return nil, fmt.Errorf("list the clusters in %s: %w", StreamContext, err)
	}
	var all []Message
	for subject := range info.State.Subjects {
		if len(all) == maxSnapshots {
			break
		}
		m, err := b.last(ctx, s, subject)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return all, err
		}
		all = append(all, s.message(m))
	}
	return all, nil
}

// DeadSince counts the dead letters stored since then, and gives the newest one; its At is empty if there is none. It
// makes no consumer: it looks for the first of them by halving.
func (b *Bus) DeadSince(ctx context.Context, since time.Time) (n uint64, newest DeadLetter, err error) {
	s, err := b.stream(ctx, StreamDead)
	if err != nil {
		return 0, DeadLetter{}, err
	}
	first, err := b.firstSince(ctx, s, since)
	if err != nil {
		return 0, DeadLetter{}, err
	}
	info, err := s.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return 0, DeadLetter{}, fmt.Errorf("look at %s: %w", StreamDead, err)
	}
	n = info.State.LastSeq + 1 - min(first, info.State.LastSeq+1)
	for _, seq := range info.State.Deleted { // those in between that were dropped
		if seq >= first {
			n--
		}
	}
	if n == 0 {
		return 0, DeadLetter{}, nil
	}
	newest, err = b.newestDead(ctx, s)
	return n, newest, err
}

func (b *Bus) newestDead(ctx context.Context, s *stream) (DeadLetter, error) {
	m, err := b.last(ctx, s, b.below("dead.*"))
	if err != nil {
		return DeadLetter{}, err
	}
	var d DeadLetter
	if json.Unmarshal(m.Data, &d) != nil || d.At.IsZero() {
		d = DeadLetter{At: m.Time.UTC(), Reason: "it is not readable"}
	}
	return d, nil
}

// Instance is one process that serves a micro service.
type Instance struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

// moreWithin is how long Instances waits for another answer after each.
const moreWithin = 300 * time.Millisecond

// Instances asks who serves the micro service name, and gives those who answer: the first one within ctx, the others
// within 300 ms of each other. The error is ErrNobody if nobody serves it.
func (b *Bus) Instances(ctx context.Context, name string) ([]Instance, error) {
	subject, err := micro.ControlSubject(micro.PingVerb, name, "")
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", name, err)
	}
	var all []Instance
	err = b.permitted(ctx, subject, func(ctx context.Context) error {
		all, err = b.answers(ctx, subject)
		return err
	})
	return all, err
}

func (b *Bus) answers(ctx context.Context, subject string) ([]Instance, error) {
	inbox, err := b.nc.SubscribeSync(b.nc.NewRespInbox())
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	defer func() { _ = inbox.Unsubscribe() }() // fails only once the connection is gone
	if err := b.nc.PublishRequest(subject, inbox.Subject, nil); err != nil {
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	m, err := inbox.NextMsgWithContext(ctx)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("ask %s: %w", subject, ErrNobody)
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	var all []Instance
	for err == nil {
		var i Instance
		if json.Unmarshal(m.Data, &i) == nil && i.ID != "" {
			all = append(all, i)
		}
		m, err = inbox.NextMsg(moreWithin)
	}
	return all, nil
}
