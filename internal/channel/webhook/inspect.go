package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"

	"code.dny.dev/ssrf"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Reach is how far the way to an endpoint goes without a post.
type Reach struct {
	Host    string     // scheme://host, all that may be said of the URL
	Address netip.Addr // that was connected to
	Clear   bool       // posts travel unencrypted
	Signed  bool
	Checks  bool      // whoever takes such posts may check their signature; chats and pagers never do
	Expires time.Time // of the certificate that ends first; zero without TLS
}

// ErrForbidden says that the endpoint's address is one that is never posted to.
var ErrForbidden = errors.New("the address may not be posted to")

// Inspect goes the way of a post, the same guard included, and turns back before it would send anything: the name, the
// connection, the handshake. Host is filled in even where there is an error, which never shows the URL's path.
func Inspect(ctx context.Context, c Config) (Reach, error) {
	if err := c.Validate(); err != nil {
		return Reach{}, fmt.Errorf("check the webhook: %w", err)
	}
	u, err := parseURL(c.Address())
	if err != nil {
		return Reach{}, fmt.Errorf("check the webhook: WEBHOOK_URL %w", err)
	}
	f, _ := formatOf(c.Format) // Validate has looked
	r := Reach{Host: u.Scheme + "://" + u.Host, Clear: u.Scheme == "http", Signed: c.Secret != "", Checks: f.checks}
	dialer := &net.Dialer{Control: newGuard(c.DenyPrivate).control}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port(u)))
	if errors.Is(err, ssrf.ErrProhibitedIP) {
		return r, fmt.Errorf("connect to %s: %w: %s", r.Host, ErrForbidden, scrub.Line(err.Error(), maxAnswer))
	}
	if err != nil {
		return r, fmt.Errorf("connect to %s: %w", r.Host, err)
	}
	defer conn.Close()
	if to, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		r.Address = to.Addr().Unmap()
	}
	if r.Clear {
		return r, nil
	}
	r.Expires, err = shake(ctx, conn, u.Hostname())
	if err != nil {
		return r, fmt.Errorf("make TLS with %s: %w", r.Host, err)
	}
	return r, nil
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

// shake makes the handshake and gives when the first certificate of the verified chain ends.
func shake(ctx context.Context, conn net.Conn, host string) (ends time.Time, err error) {
	secure := tls.Client(conn, &tls.Config{ServerName: host, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		return time.Time{}, err
	}
	for _, chain := range secure.ConnectionState().VerifiedChains {
		for _, c := range chain {
			if ends.IsZero() || c.NotAfter.Before(ends) {
				ends = c.NotAfter
			}
		}
	}
	return ends, nil
}
