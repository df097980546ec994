package embed_test

import (
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bellbuoy/bellbuoy/internal/bus/embed"
)

func start(t *testing.T, o embed.Options) *embed.Server {
	t.Helper()
	s, err := embed.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// wayOut is what every error about a port that a NATS server has taken has to say.
var wayOut = []string{"is taken", "BELLBUOY_NATS_URL=nats://", "BELLBUOY_NATS_LISTEN"}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestATakenPortIsAnErrorThatSaysWhoAnswers(t *testing.T) {
	nats := start(t, embed.Options{Listen: "127.0.0.1:0", Dir: t.TempDir()})
	if !strings.HasPrefix(nats.ClientURL(), "nats://127.0.0.1:") {
		t.Errorf("the server is at %s, want the loopback interface", nats.ClientURL())
	}
	_, err := embed.Start(t.Context(), embed.Options{Listen: nats.Addr(), Dir: t.TempDir()})
	wantError(t, err, append(wayOut, "a Bellbuoy already runs there", `("bellbuoy", version "2.`, "bellbuoy list", "BELLBUOY_DATA_DIR")...)

	foreign := listener(t, `INFO {"server_name":"ours","version":"2.10.0","jetstream":true} `+"\r\n")
	_, err = embed.Start(t.Context(), embed.Options{Listen: foreign, Dir: t.TempDir()})
	wantError(t, err, append(wayOut, `a NATS server ("ours", version "2.10.0", with JetStream)`)...)

	other := listener(t, "SSH-2.0-OpenSSH_9.6\r\n")
	_, err = embed.Start(t.Context(), embed.Options{Listen: other, Dir: t.TempDir()})
	wantError(t, err, "is taken", "something that is not NATS", "stop it", "BELLBUOY_NATS_LISTEN")

	silent := listener(t, "")
	_, err = embed.Start(t.Context(), embed.Options{Listen: silent, Dir: t.TempDir()})
	wantError(t, err, "is taken", "something that is not NATS", "stop it", "BELLBUOY_NATS_LISTEN")
}

// listener greets whoever connects and closes with the test.
func listener(t *testing.T, greeting string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			if _, err := c.Write([]byte(greeting)); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return l.Addr().String()
}

func TestTwoServersDoNotShareADirectory(t *testing.T) {
	dir := t.TempDir()
	first := start(t, embed.Options{NoListen: true, Dir: dir})
	_, err := embed.Start(t.Context(), embed.Options{NoListen: true, Dir: dir})
	wantError(t, err, dir, "BELLBUOY_DATA_DIR")
	first.Close()
	start(t, embed.Options{NoListen: true, Dir: dir})
}

func TestStartSaysWhatIsWrongWithItsOptions(t *testing.T) {
	for listen, want := range map[string]string{"4222": "host:port", "127.0.0.1:nats": "not a number", "192.0.2.1:4222": "BELLBUOY_NATS_LISTEN"} {
		_, err := embed.Start(t.Context(), embed.Options{Listen: listen, Dir: t.TempDir()})
		wantError(t, err, want)
	}
	_, err := embed.Start(t.Context(), embed.Options{Listen: "127.0.0.1:0"})
	wantError(t, err, "BELLBUOY_DATA_DIR")
}

func TestWhatWasStoredIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	for round := range 2 {
		s := start(t, embed.Options{NoListen: true, Dir: dir})
		if s.Addr() != "" || s.ClientURL() != "" {
			t.Errorf("it listens on %q", s.Addr())
		}
		nc, err := nats.Connect("", nats.InProcessServer(s))
		if err != nil {
			t.Fatal(err)
		}
		if got := nc.MaxPayload(); got != 8<<20 {
			t.Errorf("max payload is %d, want 8 MB", got)
		}
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "X", Subjects: []string{"x"}}); err != nil {
				t.Fatal(err)
			}
			if _, err := js.Publish(t.Context(), "x", nil); err != nil {
				t.Fatal(err)
			}
		}
		x, err := js.Stream(t.Context(), "X")
		if err != nil {
			t.Fatal(err)
		}
		if n := x.CachedInfo().State.Msgs; n != 1 {
			t.Errorf("round %d: %d messages, want 1", round, n)
		}
		nc.Close()
		s.Close()
	}
}
