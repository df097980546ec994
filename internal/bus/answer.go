package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// CodeBusy is in an APIError: too much is asked at once, or too often.
const CodeBusy = "429"

// ErrNotMine is returned by a handler of Answer to leave the request to another process, without a word.
var ErrNotMine = errors.New("another process answers this")

// Answer answers requests on a subject, which may hold wildcards, until ctx is done. Unlike with Serve, every process that
// answers the subject gets every request. At most 16 are in hand at once; more are refused with CodeBusy. It returns nil
// after the running handlers have ended.
func (b *Bus) Answer(ctx context.Context, subject string, handle func(ctx context.Context, subject string, body []byte) (any, error)) error {
	d := &desk{bus: b, free: make(chan struct{}, maxRequests)}
	sub, err := b.nc.Subscribe(subject, func(m *nats.Msg) {
		select {
		case d.free <- struct{}{}:
			d.run(func() {
				b.reply(m.Reply, m.Subject, func() (any, error) { return handle(ctx, m.Subject, m.Data) })
			})
		default:
			b.refuse(m.Reply, m.Subject, &APIError{CodeBusy, "too much is asked at once: ask again in a moment"})
		}
	})
	if err != nil {
		return fmt.Errorf("answer %s: %w", subject, err)
	}
	<-ctx.Done()
	err = sub.Unsubscribe()
	d.close()
	if err != nil && b.nc.IsConnected() {
		b.log.Warn("subscription did not end in order", "subject", subject, "err", err)
	}
	return nil
}

// refuse tells whoever waits at the inbox why there is no answer.
func (b *Bus) refuse(inbox, what string, told *APIError) {
	header := nats.Header{micro.ErrorCodeHeader: {told.Code}, micro.ErrorHeader: {oneLine(told.Message)}}
	if err := b.respond(inbox, &nats.Msg{Header: header}); err != nil {
		b.log.Warn("request not answered", "about", what, "err", err)
	}
}
