package bus

import (
	"context"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// Follow hands to each the newest state of every conversation whose subject matches filter, then every event as it
// is stored; all in stream order, valid messages only. A conversation that changed its severity comes once more for
// each former one, before its newest state. caughtUp, unless nil, is called once, when what was there at the
// beginning is through. Follow survives lost connections without gap or repetition; if the stream was made anew
// meanwhile, it begins again with the newest states. It returns nil after ctx is done, and each's error.
func (b *Bus) Follow(ctx context.Context, filter string, caughtUp func(), each func(Head) error) error {
	return b.follow(ctx, StreamAlerts, filter, caughtUp, func(m jetstream.Msg, meta *jetstream.MsgMetadata, _ *stream) error {
		h, err := b.readHead(m.Subject(), m.Headers(), m.Data(), meta.Sequence.Stream)
		if err != nil {
			b.skip(m.Subject(), meta.Sequence.Stream, err)
			return nil
		}
		return each(h)
	})
}

// FollowContexts hands to each the newest snapshot of the cluster, or of every cluster if that is empty, then every
// snapshot as it is stored, in stream order, as Follow does. What is superseded before it can be read is not seen.
func (b *Bus) FollowContexts(ctx context.Context, cluster string, caughtUp func(), each func(Message) error) error {
	filter := b.below("context.*")
	if cluster != "" {
		filter = b.subjects.Context(cluster)
	}
	return b.follow(ctx, StreamContext, filter, caughtUp, func(m jetstream.Msg, meta *jetstream.MsgMetadata, s *stream) error {
		return each(delivered(m, meta, s.epoch))
	})
}

func (b *Bus) follow(ctx context.Context, stream, filter string, caughtUp func(), take taker) error {
	f := &following{bus: b, stream: stream, filter: filter, take: take, caughtUp: sync.OnceFunc(func() {
		if caughtUp != nil {
			caughtUp()
		}
	})}
	for ctx.Err() == nil {
		if err := f.session(ctx); err != nil {
			b.log.Warn("following a stream was interrupted; going on", "stream", stream, "err", err)
			b.forgetStreams() // it may be another one by now, whose sequences begin anew
			pause(ctx, reopenAfter)
		}
		if f.failed != nil {
			return f.failed
		}
	}
	return nil
}

type taker func(m jetstream.Msg, meta *jetstream.MsgMetadata, s *stream) error

type following struct {
	bus      *Bus
	stream   string
	filter   string
	caughtUp func()
	take     taker
	failed   error // what take returned

	of   *stream // that after counts in
	seen uint64  // the newest sequence handed on
}

// session follows until ctx is done, the connection is made anew, or something fails.
func (f *following) session(ctx context.Context) error {
	in, cancel := f.bus.inSession(ctx)
	defer cancel()
	s, err := f.bus.stream(in, f.stream)
	if err != nil {
		return err
	}
	if f.of == nil || !f.of.epoch.Equal(s.epoch) {
		f.seen = 0
	}
	f.of = s
	r, err := f.bus.read(in, s, f.filter, f.seen)
	if err != nil {
		return err
	}
	defer r.close()
	if r.pending == 0 {
		f.caughtUp()
	}
	for f.failed == nil && in.Err() == nil {
		if err := f.step(in, r); err != nil && in.Err() == nil {
			return err
		}
	}
	return nil
}

func (f *following) step(ctx context.Context, r *reader) error {
	m, meta, err := r.next(ctx)
	if err != nil {
		return fmt.Errorf("follow %s: %w", f.filter, err)
	}
	f.seen = meta.Sequence.Stream
	f.failed = f.take(m, meta, f.of)
	if meta.NumPending == 0 {
		f.caughtUp()
	}
	return nil
}
