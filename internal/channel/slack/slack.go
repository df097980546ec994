// Package slack is the channel that posts to one channel of a Slack workspace, through Slack's Web API.
//
// Each episode has one card, which is changed in place: what is wrong where, beside a bar in the colour of its state what
// is known, what probably is the reason, the next step, and who has it. Everything else stands in the card's thread: one
// line for each event that deserves one. What gets worse, breaks through or is escalated shows in the channel as well
// and calls whom the route names; what is owned calls its owner.
//
// A message is found again by its metadata (event_type bellbuoy, event_payload.key), which every member of the
// workspace can read. What others wrote is never read as markup, as a mention or as a link: it stands in rich text, or
// escaped and verbatim. A message that Slack does not take for its form goes out as plain text in the same attempt.
// Retrying is the notifier's, never the library's.
package slack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// PostTimeout bounds one attempt, with the one as plain text if that is needed.
const PostTimeout = 15 * time.Second

// Channel posts to one channel of a workspace. It is safe for concurrent use.
type Channel struct {
	name     string // how it is configured; replies from it bear it
	to       string // the Slack channel as it is configured, by name or id
	token    string
	client   *http.Client
	api      *api.Client
	timeout  time.Duration
	now      func() time.Time
	id       atomic.Pointer[string] // of the Slack channel, once Slack has said it
	degraded atomic.Uint64

	app     string // the app-level token; empty: nobody listens
	address string // of the API
	report  channel.Report
	silence time.Duration             // of a connection; 0: the default
	pause   func(n int) time.Duration // before a connection is opened again; nil: the default
	me      atomic.Pointer[self]      // once Slack has said it
	origins *recent[origin]           // by Slack channel and ts
	people  *recent[person]           // by id
	denials *recent[bool]             // that people were told of, by the id of the deed
}

// New makes the channel called name of a valid Config that is on.
func New(name string, c Config) (*Channel, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("set up Slack: %w", err)
	}
	address, err := endpoint(c.APIURL)
	if err != nil {
		return nil, fmt.Errorf("set up Slack: SLACK_API_URL %w", err)
	}
	ch := &Channel{name: name, to: c.Channel, token: c.BotToken.Reveal(), client: newClient(), timeout: PostTimeout, now: time.Now}
	ch.app, ch.address, ch.report = c.AppToken.Reveal(), address, silent()
	ch.origins, ch.people, ch.denials = newRecent[origin](maxOrigins), newRecent[person](maxPeople), newRecent[bool](maxDenials)
	ch.api = api.New(ch.token, api.OptionAPIURL(address), api.OptionHTTPClient(ch.client))
	if channelID.MatchString(c.Channel) {
		ch.id.Store(&c.Channel)
	}
	return ch, nil
}

// maxAnswer bounds what is read of an answer, in bytes: a page of a channel's history.
const maxAnswer = 8 << 20

func newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is in the body
		Transport: bounding{&http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second,
			IdleConnTimeout: 90 * time.Second, MaxIdleConnsPerHost: 16, MaxResponseHeaderBytes: 64 << 10,
		}},
	}
}

// bounding ends every answer after maxAnswer.
type bounding struct{ *http.Transport }

func (b bounding) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.Transport.RoundTrip(r)
	if err == nil {
		resp.Body = body{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

type body struct {
	io.Reader
	io.Closer
}

// Close lets go of the connections that are kept for the next post.
func (ch *Channel) Close() error {
	ch.client.CloseIdleConnections()
	return nil
}

// Target is the Slack channel as this bot reaches it: Slack wants no more than one message a second there.
func (ch *Channel) Target() channel.Target {
	sum := sha256.Sum256([]byte("bellbuoy slack\x00" + ch.token + "\x00" + ch.to))
	return channel.Target{ID: "slack-" + hex.EncodeToString(sum[:10]), Every: time.Second, Burst: 3}
}

// Degraded counts the messages that Slack took as plain text only.
func (ch *Channel) Degraded() uint64 { return ch.degraded.Load() }

// Post makes one attempt. The reference is that of the card, <channel id>:<ts>; its errors are the verdicts of package
// channel.
func (ch *Channel) Post(ctx context.Context, p channel.Post) (ref string, err error) {
	c, err := decode(p)
	if err != nil {
		return "", fmt.Errorf("post %s to Slack: its body is not readable: %w", p.Key, channel.ErrRefused)
	}
	to, ts, err := ch.place(c, p.Ref)
	if err != nil {
		return "", fmt.Errorf("post %s to Slack: %w", p.Key, err)
	}
	ctx, cancel := context.WithTimeout(ctx, ch.timeout)
	defer cancel()
	a := attempt{method: c.Method, to: ch.to, token: ch.token, now: ch.now}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { a.sent.Store(true) }})
	ref, err = ch.send(ctx, c, to, ts)
	if formRefused(err) {
		ch.degraded.Add(1)
		ref, err = ch.send(ctx, c.degraded(), to, ts)
	}
	if err != nil {
		return "", a.verdict(err)
	}
	if c.Thread {
		return p.Ref, nil
	}
	return ref, nil
}

// place is where a call goes: the Slack channel and, of what changes or continues a message, its ts.
func (ch *Channel) place(c call, ref string) (to, ts string, err error) {
	if c.Method == methodPost && !c.Thread {
		return ch.to, "", nil
	}
	to, ts, ok := strings.Cut(ref, ":")
	if !ok || to == "" || ts == "" {
		return "", "", fmt.Errorf("the reference %q of its card is not readable: %w", ref, channel.ErrLostRoot)
	}
	return to, ts, nil
}

// send calls the API once.
func (ch *Channel) send(ctx context.Context, c call, to, ts string) (ref string, err error) {
	options := c.options(ts)
	if c.Method == methodUpdate {
		in, at, _, err := ch.api.SendMessageContext(ctx, to, options...)
		return reference(in, at, err)
	}
	in, at, message, err := ch.api.PostMessageWithResponseContext(ctx, to, options...)
	if err == nil && c.Thread && message.ThreadTimestamp != ts {
		return "", errUnthreaded
	}
	if ref, err = reference(in, at, err); err == nil {
		ch.id.Store(&in)
	}
	return ref, err
}

func reference(in, at string, err error) (string, error) {
	if err == nil && (in == "" || at == "") {
		err = errUnclear
	}
	return in + ":" + at, err
}

var (
	_ channel.Channel  = (*Channel)(nil)
	_ channel.Finder   = (*Channel)(nil)
	_ channel.Targeted = (*Channel)(nil)
)
