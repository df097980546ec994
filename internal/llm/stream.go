package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
)

// Bellbuoy asks for whole answers. What is here is for servers, and proxies before them, that stream even so, or that
// send comments to keep a connection open. It reads the whole body first: nobody waits for the first word of a verdict.

// errUnfinished says that a stream ended without its end.
var errUnfinished = errors.New("the answer was streamed and broke off: neither [DONE] nor a reason to finish came")

// streams tells whether a body is a stream of events, or has comments before it.
func streams(h http.Header, body []byte) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err == nil && kind == "text/event-stream" {
		return true
	}
	body = bytes.TrimSpace(body)
	for _, begin := range []string{":", "data:", "event:"} {
		if bytes.HasPrefix(body, []byte(begin)) {
			return true
		}
	}
	return false
}

// piece is one event of a stream.
type piece struct {
	ID      string          `json:"id"`
	Model   string          `json:"model"`
	Error   json.RawMessage `json:"error"`
	Usage   json.RawMessage `json:"usage"`
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
			Refusal string `json:"refusal"`
		} `json:"delta"`
		Finish string `json:"finish_reason"`
	} `json:"choices"`
}

// assembled is the whole completion that a stream brought. An event that is an error is given as it came, as is a body
// that is none but has comments before it.
func assembled(body []byte) ([]byte, error) {
	var s stream
	rest := body
	for raw := range bytes.Lines(body) {
		rest = rest[len(raw):]
		line := bytes.TrimSpace(raw)
		data, isData := bytes.CutPrefix(line, []byte("data:"))
		switch {
		case !isData && !s.begun && bytes.HasPrefix(line, []byte("{")):
			return body[len(body)-len(rest)-len(raw):], nil
		case !isData:
			continue // a comment, the name of an event, an empty line
		}
		s.begun = true
		if failed := s.add(bytes.TrimSpace(data)); failed != nil {
			return failed, nil
		}
	}
	if !s.ended && s.finish == "" {
		return nil, errUnfinished
	}
	return s.completion()
}

type stream struct {
	id, model, finish string
	usage             json.RawMessage
	content, refusal  strings.Builder
	begun, ended      bool
}

// add takes one event, and gives it back if it is an error.
func (s *stream) add(data []byte) (failed []byte) {
	if string(data) == "[DONE]" {
		s.ended = true
		return nil
	}
	var p piece
	if json.Unmarshal(data, &p) != nil {
		return nil // half an event: its stream ends without an end
	}
	if len(p.Error) > 0 && string(p.Error) != "null" {
		return data
	}
	s.id, s.model = p.ID, p.Model
	if len(p.Usage) > 0 && string(p.Usage) != "null" {
		s.usage = p.Usage
	}
	if len(p.Choices) == 0 { // the one with what was used
		return nil
	}
	s.content.WriteString(p.Choices[0].Delta.Content)
	s.refusal.WriteString(p.Choices[0].Delta.Refusal)
	if p.Choices[0].Finish != "" {
		s.finish = p.Choices[0].Finish
	}
	return nil
}

func (s *stream) completion() ([]byte, error) {
	message := map[string]any{"role": "assistant", "content": s.content.String()}
	if s.refusal.Len() > 0 {
		message["refusal"] = s.refusal.String()
	}
	whole := map[string]any{
		"id": s.id, "object": "chat.completion", "model": s.model,
		"choices": []any{map[string]any{"index": 0, "message": message, "finish_reason": s.finish}},
	}
	if s.usage != nil {
		whole["usage"] = s.usage
	}
	return json.Marshal(whole)
}
