package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Options say how to connect. The zero value with a URL is enough.
type Options struct {
	URL      string // one or more, comma separated
	Creds    string // path of a NATS credentials file
	NKeySeed string // the seed itself
	CA       string // path of the certificates to trust
	Name     string // who connects: its role
	Root     string // first token of every subject; empty: bellbuoy

	Within time.Duration // for the first connection to one server; 0: 5 s

	InProcess  nats.InProcessConnProvider // set: connect to the server in this process, whatever URL says
	Log        *slog.Logger               // nil: silent
	Registerer prometheus.Registerer      // nil: unmeasured
}

const (
	connectTimeout  = 5 * time.Second
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 100 * time.Millisecond
	pingInterval    = 15 * time.Second
	inboxes         = "_INBOX_" // before the role
)

// Connect connects. The first connection has to succeed; from then on a lost one is tried for ever, and what cannot
// be sent meanwhile fails at once.
func Connect(ctx context.Context, o Options) (*Bus, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bus{
		subjects: schema.Subjects{Root: o.Root},
		log:      o.Log,
		metrics:  newMetrics(o.Registerer),
		closed:   make(chan struct{}),
		streams:  map[string]*stream{},
		bad:      map[badHead]bool{},
	}
	b.newSession()
	if err := b.dial(o); err != nil {
		b.endSession()
		return nil, err
	}
	return b, nil
}

func (b *Bus) dial(o Options) error {
	if o.URL == "" && o.InProcess == nil {
		return errors.New("connect to NATS: no URL is given; set BELLBUOY_NATS_URL")
	}
	opts, err := access(o)
	if err != nil {
		return err
	}
	if b.nc, err = nats.Connect(o.URL, append(opts, b.behaviour(o.Name)...)...); err != nil {
		return &Trouble{Doing: "connect to NATS at " + o.Shown(), Err: plain(err), Fix: advice(err)}
	}
	if b.js, err = jetstream.New(b.nc); err != nil {
		b.nc.Close()
		return fmt.Errorf("use JetStream: %w", err)
	}
	return nil
}

// access is what the server checks: where it is, who we are, whom we trust.
func access(o Options) ([]nats.Option, error) {
	var opts []nats.Option
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	opts = append(opts, nats.Timeout(cmp.Or(o.Within, connectTimeout)))
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA))
	}
	if o.NKeySeed != "" {
		key, err := nkeys.FromSeed([]byte(strings.TrimSpace(o.NKeySeed)))
		if err != nil {
			return nil, &Trouble{Doing: "read the NATS nkey seed", Err: err, Fix: "set BELLBUOY_NATS_NKEY_SEED to a user's seed, which begins with SU"}
		}
		public, err := key.PublicKey()
		if err != nil {
			return nil, fmt.Errorf("read the NATS nkey seed: %w", err)
		}
		opts = append(opts, nats.Nkey(public, key.Sign))
	}
	return opts, nil
}

// behaviour is the same for every connection: private inboxes, reconnecting for ever with nothing buffered, and
// whatever the server complains of is logged.
func (b *Bus) behaviour(name string) []nats.Option {
	if name == "" {
		name = schema.DefaultRoot
	}
	return []nats.Option{
		nats.Name(name),
		nats.CustomInboxPrefix(inboxes + schema.Token(name)),
		nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(2),
		nats.DrainTimeout(closeWithin),
		nats.ErrorHandler(b.complained), nats.DisconnectErrHandler(b.lost),
		nats.ReconnectHandler(b.reconnected), nats.ClosedHandler(func(*nats.Conn) { close(b.closed) }),
	}
}

func (b *Bus) complained(_ *nats.Conn, s *nats.Subscription, err error) {
	b.refused(err)
	subject := ""
	if s != nil {
		subject = s.Subject
	}
	b.log.Error("NATS complains; a forbidden publish shows elsewhere as a timeout", "err", err, "subject", subject)
}

func (b *Bus) lost(_ *nats.Conn, err error) {
	if err != nil {
		b.log.Warn("connection to NATS lost; trying again for ever", "err", err)
	}
}

func (b *Bus) reconnected(c *nats.Conn) {
	b.metrics.reconnects.Inc()
	b.log.Info("connected to NATS again", "url", withoutUser(c.ConnectedUrl()))
	b.newSession()
}

// Shown is where o leads, without passwords.
func (o Options) Shown() string {
	if o.InProcess != nil {
		return "this process"
	}
	urls := strings.Split(o.URL, ",")
	for i, s := range urls {
		urls[i] = withoutUser(strings.TrimSpace(s))
	}
	return strings.Join(urls, ",")
}

// withoutUser masks all that stands before the host: a lone user name may be a token.
func withoutUser(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return s
	}
	scheme, _, ok := strings.Cut(s, "://")
	if !ok {
		return "***" + s[at:]
	}
	return scheme + "://***" + s[at:]
}

// where is the server that the bus is connected to.
func (b *Bus) where() string { return withoutUser(b.nc.ConnectedUrl()) }
