package fake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// Options of a Handler. The zero value asks for no key, has every model and answers by Script.
type Options struct {
	Key    string               // the Bearer token that every request needs; "": none
	Base   string               // of its paths; "": /v1
	Models []string             // that exist; none: every model does
	Answer func(Request) string // what the model says; nil: Script
	// Shape is how errors look; nil: as OpenAI's do.
	Shape func(status int, kind, code, message string) any
	// Before sees every request for a completion, those that are to be refused too, which have Refused set. If it
	// returns true, it has answered the request itself. It is not asked to answer one that is refused. May be nil.
	Before func(*Exchange) bool
}

// Request is a chat completion that a server was asked for, well-formed or not.
type Request struct {
	Path      string
	Header    http.Header
	Body      []byte
	Model     string
	Messages  []Message
	Schema    json.RawMessage // of a structured answer; nil: free text, or JSON without a schema
	JSON      bool            // some JSON object is wanted, of no particular shape
	Stream    bool            // the answer is to come in pieces, as server-sent events
	MaxTokens int             // by either name
	Refused   string          // why it was not well-formed; empty: it was
	noModel   bool
	usage     bool // wanted at the end of a stream
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

// Tokens is how many tokens a server counts for the request: one for every four bytes.
func (r Request) Tokens() int { return (len(r.Body) + 3) / 4 }

// Handler answers chat/completions and models below its base, and refuses everything else.
type Handler struct{ options Options }

// New makes a handler to be mounted somewhere.
func New(o Options) *Handler {
	if o.Answer == nil {
		o.Answer = Script
	}
	if o.Shape == nil {
		o.Shape = shapeOf
	}
	if o.Base == "" {
		o.Base = "/v1"
	}
	return &Handler{options: o}
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &Exchange{w: w, http: r, answer: h.options.Answer, shape: h.options.Shape}
	switch {
	case r.URL.Path == h.options.Base+"/chat/completions" && r.Method == http.MethodPost:
		h.complete(x)
	case !h.authorized(r):
		x.unauthorized()
	case r.URL.Path == h.options.Base+"/models" && r.Method == http.MethodGet:
		h.list(x)
	default:
		x.Error(http.StatusNotFound, "invalid_request_error", "unknown_url", fmt.Sprintf("Unknown request URL: %s %s.", r.Method, r.URL.Path))
	}
}

func (h *Handler) authorized(r *http.Request) bool {
	return h.options.Key == "" || r.Header.Get("Authorization") == "Bearer "+h.options.Key
}

func (h *Handler) complete(x *Exchange) {
	x.Request = read(x.http)
	authorized := h.authorized(x.http)
	switch {
	case !authorized:
		x.Request.Refused = "the key is wrong"
	case x.Request.Refused == "" && len(h.options.Models) > 0 && !slices.Contains(h.options.Models, x.Request.Model):
		x.Request.noModel, x.Request.Refused = true, fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", x.Request.Model)
	}
	answered := h.options.Before != nil && h.options.Before(x)
	switch {
	case !authorized:
		x.unauthorized()
	case x.Request.noModel:
		x.Error(http.StatusNotFound, "invalid_request_error", "model_not_found", x.Request.Refused)
	case x.Request.Refused != "":
		x.Error(http.StatusBadRequest, "invalid_request_error", "", x.Request.Refused)
	case !answered:
		x.Say(x.Answer())
	}
}

func (h *Handler) list(x *Exchange) {
	data := []map[string]any{}
	for _, m := range h.options.Models {
		data = append(data, map[string]any{"id": m, "object": "model", "created": 1, "owned_by": "bellbuoy-fake"})
	}
	x.JSON(http.StatusOK, map[string]any{"object": "list", "data": data})
}
