// Package webhook is the channel that posts to one HTTP endpoint, in one of several formats: each says in a file of its
// own which events its receivers are told and how. All go through one sender.
//
// The native body is that of Standard Webhooks (type, timestamp, data), of at most MaxBody bytes; it carries a line for
// people, all events that are new to the receiver, and the whole conversation after them. A conversation that was over
// before it was first told is told once, as opened, with a state that says so: a receiver takes the state from
// data.conversation.state, never from type alone. Formats of others tell less, each in one post however much is new.
//
// Whatever the format, every attempt of a post has the same webhook-id and the same body; a receiver that keeps the ids
// it has seen gets everything once. With a secret each attempt is signed as Standard Webhooks 1.0.0 says (v1,
// HMAC-SHA256). Nobody is told of what is only information or silenced.
//
// The endpoint's URL, its secrets and its key are never in an error, nor in a Post's body: what of them belongs into a
// body is added when it is posted. Loopback and private addresses may be posted to unless they are denied; link-local ones
// and those of cloud metadata services never, whatever the name resolves to; redirects are not followed and no proxy is used.
package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

// Name is how the one webhook that the environment configures is called.
const Name = "webhook"

// Config is one webhook.
type Config struct {
	URL         config.Secret `env:"WEBHOOK_URL" desc:"Where alert conversations are posted to; http or https. Its path is a secret. The pagerduty format needs none."`
	Secret      config.Secret `env:"WEBHOOK_SECRET" unset:"posts are not signed" desc:"Signs every post (Standard Webhooks): whsec_ and 24 to 64 random bytes in base64; several, separated by commas, while they are being exchanged."`
	Format      string        `env:"WEBHOOK_FORMAT" default:"native" allowed:"native,cloudevents,alertmanager,slack,teams,pagerduty,ntfy" desc:"The body that is posted. slack is for incoming webhooks of Slack, Mattermost and Rocket.Chat."`
	Key         config.Secret `env:"WEBHOOK_KEY" desc:"What the receiver knows the sender by: the integration (routing) key of pagerduty, an access token of ntfy."`
	Topic       config.Secret `env:"WEBHOOK_TOPIC" unset:"the end of the URL's path" desc:"The topic of ntfy."`
	DenyPrivate bool          `env:"WEBHOOK_DENY_PRIVATE" default:"false" desc:"Refuses receivers at private and loopback addresses, for installations where not everybody who may set a URL may reach them."`
}

// Configured tells whether there is a webhook at all.
func (c Config) Configured() bool { return c.Address() != "" }

// Address is where posts go, a secret; empty: there is no webhook.
func (c Config) Address() string {
	if c.URL == "" && c.Format == FormatPagerDuty && c.Key != "" {
		return pagerDutyURL
	}
	return c.URL.Reveal()
}

// Validate lists every mistake, without the URL's or a secret's value.
func (c Config) Validate() error {
	if c.URL == "" && c.Format != FormatPagerDuty {
		return nil
	}
	var m mistakes
	u, err := parseURL(cmp.Or(c.Address(), pagerDutyURL))
	if err != nil {
		m.add("WEBHOOK_URL", err)
	}
	if _, err := newSigner(c.Secret.Reveal()); err != nil {
		m.add("WEBHOOK_SECRET", err)
	}
	f, ok := formatOf(c.Format)
	switch {
	case !ok:
		m.add("WEBHOOK_FORMAT", fmt.Errorf("names no format there is; set it to one of %s", formatNames()))
	case f.name == FormatPagerDuty && c.Key == "":
		m.add("WEBHOOK_KEY", errors.New("is missing; set it to the integration key of a PagerDuty service (Events API v2)"))
	case c.Key != "" && !f.keyed:
		m.add("WEBHOOK_KEY", fmt.Errorf("is for the formats pagerduty and ntfy; unset it, or the format %s is not the one you mean", f.name))
	case c.Topic != "" && f.name != FormatNtfy:
		m.add("WEBHOOK_TOPIC", fmt.Errorf("is for the format ntfy; unset it, or the format %s is not the one you mean", f.name))
	}
	if strings.ContainsFunc(c.Key.Reveal(), unicode.IsControl) {
		m.add("WEBHOOK_KEY", errors.New("has a line break or another control character in it; copy it once more"))
	}
	if f.name == FormatNtfy && u != nil {
		if _, _, err := topicOf(c, u); err != nil {
			m.add("WEBHOOK_URL", err)
		}
	}
	return m.err()
}

// Channel posts to one endpoint. It is safe for concurrent use.
type Channel struct {
	config  Config
	format  format
	given   *url.URL // as it is configured
	url     string   // that is posted to
	host    string   // scheme://host, all that may be said of the URL
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
	u, err := parseURL(c.Address())
	if err != nil {
		return nil, fmt.Errorf("set up the webhook: WEBHOOK_URL %w", err)
	}
	sign, err := newSigner(c.Secret.Reveal())
	if err != nil {
		return nil, fmt.Errorf("set up the webhook: WEBHOOK_SECRET %w", err)
	}
	f, _ := formatOf(c.Format) // Validate has looked
	to := u
	if f.name == FormatNtfy {
		if _, to, err = topicOf(c, u); err != nil {
			return nil, fmt.Errorf("set up the webhook: WEBHOOK_URL %w", err)
		}
	}
	return &Channel{
		config: c, format: f, given: u, url: to.String(), host: u.Scheme + "://" + u.Host, signer: sign,
		redact: redactor(u, c.Secret.Reveal(), c.Key.Reveal(), c.Topic.Reveal()),
		client: newClient(newGuard(c.DenyPrivate)), agent: "bellbuoy/" + version, timeout: PostTimeout, now: time.Now,
	}, nil
}

// Close lets go of the connections that are kept for the next post.
func (c *Channel) Close() error {
	c.client.CloseIdleConnections()
	return nil
}

// Target is the receiver as this sender is known there: all channels with that URL and key share what is known of it, and
// another URL is another receiver.
func (c *Channel) Target() channel.Target {
	sum := sha256.Sum256([]byte("bellbuoy webhook\x00" + c.config.Address() + "\x00" + c.config.Key.Reveal() + "\x00" + c.config.Topic.Reveal()))
	return channel.Target{ID: "webhook-" + hex.EncodeToString(sum[:10])}
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
	body, err := c.sealed(p.Body)
	if err != nil {
		return nil, fmt.Errorf("post to %s: its body takes no key: %w", c.host, channel.ErrRefused)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("post to %s: its URL makes no request: %w", c.host, channel.ErrSetup)
	}
	at := c.now()
	req.Header.Set("Content-Type", c.format.content)
	if c.format.name == FormatNtfy && c.config.Key != "" {
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(c.config.Key.Reveal()))
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Webhook-Id", p.Key)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	if s := c.signer.sign(p.Key, at, body); s != "" {
		req.Header.Set("Webhook-Signature", s)
	}
	return req, nil
}

// sealed is a body with what is secret of it.
func (c *Channel) sealed(body []byte) ([]byte, error) {
	if c.format.seal == nil {
		return body, nil
	}
	return c.format.seal(c.config, c.given, body)
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
