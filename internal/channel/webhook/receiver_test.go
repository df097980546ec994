package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

const (
	path   = "/hooks/T0PSECRETPATH/andmore?token=QUERYSECRET"
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

	routingKey = "R0UT1NGKEY0f32characters"
)

// receiver is an HTTP endpoint that answers as it is told and repeats every secret it knows in its answers.
type receiver struct {
	t      *testing.T
	server *httptest.Server
	reads  func(t *testing.T, body []byte) channeltest.Got // as a receiver of the format does; without key and bytes

	mu       sync.Mutex
	answer   channeltest.Answer
	requests []request
	read     []channeltest.Got // of the first requests
	over     chan struct{}     // closed at the end: lets hanging handlers go
	hangs    chan struct{}     // one for each post that is left to hang
}

type request struct {
	header http.Header
	path   string
	body   []byte
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, reads: readNative, over: make(chan struct{}), hangs: make(chan struct{}, 1)}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() { close(r.over); r.server.Close() })
	return r
}

func (r *receiver) url() string { return r.server.URL + path }

func (r *receiver) channel(t *testing.T, c webhook.Config) *webhook.Channel {
	t.Helper()
	if c.URL == "" {
		c.URL = config.Secret(r.url())
	}
	ch, err := webhook.New(c, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return ch
}

func (r *receiver) Answer(a channeltest.Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = a
	if a == channeltest.Unreachable {
		r.server.CloseClientConnections()
		_ = r.server.Listener.Close()
	}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		r.t.Errorf("read a post: %v", err)
	}
	r.mu.Lock()
	r.requests = append(r.requests, request{req.Header.Clone(), req.URL.Path, body})
	answer := r.answer
	r.mu.Unlock()
	echo := "you sent " + req.RequestURI + " and " + secret + " and " + req.Header.Get("Authorization") + string(body[:min(len(body), 60)]) + " \x1b[31m" + strings.Repeat("blah ", 10_000)
	switch answer {
	case channeltest.Takes:
		w.WriteHeader(http.StatusAccepted)
	case channeltest.Hangs:
		r.hangs <- struct{}{}
		<-r.over
	case channeltest.Resets:
		reset(w)
	case channeltest.Throttles:
		w.Header().Set("Retry-After", fmt.Sprint(int(channeltest.Pause/time.Second)))
		http.Error(w, echo, http.StatusTooManyRequests)
	default:
		http.Error(w, echo, map[channeltest.Answer]int{
			channeltest.Fails: http.StatusInternalServerError, channeltest.Refuses: http.StatusUnprocessableEntity,
			channeltest.TooBig: http.StatusRequestEntityTooLarge, channeltest.Forbids: http.StatusUnauthorized,
			channeltest.Gone: http.StatusGone,
		}[answer])
	}
}

// reset breaks the connection off without an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

func (r *receiver) got() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.requests...)
}

// sent is the native body as a receiver in any language would read it.
type sent struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Text  string `json:"text"`
		Event struct {
			ID     string `json:"id"`
			Kind   string `json:"kind"`
			Silent bool   `json:"silent"`
		} `json:"event"`
		Events []struct {
			ID string `json:"id"`
		} `json:"events"`
		Conversation struct {
			ID       string           `json:"id"`
			ClosedAs string           `json:"closed_as"`
			State    string           `json:"state"`
			Messages []map[string]any `json:"messages"`
			Evidence []map[string]any `json:"evidence"`
		} `json:"conversation"`
		Links   []map[string]string `json:"links"`
		Omitted map[string]int      `json:"omitted"`
	} `json:"data"`
}

func decode(t *testing.T, body []byte) sent {
	t.Helper()
	var s sent
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatalf("body is not JSON: %v\n%.300s", err, body)
	}
	return s
}

func (r *receiver) Got() []channeltest.Got {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, req := range r.requests[len(r.read):] {
		g := r.reads(r.t, req.body)
		g.Key, g.Size, g.Body = req.header.Get("webhook-id"), len(req.body), req.body
		r.read = append(r.read, g)
	}
	return slices.Clone(r.read)
}

// impatient gives a post up once the receiver has it and does not answer.
type impatient struct {
	*webhook.Channel
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

func TestAPostThatIsNotAnsweredEndsByItself(t *testing.T) {
	r := newReceiver(t)
	r.Answer(channeltest.Hangs)
	ch := r.channel(t, webhook.Config{})
	ch.SetTimeout(50 * time.Millisecond)
	p, _ := ch.Next(channeltest.Opened("checkout"), channel.Told{}, channel.Terms{})
	if _, err := ch.Post(t.Context(), p); err == nil {
		t.Error("no error")
	}
}
