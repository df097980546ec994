package notifier

import (
	"cmp"
	"context"
	"io"
	"log/slog"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// shadow is a channel that decides as the one it stands for and sends nothing.
type shadow struct {
	channel.Channel
	log *slog.Logger
}

// inShadow refers to what was not sent. A channel for which a card without a reference is lost would post it for ever.
const inShadow = "shadow:shadow"

// Post logs what would have been sent. It never fails.
func (s shadow) Post(_ context.Context, p channel.Post) (ref string, err error) {
	s.log.Info("shadow: decided, not sent", "key", p.Key, "kind", p.Kind, "bytes", len(p.Body))
	return cmp.Or(p.Ref, inShadow), nil
}

// Close closes the channel that it stands for.
func (s shadow) Close() error {
	if c, ok := s.Channel.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
