package fake

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Exchange is one request and the way to answer it, which is to be used once.
type Exchange struct {
	Request Request
	Read    int // tokens of the prompt that the model has read; 0: all there are
	Wrote   int // tokens of the answer; 0: one for every four bytes
	w       http.ResponseWriter
	http    *http.Request
	answer  func(Request) string
	shape   func(status int, kind, code, message string) any
}

// Answer is what the model would say.
func (x *Exchange) Answer() string { return x.answer(x.Request) }

// Header is that of the response; it has to be set before anything is said.
func (x *Exchange) Header() http.Header { return x.w.Header() }

// Context is done when the client has given up or the server is closed.
func (x *Exchange) Context() context.Context { return x.http.Context() }

// Writer is the response itself, for answers that are none.
func (x *Exchange) Writer() http.ResponseWriter { return x.w }

// JSON answers with v.
func (x *Exchange) JSON(status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte(`{"error":{"message":"the answer has no JSON form"}}`)
	}
	x.Body(status, "application/json", string(b))
}

// Body answers with anything.
func (x *Exchange) Body(status int, contentType, body string) {
	x.w.Header().Set("Content-Type", contentType)
	x.w.WriteHeader(status)
	_, _ = x.w.Write([]byte(body)) // a client that left wants no answer
}

// Error answers with an error in the shape of this server's.
func (x *Exchange) Error(status int, kind, code, message string) {
	x.JSON(status, x.Shape(status, kind, code, message))
}

// Shape is what Error sends.
func (x *Exchange) Shape(status int, kind, code, message string) any {
	return x.shape(status, kind, code, message)
}

// shapeOf is the shape of OpenAI's errors.
func shapeOf(_ int, kind, code, message string) any {
	e := map[string]any{"message": message, "type": kind, "param": nil, "code": nil}
	if code != "" {
		e["code"] = code
	}
	return map[string]any{"error": e}
}

func (x *Exchange) unauthorized() {
	x.Error(http.StatusUnauthorized, "invalid_request_error", "invalid_api_key",
		"Incorrect API key provided: "+strings.TrimPrefix(x.http.Header.Get("Authorization"), "Bearer ")+".")
}

// Say answers well, with text: whole, or in pieces if that is asked for.
func (x *Exchange) Say(text string) {
	if x.Request.Stream {
		x.stream(text)
		return
	}
	x.JSON(http.StatusOK, x.Completion(Choice(text, "stop", "")))
}

// Choice is the one choice of a completion: what is said, why it ends there, and, instead of text, a refusal.
func Choice(text, finish, refusal string) []any {
	m := map[string]any{"role": "assistant", "content": text}
	if refusal != "" {
		m["content"], m["refusal"] = nil, refusal
	}
	return []any{map[string]any{"index": 0, "message": m, "finish_reason": finish}}
}

const completionID = "chatcmpl-fake"

// Completion is a whole answer. It counts a token for every four bytes.
func (x *Exchange) Completion(choices []any) map[string]any {
	out := 0
	for _, c := range choices {
		out += len(fmt.Sprint(c)) / 4
	}
	return map[string]any{
		"id": completionID, "object": "chat.completion", "created": 1, "model": x.Request.Model, "choices": choices,
		"usage": x.usage(out),
	}
}

func (x *Exchange) usage(out int) map[string]any {
	in := x.Request.Tokens()
	if x.Read > 0 {
		in = x.Read
	}
	if x.Wrote > 0 {
		out = x.Wrote
	}
	return map[string]any{"prompt_tokens": in, "completion_tokens": out, "total_tokens": in + out}
}

// stream sends text word by word as server-sent events, and what it cost at the end if that is asked for.
func (x *Exchange) stream(text string) {
	x.w.Header().Set("Content-Type", "text/event-stream")
	x.w.WriteHeader(http.StatusOK)
	x.event(x.piece(map[string]any{"role": "assistant", "content": ""}, nil))
	for _, word := range strings.SplitAfter(text, " ") {
		x.event(x.piece(map[string]any{"content": word}, nil))
	}
	x.event(x.piece(map[string]any{}, "stop"))
	if x.Request.usage {
		last := x.piece(nil, nil)
		last["choices"], last["usage"] = []any{}, x.usage((len(text)+3)/4)
		x.event(last)
	}
	_, _ = x.w.Write([]byte("data: [DONE]\n\n")) // a client that left wants no answer
}

func (x *Exchange) piece(delta, finish any) map[string]any {
	return map[string]any{
		"id": completionID, "object": "chat.completion.chunk", "created": 1, "model": x.Request.Model,
		"choices": []any{map[string]any{"index": 0, "delta": delta, "finish_reason": finish}},
	}
}

func (x *Exchange) event(v map[string]any) {
	b, err := json.Marshal(v)
	if err != nil {
		return // of strings and numbers only: it has a form
	}
	_, _ = fmt.Fprintf(x.w, "data: %s\n\n", b) // a client that left wants no answer
}
