package bustest

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Next is the next stored message whose subject matches: the oldest one the first time, then the one behind the one
// returned last, in this test whoever asks. It waits for it. T is what its body decodes to; []byte is the body itself.
func Next[T any](t testing.TB, b *bus.Bus, subject string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Within)
	defer cancel()
	var v T
	if err := decode(next(ctx, t, b, subject), &v); err != nil {
		t.Fatalf("next of %s: %v", subject, err)
	}
	return v
}

func decode(body []byte, into any) error {
	if raw, ok := into.(*[]byte); ok {
		*raw = body
		return nil
	}
	return json.Unmarshal(body, into)
}

func next(ctx context.Context, t testing.TB, b *bus.Bus, subject string) []byte {
	t.Helper()
	js, stream := open(ctx, t, b, subject)
	consumer, err := js.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
		Durable: ownPrefix + hex.EncodeToString([]byte(subject)), FilterSubject: subject, AckPolicy: jetstream.AckExplicitPolicy,
	})
	if err != nil {
		t.Fatalf("next of %s: %v", subject, err)
	}
	m, err := consumer.Next(jetstream.FetchContext(ctx))
	if err != nil {
		t.Fatalf("nothing came on %s within %s: %v", subject, Within, err)
	}
	if err := m.DoubleAck(ctx); err != nil {
		t.Fatalf("next of %s: %v", subject, err)
	}
	return m.Data()
}

func open(ctx context.Context, t testing.TB, b *bus.Bus, subject string) (js jetstream.JetStream, stream string) {
	t.Helper()
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	stream, err = js.StreamNameBySubject(ctx, subject)
	if err != nil {
		t.Fatalf("no stream keeps %s: %v", subject, err)
	}
	return js, stream
}

// Conversations is the newest valid state of every conversation, ordered by cluster and object.
func Conversations(t testing.TB, b *bus.Bus) []schema.Conversation {
	t.Helper()
	newest := map[string]schema.Conversation{}
	for _, a := range alerts(t, b, b.Subjects().Alerts()) {
		newest[a.Conversation.ID] = a.Conversation
	}
	all := make([]schema.Conversation, 0, len(newest))
	for _, c := range newest {
		all = append(all, c)
	}
	slices.SortFunc(all, func(x, y schema.Conversation) int {
		return cmp.Or(cmp.Compare(x.Cluster, y.Cluster), cmp.Compare(x.Object.Kind, y.Object.Kind), cmp.Compare(x.Object.String(), y.Object.String()))
	})
	return all
}

// Events is every stored event of a conversation, in order. Messages that are not valid are left out.
func Events(t testing.TB, b *bus.Bus, id string) []schema.Message {
	t.Helper()
	var all []schema.Message
	for _, a := range alerts(t, b, strings.TrimSuffix(b.Subjects().Alerts(), ">")+"*.*."+id) {
		all = append(all, a.Event)
	}
	return all
}

// alerts reads every valid message of filter, in order.
func alerts(t testing.TB, b *bus.Bus, filter string) []schema.Alert {
	t.Helper()
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), bus.StreamAlerts)
	if err != nil {
		t.Fatal(err)
	}
	var all []schema.Alert
	for seq := uint64(1); ; seq++ {
		m, err := s.GetMsg(t.Context(), seq, jetstream.WithGetMsgSubject(filter))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		seq = m.Sequence
		if a, err := valid(b, m); err == nil {
			all = append(all, a)
		}
	}
}

func valid(b *bus.Bus, m *jetstream.RawStreamMsg) (schema.Alert, error) {
	cluster, _, id, err := b.Subjects().ParseAlert(m.Subject)
	if err != nil {
		return schema.Alert{}, err
	}
	if m.Header.Get(bus.EventHeader) == "" {
		return schema.Alert{}, errors.New("no event header")
	}
	return schema.DecodeAlert(m.Data, cluster, id)
}

// Inject stores any body with any headers under any subject, as a stranger could.
func Inject(t testing.TB, b *bus.Bus, subject string, header map[string]string, body []byte) (seq uint64) {
	t.Helper()
	m := nats.NewMsg(subject)
	m.Data = body
	for name, value := range header {
		m.Header.Set(name, value)
	}
	js, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	ack, err := js.PublishMsg(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return ack.Sequence
}
