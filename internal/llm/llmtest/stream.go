package llmtest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
)

// Streamed sends the answer in pieces though nobody asked for that, with the comments and empty lines of servers that
// keep a connection open, with an event of usage without choices, and with no line break at the end.
func Streamed(comments int) Fault {
	return func(x *Exchange) {
		var b strings.Builder
		for range comments {
			b.WriteString(": PROCESSING\n\n")
		}
		pieces(&b, x.Request.Model, x.Answer())
		b.WriteString(event(map[string]any{"id": "1", "model": x.Request.Model, "choices": []any{}, "usage": map[string]any{
			"prompt_tokens": x.Request.Tokens(), "completion_tokens": 9, "total_tokens": x.Request.Tokens() + 9,
		}}))
		b.WriteString("data: [DONE]")
		x.Body(http.StatusOK, "text/event-stream", b.String())
	}
}

// StreamCut is a stream that closes in the middle as if that were its end.
func StreamCut() Fault {
	return func(x *Exchange) {
		var b strings.Builder
		text := x.Answer()
		b.WriteString(event(delta(x.Request.Model, text[:len(text)/2], nil)))
		x.Body(http.StatusOK, "text/event-stream", b.String())
	}
}

// StreamError is a stream in which an error comes, after comments and half the answer, and nothing more.
func StreamError(status int, message string) Fault {
	return func(x *Exchange) {
		var b strings.Builder
		b.WriteString(": PROCESSING\n\n" + event(delta(x.Request.Model, "Half an", nil)))
		e, err := json.Marshal(map[string]any{"id": "1", "error": map[string]any{"code": status, "message": message}})
		if err != nil {
			return // of a number and a text: it has a form
		}
		fmt.Fprintf(&b, "event: error\ndata:  %s", e)
		x.Body(http.StatusOK, "text/event-stream", b.String())
	}
}

// Commented is a whole answer with comments before it.
func Commented(comments int) Fault {
	return func(x *Exchange) {
		whole, err := json.Marshal(x.Completion(fake.Choice(x.Answer(), "stop", "")))
		if err != nil {
			return // of texts and numbers: it has a form
		}
		x.Body(http.StatusOK, "application/json", strings.Repeat(": PROCESSING\n\n", comments)+"\n   "+string(whole))
	}
}

func pieces(b *strings.Builder, model, text string) {
	for _, word := range strings.SplitAfter(text, " ") {
		b.WriteString(event(delta(model, word, nil)))
	}
	b.WriteString(event(delta(model, "", "stop")))
}

func delta(model, text string, finish any) map[string]any {
	return map[string]any{"id": "1", "model": model, "choices": []any{
		map[string]any{"index": 0, "delta": map[string]any{"content": text}, "finish_reason": finish},
	}}
}

func event(v map[string]any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return "" // of texts and numbers: it has a form
	}
	return "data: " + string(raw) + "\n\n"
}

// Gzipped answers compressed, as some proxies do.
func Gzipped() Fault {
	return func(x *Exchange) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_ = json.NewEncoder(z).Encode(x.Completion(fake.Choice(x.Answer(), "stop", ""))) // into memory
		_ = z.Close()
		x.Header().Set("Content-Encoding", "gzip")
		x.Body(http.StatusOK, "application/json", b.String())
	}
}

// GzipBomb is a small body that becomes size bytes.
func GzipBomb(status, size int) Fault {
	return func(x *Exchange) {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		if err != nil {
			return // the level exists
		}
		block := make([]byte, 64<<10)
		for sent := 0; sent < size; sent += len(block) {
			_, _ = z.Write(block) // into memory
		}
		_ = z.Close()
		x.Header().Set("Content-Encoding", "gzip")
		x.Body(status, "application/json", b.String())
	}
}

// ByteByByte sends the answer one byte at a time, so that characters come in parts.
func ByteByByte() Fault {
	return func(x *Exchange) {
		whole, err := json.Marshal(x.Completion(fake.Choice(x.Answer(), "stop", "")))
		if err != nil {
			return // of texts and numbers: it has a form
		}
		x.Header().Set("Content-Type", "application/json")
		to := http.NewResponseController(x.Writer())
		for _, b := range whole {
			if _, err := x.Writer().Write([]byte{b}); err != nil || to.Flush() != nil {
				return // the client has left
			}
		}
	}
}

// Reading makes the server say that it has read so many tokens of the prompt.
func Reading(tokens int) Fault {
	return func(x *Exchange) {
		x.Read = tokens
		x.Say(x.Answer())
	}
}

// ToolCall calls a tool that nobody offered, without its arguments.
func ToolCall() Fault {
	return func(x *Exchange) {
		call := map[string]any{"id": "call_1", "type": "function", "function": map[string]any{"name": "run_shell", "arguments": ""}}
		message := map[string]any{"role": "assistant", "content": nil, "tool_calls": []any{call}}
		x.JSON(http.StatusOK, x.Completion([]any{map[string]any{"index": 0, "message": message, "finish_reason": "tool_calls"}}))
	}
}

// Prose makes the model talk without any JSON.
func Prose() Fault { return Text("The database seems to be down. You should restart it.") }

// Misshapen makes the model answer with JSON of another shape.
func Misshapen() Fault { return Text(`{"cause":"the database","fix":"restart it"}`) }

// OnlyThinking never comes to an answer.
func OnlyThinking() Fault { return Text("<think>The database, or the network, or") }
