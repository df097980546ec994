// Package webhook is the channel that posts to one HTTP endpoint. It knows one format, native: a Standard Webhooks
// body (type, timestamp, data) of at most MaxBody bytes that carries a line for people, all events that are new to the
// receiver, and the whole conversation after them.
//
// Every attempt of a post has the same webhook-id and the same body; a receiver that keeps the ids it has seen gets
// everything once. With a secret each attempt is signed as Standard Webhooks 1.0.0 says (v1, HMAC-SHA256). The
// receiver is told of every event of a conversation that is at least a warning, of nothing else, and of nothing while
// the conversation is silenced. A conversation that was over before it was first told is told once, as opened, with a
// state that says so: a receiver takes the state from data.conversation.state, never from type alone.
//
// The endpoint's URL and its secrets are never in an error. Loopback and private addresses may be posted to,
// link-local ones and those of cloud metadata services may not, whatever the name resolves to; redirects are not
// followed and no proxy is used.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

// Name is how the one webhook that the environment configures is called.
const Name = "webhook"

// FormatNative is Bellbuoy's own body.
const FormatNative = "native"

// Config is one webhook.
type Config struct {
	URL    config.Secret `env:"WEBHOOK_URL" desc:"Where alert conversations are posted to; http or https. Its path is a secret."`
	Secret config.Secret `env:"WEBHOOK_SECRET" unset:"posts are not signed" desc:"Signs every post (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64; several, separated by commas, while they are being exchanged."`
	Format string        `env:"WEBHOOK_FORMAT" default:"native" allowed:"native" desc:"The body that is posted."`
}

// Validate lists every mistake, without the URL's or the secret's value.
func (c Config) Validate() error {
	if c.URL == "" {
		return nil
	}
	var m mistakes
	if _, err := parseURL(c.URL.Reveal()); err != nil {
		m.add("WEBHOOK_URL", err)
	}
	if _, err := newSigner(c.Secret.Reveal()); err != nil {
		m.add("WEBHOOK_SECRET", err)
	}
	if c.Format != "" && c.Format != FormatNative {
		m.add("WEBHOOK_FORMAT", fmt.Errorf("names no format there is; set it to %s", FormatNative))
	}
	return m.err()
}

// Channel posts to one endpoint. It is safe for concurrent use.
type Channel struct {
	url     string
	host    string // scheme://host, all that may be said of the URL
	signer  signer
	redact  *strings.Replacer
	client  *http.Client
	agent   string
	timeout time.Duration
	now     func() time.Time
}

// PostTimeout bounds one attempt, from the look-up of the name to the end of the answer.
const PostTimeout = 15 * time.Second

// New makes the channel of a valid Config with a URL. The receiver sees version in User-Agent.
func New(c Config, version string) (*Channel, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("set up the webhook: %w", err)
	}
	u, err := parseURL(c.URL.Reveal())
	if err != nil {
		return nil, fmt.Errorf("set up the webhook: WEBHOOK_URL %w", err)
	}
	sign, err := newSigner(c.Secret.Reveal())
	if err != nil {
		return nil, fmt.Errorf("set up the webhook: WEBHOOK_SECRET %w", err)
	}
	return &Channel{
		url: u.String(), host: u.Scheme + "://" + u.Host, signer: sign, redact: redactor(u, c.Secret.Reveal()),
		client: newClient(), agent: "bellbuoy/" + version, timeout: PostTimeout, now: time.Now,
	}, nil
}

// Close lets go of the connections that are kept for the next post.
func (c *Channel) Close() error {
	c.client.CloseIdleConnections()
	return nil
}

// Post makes one attempt. It returns no reference; its errors are the verdicts of package channel.
func (c *Channel) Post(ctx context.Context, p channel.Post) (ref string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool // once headers may be on their way, only an answer tells what became of the post
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	req, err := c.request(ctx, p)
	if err != nil {
		return "", err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return "", c.unanswered(err, sent.Load())
	}
	defer resp.Body.Close()
	return "", c.answered(resp)
}

func (c *Channel) request(ctx context.Context, p channel.Post) (*http.Request, error) {
	if !validKey(p.Key) {
		return nil, fmt.Errorf("post to %s: the key %q cannot be signed: %w", c.host, p.Key, channel.ErrRefused)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(p.Body))
	if err != nil {
		return nil, fmt.Errorf("post to %s: its URL makes no request: %w", c.host, channel.ErrSetup)
	}
	at := c.now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Webhook-Id", p.Key)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	if s := c.signer.sign(p.Key, at, p.Body); s != "" {
		req.Header.Set("Webhook-Signature", s)
	}
	return req, nil
}

// parseURL's errors continue a sentence that begins with the variable's name, and show nothing of the URL.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL; set it to one such as https://host/path")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("is not an http or https URL; set it to one such as https://host/path")
	case u.Hostname() == "":
		return nil, errors.New("names no host; set it to a URL such as https://host/path")
	}
	u.Fragment = ""
	return u, nil
}
