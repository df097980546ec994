// Package slacktest is a Slack workspace of our own, over real HTTP and WebSocket on the loopback, for tests. It is
// as strict as Slack is known to be and, where that is not known, stricter: limits, scopes, unknown properties and
// threads are judged with Slack's own error names, so that a client that gets along here gets along there.
//
// A workspace starts with a bot, a channel "ops" that the bot is in, and two people, anna and ben. The test acts as a
// person with Say, Press, React and Command, breaks what may break with Fault, and sees what a person sees with
// Messages and Sounds. Nothing waits by time: Until waits for what a test wants to see.
//
// It knows nothing of the client that it judges. All of it may be used by several goroutines at once.
package slacktest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// What every workspace starts with.
const (
	Team      = "T0BELLBUOY"
	Bot       = "U0BELLBUOY" // the bot's user
	BotToken  = "xoxb-bellbuoy"
	AppToken  = "xapp-bellbuoy"
	Ops       = "C0OPS" // the channel "ops"
	Anna      = "U0ANNA"
	Ben       = "U0BEN"
	botID     = "B0BELLBUOY"
	appID     = "A0BELLBUOY"
	workspace = "Bellbuoy"
)

// Options of a workspace. The zero value is a workspace that nothing slows down.
type Options struct {
	Now   func() time.Time // the workspace's clock: of timestamps and rates; time.Now if nil
	Rates Rates            // none if zero

	Ping      time.Duration   // between pings on each connection; 10 s if zero
	AckWithin time.Duration   // how long the app has to acknowledge; 3 s if zero
	Retries   []time.Duration // before an event is told again; at once, after a minute, after five if empty
}

// Server is a Slack workspace.
type Server struct {
	now    func() time.Time
	listen net.Listener
	http   http.Server
	serves sync.WaitGroup
	over   chan struct{} // closed at the end: lets hanging calls go

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change
	tokens   map[string]*token
	users    map[string]User
	channels map[string]*conversation
	calls    []Call
	hanging  int
	faults   faults
	rates    rates
	serial   int // of block ids, envelopes and whatever else needs a number
	sockets  sockets

	ping, ackWithin time.Duration
	retries         []time.Duration
	triggers        map[string]*trigger
	responses       map[string]*response
	views           []View
}

// Start opens a workspace on the loopback. The caller closes it.
func Start(o Options) (*Server, error) {
	listen, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open a Slack workspace: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.Retries) == 0 {
		o.Retries = []time.Duration{0, time.Minute, 5 * time.Minute}
	}
	s := &Server{
		now: o.Now, listen: listen, over: make(chan struct{}), changed: make(chan struct{}),
		tokens: map[string]*token{}, users: map[string]User{}, channels: map[string]*conversation{},
		rates:   rates{limits: o.Rates, buckets: map[string]bucket{}},
		sockets: sockets{tickets: map[string]bool{}, envelopes: map[string]*Delivery{}},
		ping:    cmp.Or(o.Ping, 10*time.Second), ackWithin: cmp.Or(o.AckWithin, 3*time.Second), retries: o.Retries,
		triggers: map[string]*trigger{}, responses: map[string]*response{},
	}
	s.furnish()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", s.serve)
	mux.HandleFunc("POST /actions/{id}", s.serveResponse)
	mux.HandleFunc("/link/", s.serveSocket)
	s.http = http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	s.serves.Go(func() { _ = s.http.Serve(listen) })
	return s, nil
}

// APIURL is what a client takes for https://slack.com/api/. It ends in a slash.
func (s *Server) APIURL() string { return "http://" + s.listen.Addr().String() + "/api/" }

// Close ends the workspace, its connections and whatever hangs in it.
func (s *Server) Close() {
	s.mu.Lock()
	select {
	case <-s.over:
	default:
		close(s.over)
	}
	s.mu.Unlock()
	s.closeSockets()
	_ = s.http.Close()
	s.serves.Wait()
}

// Until waits until cond holds, and looks again whenever anything changes in the workspace. cond may call any method.
func (s *Server) Until(ctx context.Context, cond func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-s.over:
			return errors.New("the workspace is closed")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change tells all who wait in Until. Called with the lock held.
func (s *Server) change() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// number gives a new number. Called with the lock held.
func (s *Server) number() int {
	s.serial++
	return s.serial
}

// Call is one call of a method, as it was answered.
type Call struct {
	Method string
	Args   map[string]string // without the token; what is not text as JSON
	Status int               // of HTTP; 0 while unanswered and if never answered
	Error  string            // Slack's name for it; empty if all was well
}

// Calls tells every call so far, in the order in which they came.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Hanging tells how many calls are left without an answer at this moment.
func (s *Server) Hanging() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hanging
}
