package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// stream is a handle on a stream of the topology, good until the connection is made anew or the stream is found gone.
type stream struct {
	jetstream.Stream
	epoch      time.Time // when the stream was created
	reconnects uint64    // of the connection when the handle was made
}

func (b *Bus) stream(ctx context.Context, name string) (*stream, error) {
	reconnects := b.nc.Stats().Reconnects
	b.mu.Lock()
	s := b.streams[name]
	b.mu.Unlock()
	if s != nil && s.reconnects == reconnects {
		return s, nil
	}
	handle, err := b.js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fmt.Errorf("open stream %s: %w: run `bellbuoy setup`", name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", name, err)
	}
	s = &stream{Stream: handle, epoch: handle.CachedInfo().Created.UTC(), reconnects: reconnects}
	b.mu.Lock()
	b.streams[name] = s
	b.mu.Unlock()
	return s, nil
}

func (b *Bus) forgetStreams() {
	b.mu.Lock()
	clear(b.streams)
	b.mu.Unlock()
}

// last is the newest message of filter; ErrNotFound if there is none.
func (b *Bus) last(ctx context.Context, s *stream, filter string) (*jetstream.RawStreamMsg, error) {
	m, err := s.GetLastMsgForSubject(ctx, filter)
	return m, b.readError(filter, err)
}

// from is the first message of filter at or after seq; ErrNotFound if there is none.
func (b *Bus) from(ctx context.Context, s *stream, filter string, seq uint64) (*jetstream.RawStreamMsg, error) {
	m, err := s.GetMsg(ctx, max(1, seq), jetstream.WithGetMsgSubject(filter))
	return m, b.readError(filter, err)
}

func (b *Bus) readError(filter string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("read %s: %w", filter, ErrNotFound)
	}
	b.forgetStreams() // it may be another one by now
	return fmt.Errorf("read %s: %w", filter, err)
}

func (s *stream) message(m *jetstream.RawStreamMsg) Message {
	return Message{
		Subject: m.Subject, Data: m.Data, Event: m.Header.Get(EventHeader),
		Seq: m.Sequence, At: m.Time.UTC(), Epoch: s.epoch,
	}
}
