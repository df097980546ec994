package llmtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
)

// Options of a server. The zero value asks for no key and answers sensibly.
type Options struct {
	Addr   string               // to listen on; "": any port of loopback
	Key    string               // the Bearer token that every request needs; "": none
	Models []string             // that exist; none: every model does
	Answer func(Request) string // what the model says; nil: Answer

	Dialect Dialect // the kind of server; zero: OpenAI's
	Context int     // tokens that the model reads, a token for every four bytes of a request; 0: any number
	// Refuses are the fields that it does not take. Besides names of fields these are json_schema and json_object, which
	// are formats, strict, which is a schema to be kept strictly, and system, which is a role.
	Refuses []string
}

// Request is a chat completion that a server was asked for, well-formed or not.
type Request = fake.Request

// Message is one turn of a request.
type Message = fake.Message

// Exchange is one request and the way to answer it.
type Exchange = fake.Exchange

// Handler is the server without its listener.
type Handler struct {
	*fake.Handler
	options Options

	mu       sync.Mutex
	faults   []Fault
	always   Fault
	requests []Request
	arrived  chan struct{} // closed and replaced with every request
}

// NewHandler makes a handler to be mounted somewhere.
func NewHandler(o Options) *Handler {
	if o.Answer == nil {
		o.Answer = Answer
	}
	if o.Dialect.Name == "" {
		o.Dialect = Dialects()[0]
	}
	h := &Handler{options: o, arrived: make(chan struct{})}
	h.Handler = fake.New(fake.Options{
		Key: o.Key, Base: o.Dialect.Base, Models: o.Models, Answer: o.Answer, Shape: o.Dialect.shape, Before: h.before,
	})
	return h
}

// before notes a request, and breaks it if a fault is meant for it.
func (h *Handler) before(x *Exchange) bool {
	fault := h.record(x.Request)
	switch {
	case x.Request.Refused != "":
		return false
	case fault != nil:
		fault(x)
		return true
	}
	return h.options.Dialect.serve(x, h.options)
}

// Fault makes the next requests break, one fault each.
func (h *Handler) Fault(next ...Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, next...)
}

// Always makes every request break that no queued fault is for; nil ends that.
func (h *Handler) Always(f Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.always = f
}

// Requests are all that came in so far, refused ones included.
func (h *Handler) Requests() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests)
}

// Await waits until n requests have come in since the server was made, or until ctx is done.
func (h *Handler) Await(ctx context.Context, n int) error {
	for {
		h.mu.Lock()
		have, next := len(h.requests), h.arrived
		h.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-next:
		case <-ctx.Done():
			return fmt.Errorf("wait for request %d to the model, have %d: %w", n, have, ctx.Err())
		}
	}
}

// record notes a request and takes the fault that is meant for it.
func (h *Handler) record(r Request) Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, r)
	close(h.arrived)
	h.arrived = make(chan struct{})
	if r.Refused != "" {
		return nil
	}
	if len(h.faults) == 0 {
		return h.always
	}
	f := h.faults[0]
	h.faults = h.faults[1:]
	return f
}

// Server is a handler that listens.
type Server struct {
	*Handler
	url  string
	addr string
	http *http.Server
	done chan struct{}
}

// NewServer starts a server. Its error is that of listening. Close stops it.
func NewServer(o Options) (*Server, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", o.Addr) //nolint:noctx // listening does not wait for anything
	if err != nil {
		return nil, fmt.Errorf("listen for requests to the model: %w", err)
	}
	h := NewHandler(o)
	s := &Server{Handler: h, addr: l.Addr().String(), url: "http://" + l.Addr().String() + h.options.Dialect.Base, done: make(chan struct{})}
	s.http = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // returns when Close closes the listener
	}()
	return s, nil
}

// URL is the base URL to configure, with its path.
func (s *Server) URL() string { return s.url }

// Addr is where it listens.
func (s *Server) Addr() string { return s.addr }

// Close ends all connections, hanging ones too, and stops listening.
func (s *Server) Close() {
	_ = s.http.Close() // nothing is left to lose
	<-s.done
}

// TB is what New needs of a test.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// New starts a server for a test and stops it with the test. At most the first of the options counts.
func New(t TB, options ...Options) *Server {
	t.Helper()
	s, err := NewServer(append(options, Options{})[0])
	if err != nil {
		t.Fatalf("start the model: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}
