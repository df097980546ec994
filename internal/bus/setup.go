package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Setup creates what the topology has and the server has not, and updates what differs. It may run as often as one
// likes, also beside working daemons. A stream of the same name that is not Bellbuoy's is left alone: an error.
func (b *Bus) Setup(ctx context.Context, s Setup) error {
	if err := b.fits(); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	if err := distinct(s.Channels); err != nil {
		return fmt.Errorf("set up: %w", err)
	}
	for _, row := range Streams() {
		if err := b.setupStream(ctx, row, max(1, s.Replicas)); err != nil {
			return fmt.Errorf("set up stream %s: %w", row.Name, err)
		}
	}
	for _, row := range Consumers(s) {
		if _, err := b.js.CreateOrUpdateConsumer(ctx, row.Stream, b.consumerConfig(row)); err != nil {
			return fmt.Errorf("set up consumer %s of %s: %w", row.Name, row.Stream, err)
		}
	}
	b.forgetStreams()
	return nil
}

// fits tells whether the server takes messages as large as ours.
func (b *Bus) fits() error {
	if need := int64(schema.MaxContextBytes + headroom); b.nc.MaxPayload() < need {
		return fmt.Errorf("the NATS server takes messages up to %d bytes, a snapshot may have %d: set max_payload: 8MB in its configuration", b.nc.MaxPayload(), need)
	}
	return nil
}

// distinct refuses two channels that would share one consumer.
func distinct(channels []string) error {
	seen := map[string]string{}
	for _, c := range channels {
		if other, ok := seen[Notify(c)]; ok || c == "" {
			return fmt.Errorf("channels %q and %q have the same consumer %s: rename one", other, c, Notify(c))
		}
		seen[Notify(c)] = c
	}
	return nil
}

func (b *Bus) setupStream(ctx context.Context, row Stream, replicas int) error {
	switch s, err := b.js.Stream(ctx, row.Name); {
	case errors.Is(err, jetstream.ErrStreamNotFound):
	case err != nil:
		return explained(err)
	case !b.ours(s.CachedInfo().Config.Subjects):
		return fmt.Errorf("there is one already that keeps %s, which is not Bellbuoy's: give Bellbuoy a NATS account of its own", strings.Join(s.CachedInfo().Config.Subjects, ", "))
	}
	_, err := b.js.CreateOrUpdateStream(ctx, b.streamConfig(row, replicas))
	return explained(err)
}

// explained says what to do about an error that the server alone cannot put right.
func explained(err error) error {
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return fmt.Errorf("%w: start nats-server with JetStream (-js), and enable it for this account", err)
	}
	return err
}

// ours tells whether a stream that keeps subjects is one of Bellbuoy's.
func (b *Bus) ours(subjects []string) bool {
	return slices.ContainsFunc(subjects, func(s string) bool { return strings.HasPrefix(s, b.root()+".") })
}

func (b *Bus) streamConfig(row Stream, replicas int) jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name:              row.Name,
		Storage:           jetstream.FileStorage,
		Retention:         jetstream.LimitsPolicy,
		Replicas:          replicas,
		MaxAge:            row.MaxAge,
		MaxBytes:          row.MaxBytes,
		MaxMsgsPerSubject: row.MaxPerSubject,
		MaxMsgSize:        row.MaxMessage,
		Duplicates:        row.Duplicates,
		// With replicas a direct get may be answered by one that lags behind the message in hand.
		AllowDirect:        replicas == 1,
		AllowAtomicPublish: row.Atomic,
		AllowMsgTTL:        row.Expiring,
	}
	if row.Compressed {
		c.Compression = jetstream.S2Compression
	}
	for _, s := range row.Subjects {
		c.Subjects = append(c.Subjects, b.below(s.Pattern))
	}
	return c
}

func (b *Bus) consumerConfig(row Consumer) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Durable:       row.Name,
		AckPolicy:     jetstream.AckExplicitPolicy,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckWait:       row.AckWait,
		MaxDeliver:    -1,
		MaxAckPending: row.MaxAckPending,
	}
	if row.Filter != "" {
		c.FilterSubject = b.below(row.Filter)
	}
	return c
}

func (b *Bus) below(pattern string) string { return b.root() + "." + pattern }

// Check names every stream of the topology and every one of consumers that is missing, in one error that says what
// to do about it.
func (b *Bus) Check(ctx context.Context, consumers ...string) error {
	if err := b.fits(); err != nil {
		return err
	}
	var missing []string
	for _, row := range Streams() {
		switch _, err := b.js.Stream(ctx, row.Name); {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			missing = append(missing, "stream "+row.Name)
		case err != nil:
			return fmt.Errorf("look for stream %s: %w", row.Name, explained(err))
		}
	}
	for _, name := range consumers {
		switch _, err := b.js.Consumer(ctx, consumerOf(name).Stream, name); {
		case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
			missing = append(missing, "consumer "+name)
		case err != nil:
			return fmt.Errorf("look for consumer %s: %w", name, err)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("NATS at %s lacks %s: run `bellbuoy setup`", b.where(), strings.Join(missing, ", "))
	}
	return nil
}
