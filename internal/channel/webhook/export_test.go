package webhook

import (
	"net"
	"net/http"
	"time"
)

// SetTimeout lets a test have its posts given up sooner, or later.
func (c *Channel) SetTimeout(d time.Duration) { c.timeout = d }

// SetNow gives a test its own clock.
func (c *Channel) SetNow(now func() time.Time) { c.now = now }

// Guard is the check of addresses before they are dialled.
func Guard(address string, denyPrivate bool) error {
	return newGuard(denyPrivate).control("tcp", address, nil)
}

// Visible takes hidden runes out of a JSON document.
func Visible(doc []byte) []byte { return visible(doc) }

// NativeBodies are the types of the native bodies, for their JSON Schema.
func NativeBodies() (conversation, digest any) { return body{}, digestBody{} }

// URL is where posts go.
func (c *Channel) URL() string { return c.url }

// Resolve has names looked up at a server of the test's own.
func (c *Channel) Resolve(r *net.Resolver) {
	dialer := &net.Dialer{Control: newGuard(c.config.DenyPrivate).control, Resolver: r}
	transport := c.client.Transport.(*http.Transport)
	transport.DialContext = dialer.DialContext
}
