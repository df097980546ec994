package llm

import (
	"net/http"
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
