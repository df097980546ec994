package bus

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Inspection is what is on a server, compared with what Setup would make of it.
type Inspection struct {
	Server     string // its name
	Version    string
	URL        string // which one answered, without passwords
	MaxPayload int64
	Skew       time.Duration // of the server's clock before this machine's; as exact as a round trip
	Asked      bool          // Skew is known
	Streams    []StreamState
	Consumers  []ConsumerState
}

// StreamState is one stream of the topology as the server has it.
type StreamState struct {
	Name     string
	Missing  bool
	Foreign  []string // the subjects it keeps, if none of them is Bellbuoy's
	Drift    []Drift
	Replicas int
	Bytes    int64
	MaxBytes int64 // 0: unlimited
	Err      error // why it could not be looked at
}

// ConsumerState is one durable consumer: of the topology, or another channel's.
type ConsumerState struct {
	Name, Stream string
	Declared     bool // it is in the topology of the Setup that was given
	Missing      bool
	Paused       bool
	Drift        []Drift
	Waiting      int    // requests for messages that stand at the server: somebody reads it
	InHand       int    // messages delivered and not yet acknowledged
	Pending      uint64 // messages to be delivered
	Err          error  // why it could not be looked at
}

// Read tells whether somebody is reading the consumer.
func (c ConsumerState) Read() bool { return c.Waiting > 0 || c.InHand > 0 }

// ErrNoJetStream says that the server has no JetStream, or not for this account.
var ErrNoJetStream = errors.New("JetStream is off")

// minVersion is that of the first server with atomic batches.
const minMajor, minMinor = 2, 12

// MinPayload is the least max_payload that Bellbuoy's messages fit into, in bytes.
const MinPayload = schema.MaxContextBytes + headroom

// Outdated tells whether the server is too old for what Bellbuoy uses of it. A version that says nothing is not.
func (i Inspection) Outdated() bool {
	major, rest, _ := strings.Cut(i.Version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	m, err := strconv.Atoi(major)
	n, err2 := strconv.Atoi(minor)
	return err == nil && err2 == nil && (m < minMajor || m == minMajor && n < minMinor)
}

// Inspect compares what is on the server with s and changes nothing. Replicas that s leaves open are those that most
// of the streams have at most. An error means that nothing could be looked at: ErrNoJetStream or ErrDenied, in
// a Trouble; what else fails is told at the stream or consumer that it is about.
func (b *Bus) Inspect(ctx context.Context, s Setup) (Inspection, error) {
	i := Inspection{
		Server: b.nc.ConnectedServerName(), Version: b.nc.ConnectedServerVersion(), URL: b.where(),
		MaxPayload: b.nc.MaxPayload(),
	}
	configs := map[string]jetstream.StreamConfig{}
	for _, row := range Streams() {
		info, err := b.inspectStream(ctx, row.Name, &i)
		if errors.Is(err, ErrNoJetStream) {
			return i, err
		}
		state := StreamState{Name: row.Name, Err: err}
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			state.Missing, state.Err = true, nil
		case err == nil && !b.ours(info.Config.Subjects):
			state.Foreign = info.Config.Subjects
		case err == nil:
			configs[row.Name] = info.Config
			state.Replicas, state.Bytes, state.MaxBytes = max(1, info.Config.Replicas), int64(info.State.Bytes), max(0, info.Config.MaxBytes)
		}
		i.Streams = append(i.Streams, state)
	}
	b.compare(&i, configs, s.Replicas)
	b.inspectConsumers(ctx, &i, s)
	return i, nil
}

// compare finds the drift of every stream. Without replicas given, those of the stream with the most count.
func (b *Bus) compare(i *Inspection, configs map[string]jetstream.StreamConfig, replicas int) {
	for _, s := range i.Streams {
		replicas = max(1, replicas, s.Replicas)
	}
	for n, row := range Streams() {
		if have, ok := configs[row.Name]; ok {
			i.Streams[n].Drift = drifts(streamSettings(b.streamConfig(row, replicas)), streamSettings(have))
		}
	}
}

func (b *Bus) inspectStream(ctx context.Context, name string, i *Inspection) (*jetstream.StreamInfo, error) {
	var info *jetstream.StreamInfo
	err := b.permitted(ctx, "$JS.API.STREAM.INFO."+name, func(ctx context.Context) error {
		began := time.Now()
		s, err := b.js.Stream(ctx, name)
		if err == nil {
			info = s.CachedInfo()
			i.Asked, i.Skew = true, skew(began, time.Now(), info.TimeStamp)
		}
		return err
	})
	if slices.ContainsFunc([]error{jetstream.ErrJetStreamNotEnabled, jetstream.ErrJetStreamNotEnabledForAccount, nats.ErrNoResponders},
		func(off error) bool { return errors.Is(err, off) }) {
		return nil, &Trouble{
			Doing: "use JetStream", Err: ErrNoJetStream,
			Fix: "start nats-server with JetStream (-js, or jetstream {} in its configuration), and enable it for this account",
		}
	}
	return info, err
}

// skew is how far the server's clock is ahead of ours, 0 where the round trip explains the difference.
func skew(began, ended, server time.Time) time.Duration {
	switch {
	case server.After(ended):
		return server.Sub(ended)
	case server.Before(began):
		return server.Sub(began)
	}
	return 0
}

func (b *Bus) inspectConsumers(ctx context.Context, i *Inspection, s Setup) {
	there := map[string]bool{}
	for _, state := range i.Streams {
		there[state.Name] = !state.Missing && len(state.Foreign) == 0 && state.Err == nil
	}
	for _, row := range Consumers(s) {
		if there[row.Stream] {
			i.Consumers = append(i.Consumers, b.inspectConsumer(ctx, row, true))
		}
	}
	if there[StreamAlerts] {
		i.Consumers = append(i.Consumers, b.otherChannels(ctx, i.Consumers)...)
	}
}

func (b *Bus) inspectConsumer(ctx context.Context, row Consumer, declared bool) ConsumerState {
	state := ConsumerState{Name: row.Name, Stream: row.Stream, Declared: declared}
	state.Err = b.permitted(ctx, "$JS.API.CONSUMER.INFO."+row.Stream+"."+row.Name, func(ctx context.Context) error {
		c, err := b.js.Consumer(ctx, row.Stream, row.Name)
		if err != nil {
			return err
		}
		state.fill(c.CachedInfo(), b.consumerConfig(row))
		return nil
	})
	if errors.Is(state.Err, jetstream.ErrConsumerNotFound) {
		state.Missing, state.Err = true, nil
	}
	return state
}

func (c *ConsumerState) fill(info *jetstream.ConsumerInfo, want jetstream.ConsumerConfig) {
	c.Paused, c.Waiting, c.InHand, c.Pending = info.Paused, info.NumWaiting, info.NumAckPending, info.NumPending
	c.Drift = drifts(consumerSettings(want), consumerSettings(info.Config))
}

// otherChannels are the consumers of channels that are not among known. A user who may not list them sees none.
func (b *Bus) otherChannels(ctx context.Context, known []ConsumerState) []ConsumerState {
	seen := map[string]bool{}
	for _, c := range known {
		seen[c.Name] = true
	}
	var names []string
	_ = b.permitted(ctx, "$JS.API.CONSUMER.NAMES."+StreamAlerts, func(ctx context.Context) error {
		s, err := b.js.Stream(ctx, StreamAlerts)
		if err != nil {
			return err
		}
		all := s.ConsumerNames(ctx)
		for name := range all.Name() {
			if strings.HasPrefix(name, notifyPrefix) && !seen[name] {
				names = append(names, name)
			}
		}
		return all.Err()
	})
	var others []ConsumerState
	for _, name := range names {
		others = append(others, b.inspectConsumer(ctx, consumerOf(name), false))
	}
	return others
}
