package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

const (
	token = "xoxb-1234567890-TOPSECRETTOKEN"
	room  = "C0123456789"
)

// answers is a Slack that takes every message, or answers the next calls as it is told to.
type answers struct {
	t      *testing.T
	server *httptest.Server

	mu    sync.Mutex
	calls []apiCall
	next  []func(w http.ResponseWriter, method string) // for the calls that follow, the last one for good
	over  chan struct{}
	hangs chan struct{}
}

// apiCall is one call as it arrived.
type apiCall struct {
	method string
	form   url.Values
	ts     string // of the message, if it was taken
}

func newSlack(t *testing.T) *answers {
	t.Helper()
	a := &answers{t: t, over: make(chan struct{}), hangs: make(chan struct{}, 1)}
	a.server = httptest.NewServer(a)
	t.Cleanup(func() { close(a.over); a.server.Close() })
	return a
}

func (a *answers) channel(t *testing.T, c slack.Config) *slack.Channel {
	t.Helper()
	if c.Channel == "" {
		c.Channel = room
	}
	c.BotToken, c.APIURL = config.Secret(token), a.server.URL+"/api"
	ch, err := slack.New(slack.Name, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

// answer sets how the calls that follow are answered, the last of them also all after that; none: each is taken.
func (a *answers) answer(next ...func(w http.ResponseWriter, method string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next = next
}

func (a *answers) got() []apiCall {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]apiCall(nil), a.calls...)
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		a.t.Errorf("read a call: %v", err)
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	if r.Form.Get("token") != token {
		a.t.Errorf("%s comes without the token", method)
	}
	a.mu.Lock()
	c := apiCall{method: method, form: r.Form, ts: fmt.Sprintf("1763885000.%06d", len(a.calls)+1)}
	if method == "chat.update" {
		c.ts = r.Form.Get("ts")
	}
	a.calls = append(a.calls, c)
	var next func(w http.ResponseWriter, method string)
	if len(a.next) > 0 {
		next = a.next[0]
		a.next = a.next[min(1, len(a.next)-1):]
	}
	a.mu.Unlock()
	if next != nil {
		next(w, method)
		return
	}
	a.take(w, c)
}

func (a *answers) take(w http.ResponseWriter, c apiCall) {
	switch c.method {
	case "chat.postMessage", "chat.update":
		reply(w, map[string]any{"ok": true, "channel": room, "ts": c.ts, "message": map[string]any{"ts": c.ts, "thread_ts": c.form.Get("thread_ts")}})
	default:
		a.t.Errorf("%s was called", c.method)
	}
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// says answers with an error of Slack's, which repeats the token.
func says(name string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, _ string) {
		reply(w, map[string]any{"ok": false, "error": name, "needed": "channels:history", "response_metadata": map[string]any{"messages": []string{"[ERROR] \x1b[31m" + token}}})
	}
}

func status(code int, header ...string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, _ string) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "no "+token, code)
	}
}

func taken(body map[string]any) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, _ string) { reply(w, body) }
}

// contract is answers for the contract suite.
type contract struct {
	*answers
	t *testing.T
}

func (c contract) Answer(a channeltest.Answer) {
	switch a {
	case channeltest.Takes:
		c.answer()
	case channeltest.Fails:
		c.answer(says("service_unavailable"))
	case channeltest.Throttles:
		c.answer(status(http.StatusTooManyRequests, "Retry-After", strconv.Itoa(int(channeltest.Pause/time.Second))))
	case channeltest.Refuses:
		c.answer(says("invalid_arguments"))
	case channeltest.TooBig:
		c.answer(says("msg_too_long"))
	case channeltest.Forbids:
		c.answer(says("invalid_auth"))
	case channeltest.Hangs:
		c.answer(func(http.ResponseWriter, string) { c.hangs <- struct{}{}; <-c.over })
	case channeltest.Resets:
		c.answer(func(w http.ResponseWriter, _ string) { reset(w) })
	case channeltest.Unreachable:
		c.server.CloseClientConnections()
		_ = c.server.Listener.Close()
	}
}

func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// Got reads the messages back. A message of Slack's shows a state; the events that it tells are those up to its
// revision of which no earlier one of its card did.
func (c contract) Got() []channeltest.Got {
	var all []channeltest.Got
	told := map[string]int{}
	for _, call := range c.got() {
		var meta struct {
			Payload struct{ Key, Conversation, State string } `json:"event_payload"`
		}
		if err := json.Unmarshal([]byte(call.form.Get("metadata")), &meta); err != nil {
			c.t.Errorf("metadata is not JSON: %v", err)
		}
		size := 0
		for _, name := range []string{"text", "blocks", "attachments", "metadata"} {
			size += len(call.form.Get(name))
		}
		p := meta.Payload
		g := channeltest.Got{Key: p.Key, State: p.State, Size: size, Text: channel.Cut(strings.ReplaceAll(rendered(c.t, call.form), "\n", " "), 1024)}
		revision, _ := channel.Revision(p.Key)
		if call.method == "chat.postMessage" && call.form.Get("thread_ts") == "" {
			told[p.Conversation] = 0 // a new card tells all of it
		}
		for n := told[p.Conversation] + 1; n <= revision; n++ {
			g.Events = append(g.Events, channel.Key(p.Conversation, n, ""))
		}
		told[p.Conversation] = max(told[p.Conversation], revision)
		all = append(all, g)
	}
	return all
}

// impatient gives a post up once Slack has it and does not answer.
type impatient struct {
	*slack.Channel
	hangs <-chan struct{}
}

func (c impatient) Post(ctx context.Context, p channel.Post) (string, error) {
	ctx, giveUp := context.WithCancel(ctx)
	var waits sync.WaitGroup
	defer waits.Wait()
	defer giveUp()
	waits.Go(func() {
		select {
		case <-c.hangs:
			giveUp()
		case <-ctx.Done():
		}
	})
	return c.Channel.Post(ctx, p)
}

func TestSlackKeepsTheContractOfChannels(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channeltest.Subject {
		a := newSlack(t)
		ch := a.channel(t, slack.Config{})
		ch.SetTimeout(time.Minute)
		return channeltest.Subject{
			Channel: impatient{ch, a.hangs}, Receiver: contract{a, t}, MaxBody: 64 << 10, Edits: true, Secrets: []string{"TOPSECRETTOKEN"},
		}
	})
}
