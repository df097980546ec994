package bus

import (
	"context"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
)

// Trouble is an error that knows its fix, for whoever shows the two apart.
type Trouble struct {
	Doing string // what was being done
	Err   error  // what went wrong
	Fix   string // what to do about it
}

// Error is all three in one line.
func (t *Trouble) Error() string { return t.Doing + ": " + t.Err.Error() + "; " + t.Fix }

// Unwrap gives what went wrong.
func (t *Trouble) Unwrap() error { return t.Err }

// ErrDenied says that the server does not let this user do something; the text names the subject.
var ErrDenied = errors.New("permission denied")

// ErrUnreachable says that nothing takes connections at any of the addresses.
var ErrUnreachable = errors.New("nothing takes connections there")

// plain is err without what it repeats of the URL, which may hold a password.
func plain(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	if errors.Is(err, nats.ErrNoServers) {
		return ErrUnreachable
	}
	return err
}

const (
	fixReach = "start a server (`bellbuoy up` brings its own) or set BELLBUOY_NATS_URL to one that runs"
	fixUser  = "the server does not know this user: set BELLBUOY_NATS_CREDS or BELLBUOY_NATS_NKEY_SEED, or put user and password into BELLBUOY_NATS_URL"
	fixTLS   = "set BELLBUOY_NATS_CA to the certificates that the server's own is signed with"
	fixNoTLS = "one side wants TLS and the other has none: begin BELLBUOY_NATS_URL with tls:// for a server with TLS, with nats:// for one without"
	fixName  = "correct the host in BELLBUOY_NATS_URL"
	fixFile  = "make that file readable, or correct BELLBUOY_NATS_CREDS or BELLBUOY_NATS_CA"
)

// advice says what to do about a connection that was not made.
func advice(err error) string {
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var otherHost x509.HostnameError
	var file *fs.PathError
	var name *net.DNSError
	switch {
	case refusesUser(err):
		return fixUser
	case errors.As(err, &unknown):
		return fixTLS
	case errors.As(err, &invalid):
		return "renew the server's certificate"
	case errors.As(err, &otherHost):
		return "use a host in BELLBUOY_NATS_URL that the server's certificate names"
	case errors.Is(err, nats.ErrSecureConnRequired), errors.Is(err, nats.ErrSecureConnWanted):
		return fixNoTLS
	case errors.As(err, &file):
		return fixFile
	case errors.As(err, &name):
		return fixName
	}
	return fixReach
}

func refusesUser(err error) bool {
	return slices.ContainsFunc([]error{
		nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked, nats.ErrAccountAuthExpired, nats.ErrNkeysNotSupported,
	}, func(target error) bool { return errors.Is(err, target) })
}

// refusals hands what the server forbids to whoever waits for an answer that will therefore not come.
type refusals struct {
	waiting map[int]func(text string)
	next    int
	inbox   string // the server's words, once it forbade the subscription that answers come to
}

// refused notes what the server forbids.
func (b *Bus) refused(err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, subject, ok := strings.Cut(err.Error(), `Subscription to "`); ok && strings.HasPrefix(subject, inboxes) {
		b.refusals.inbox, _, _ = strings.Cut(subject, `"`)
	}
	for _, tell := range b.refusals.waiting {
		tell(err.Error())
	}
}

// permitted runs do, which asks on subject, and ends it with a Trouble as soon as the server forbids that: else
// a forbidden request only shows as one that nobody answers.
func (b *Bus) permitted(ctx context.Context, subject string, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	b.mu.Lock()
	if b.refusals.waiting == nil {
		b.refusals.waiting = map[int]func(string){}
	}
	id := b.refusals.next
	b.refusals.next++
	b.refusals.waiting[id] = func(text string) {
		if strings.Contains(text, `"`+subject+`"`) {
			cancel(denied("publish to", subject))
		}
		if b.refusals.inbox != "" {
			cancel(denied("subscribe to", b.refusals.inbox))
		}
	}
	b.refusals.waiting[id]("") // it may have been forbidden before
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.refusals.waiting, id)
		b.mu.Unlock()
	}()
	err := do(ctx)
	if t, ok := errors.AsType[*Trouble](context.Cause(ctx)); ok && err != nil {
		return t
	}
	return err
}

func denied(do, subject string) *Trouble {
	return &Trouble{
		Doing: do + " " + subject, Err: ErrDenied,
		Fix: "permit this user of the NATS server to " + do + " " + subject + ", or use one that may",
	}
}
