package llm

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"
)

// SetTransport lets a test play the network, so that its clock can be a bubble's.
func (c *Client) SetTransport(rt http.RoundTripper) { c.doer.http.Transport = rt }

// SetBackoff shortens the wait between attempts where a test talks to a real server.
func (c *Client) SetBackoff(d time.Duration) { c.doer.backoff = d }

// ErrorWords is what a person reads of an error body, and whether it says that nothing is left to spend.
func ErrorWords(status int, body []byte, key string) (string, bool) {
	r := readReply(body)
	return words(r.message, key), r.outOfQuota(status)
}

// DialOnly makes every connection end at addr, whatever host it is meant for.
func (c *Client) DialOnly(addr string) {
	t := c.doer.http.Transport.(*http.Transport)
	t.Proxy = nil
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
}

// Known is what is known of the model now.
func (c *Client) Known() Ability { return c.known }

// DialectOf is how a server is recognised.
func DialectOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return dialectOf(u).name
}

// LearnedKey is what a server and a model are kept under.
func LearnedKey(base, model string) string { return learnedKey(base, model) }

// Fits says in what a value differs from a schema.
func Fits(schema, value string) error { return fits([]byte(schema), []byte(value)) }

// Assembled is the completion that a stream brought.
func Assembled(body []byte) ([]byte, error) { return assembled(body) }
