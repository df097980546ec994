package bus

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Follow hands to each every record whose key begins with the tokens of prefix, and has more, then every change of one
// as it is stored, as Bus.Follow does. The data of a record that was dropped is empty.
func (k Kept) Follow(ctx context.Context, prefix string, caughtUp func(), each func(key string, data []byte, rev uint64) error) error {
	if err := validKey(prefix); err != nil {
		return err
	}
	below := k.bus.subjects.Kept(k.part, "")
	return k.bus.follow(ctx, keptStream(k.part), below+prefix+".>", caughtUp, func(m jetstream.Msg, meta *jetstream.MsgMetadata, _ *stream) error {
		return each(strings.TrimPrefix(m.Subject(), below), m.Data(), meta.Sequence.Stream)
	})
}
