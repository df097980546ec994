package bustest

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// Raw is a running NATS server as somebody else may have configured it, in the server's own language, or with its
// defaults: on a loopback port, not set up, ended with the test. It returns where it listens.
func Raw(t testing.TB, configuration string) (url string) {
	t.Helper()
	o := &server.Options{}
	if configuration != "" {
		if err := o.ProcessConfigString(configuration); err != nil {
			t.Fatal(err)
		}
	}
	o.Host, o.Port, o.NoSigs, o.NoLog, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, true, true, t.TempDir()
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(Within) {
		t.Fatalf("the server is not ready within %s", Within)
	}
	return s.ClientURL()
}

func js(t testing.TB, b *bus.Bus) jetstream.JetStream {
	t.Helper()
	j, err := jetstream.New(b.Conn())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Lose deletes a stream.
func Lose(t testing.TB, b *bus.Bus, stream string) {
	t.Helper()
	if err := js(t, b).DeleteStream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
}

// LoseConsumer deletes a consumer.
func LoseConsumer(t testing.TB, b *bus.Bus, stream, consumer string) {
	t.Helper()
	if err := js(t, b).DeleteConsumer(t.Context(), stream, consumer); err != nil {
		t.Fatal(err)
	}
}

// Usurp puts a stranger's stream, which keeps subject, into the place of one of Bellbuoy's.
func Usurp(t testing.TB, b *bus.Bus, stream, subject string) {
	t.Helper()
	Lose(t, b, stream)
	if _, err := js(t, b).CreateStream(t.Context(), jetstream.StreamConfig{Name: stream, Subjects: []string{subject}}); err != nil {
		t.Fatal(err)
	}
}

// Drift makes a stream keep its messages for another time than is declared.
func Drift(t testing.TB, b *bus.Bus, stream string, maxAge time.Duration) {
	t.Helper()
	s, err := js(t, b).Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	c := s.CachedInfo().Config
	c.MaxAge, c.Duplicates = maxAge, min(c.Duplicates, maxAge)
	if _, err := js(t, b).UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// DriftConsumer makes a consumer wait for acknowledgements as long as is given.
func DriftConsumer(t testing.TB, b *bus.Bus, stream, consumer string, ackWait time.Duration) {
	t.Helper()
	c, err := js(t, b).Consumer(t.Context(), stream, consumer)
	if err != nil {
		t.Fatal(err)
	}
	config := c.CachedInfo().Config
	config.AckWait = ackWait
	if _, err := js(t, b).UpdateConsumer(t.Context(), stream, config); err != nil {
		t.Fatal(err)
	}
}

// Pause pauses a consumer for an hour.
func Pause(t testing.TB, b *bus.Bus, stream, consumer string) {
	t.Helper()
	if _, err := js(t, b).PauseConsumer(t.Context(), stream, consumer, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// Resume lets it go on.
func Resume(t testing.TB, b *bus.Bus, stream, consumer string) {
	t.Helper()
	if _, err := js(t, b).ResumeConsumer(t.Context(), stream, consumer); err != nil {
		t.Fatal(err)
	}
}
