package llmtest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options of a server. The zero value asks for no key and answers sensibly.
type Options struct {
	Addr   string               // to listen on; "": any port of loopback
	Key    string               // the Bearer token that every request needs; "": none
	Models []string             // that exist; none: every model does
	Answer func(Request) string // what the model says; nil: Answer
}

// Request is a chat completion that a server was asked for, well-formed or not.
type Request struct {
	Path      string
	Header    http.Header
	Body      []byte
	Model     string
	Messages  []Message
	Schema    json.RawMessage // of a structured answer; nil: free text
	MaxTokens int             // by either name
	Refused   string          // why it was not well-formed; empty: it was
	noModel   bool
}

// Message is one turn of a request.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// User is the text of the last user message.
func (r Request) User() string {
	for _, m := range slices.Backward(r.Messages) {
		if m.Role == "user" {
			return m.Content
		}
	}
	return ""
}

// Handler is the server without its listener.
type Handler struct {
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
	return &Handler{options: o, arrived: make(chan struct{})}
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

// ServeHTTP answers /v1/chat/completions and /v1/models, and refuses everything else.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &Exchange{w: w, http: r}
	switch {
	case r.URL.Path == "/v1/chat/completions" && r.Method == http.MethodPost:
		h.complete(x)
	case h.options.Key != "" && r.Header.Get("Authorization") != "Bearer "+h.options.Key:
		x.unauthorized()
	case r.URL.Path == "/v1/models" && r.Method == http.MethodGet:
		h.list(x)
	default:
		x.Error(http.StatusNotFound, "invalid_request_error", "unknown_url", fmt.Sprintf("Unknown request URL: %s %s.", r.Method, r.URL.Path))
	}
}

func (h *Handler) complete(x *Exchange) {
	x.Request = read(x.http)
	authorized := h.options.Key == "" || x.http.Header.Get("Authorization") == "Bearer "+h.options.Key
	switch {
	case !authorized:
		x.Request.Refused = "the key is wrong"
	case x.Request.Refused == "" && len(h.options.Models) > 0 && !slices.Contains(h.options.Models, x.Request.Model):
		x.Request.noModel, x.Request.Refused = true, fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", x.Request.Model)
	}
	fault := h.record(x.Request)
	switch {
	case !authorized:
		x.unauthorized()
	case x.Request.noModel:
		x.Error(http.StatusNotFound, "invalid_request_error", "model_not_found", x.Request.Refused)
	case x.Request.Refused != "":
		x.Error(http.StatusBadRequest, "invalid_request_error", "", x.Request.Refused)
	case fault != nil:
		x.answer = h.options.Answer
		fault(x)
	default:
		x.Say(h.options.Answer(x.Request))
	}
}

func (h *Handler) list(x *Exchange) {
	data := []map[string]any{}
	for _, m := range h.options.Models {
		data = append(data, map[string]any{"id": m, "object": "model", "owned_by": "llmtest"})
	}
	x.JSON(http.StatusOK, map[string]any{"object": "list", "data": data})
}

// Server is a handler that listens.
type Server struct {
	*Handler
	url  string
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
	s := &Server{Handler: h, url: "http://" + l.Addr().String() + "/v1", done: make(chan struct{})}
	s.http = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(s.done)
		_ = s.http.Serve(l) // returns when Close closes the listener
	}()
	return s, nil
}

// URL is the base URL to configure, with /v1.
func (s *Server) URL() string { return s.url }

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
