package llmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Dialect is one kind of server, in what it does otherwise than the strictest: how it words and wraps its errors, what
// it ignores, and what becomes of a prompt that is too long. The words are those of the servers' own sources and
// documents.
type Dialect struct {
	Name string
	Host string // that its clients know it by
	Base string // of its paths
	// shape is how its errors look; nil: as OpenAI's.
	shape func(status int, kind, code, message string) any
	// unsupported words that it does not take a field of the request; "" says that it ignores the field.
	unsupported func(field string) (status int, message string)
	// tooLong words that a prompt of so many tokens is too long for a context of so many; nil: it is cut in silence.
	tooLong func(tokens, context int) (code, message string)
	// deaf tells that a wish for JSON is ignored, and that the model talks around it.
	deaf bool
}

// Dialects are all that are known, OpenAI's first. The last is a server that nothing is known of.
func Dialects() []Dialect {
	openAI := Dialect{Name: "openai", Host: "api.openai.com", Base: "/v1", unsupported: openAIUnsupported, tooLong: openAITooLong}
	azure, unknown := openAI, openAI
	azure.Name, azure.Host, azure.Base = "azure", "shop.openai.azure.com", "/openai/v1"
	unknown.Name, unknown.Host, unknown.shape = "unknown", "model.example", detail
	return []Dialect{
		openAI,
		azure,
		{Name: "ollama", Host: "ollama:11434", Base: "/v1", unsupported: openAIUnsupported},
		{Name: "vllm", Host: "vllm:8000", Base: "/v1", shape: flat, unsupported: vllmUnsupported, tooLong: openAITooLong},
		{Name: "llama.cpp", Host: "llama:8080", Base: "/v1", shape: numbered, unsupported: llamaUnsupported, tooLong: llamaTooLong},
		{Name: "litellm", Host: "litellm:4000", Base: "/v1", shape: lite, unsupported: liteUnsupported, tooLong: openAITooLong},
		{Name: "openrouter", Host: "openrouter.ai", Base: "/api/v1", shape: numbered, unsupported: routerUnsupported, tooLong: openAITooLong},
		{Name: "anthropic", Host: "api.anthropic.com", Base: "/v1", shape: typed, unsupported: anthropicUnsupported, tooLong: anthropicTooLong, deaf: true},
		unknown,
	}
}

func openAIUnsupported(field string) (int, string) {
	return http.StatusBadRequest, fmt.Sprintf("Unsupported parameter: '%s' is not supported with this model.", field)
}

func openAITooLong(tokens, context int) (string, string) {
	return "context_length_exceeded", fmt.Sprintf(
		"This model's maximum context length is %d tokens. However, your messages resulted in %d tokens. Please reduce the length of the messages.", context, tokens)
}

// flat is an error that is not inside another object.
func flat(status int, kind, _, message string) any {
	return map[string]any{"object": "error", "message": message, "type": kind, "param": nil, "code": status}
}

func vllmUnsupported(field string) (int, string) {
	return http.StatusBadRequest, fmt.Sprintf("[{'type': 'extra_forbidden', 'loc': ('body', '%s'), 'msg': 'Extra inputs are not permitted'}]", field)
}

// numbered is an error whose code is the status; what it is stands in its type or its metadata.
func numbered(status int, kind, code, message string) any {
	if code != "" {
		kind = code
	}
	return map[string]any{"error": map[string]any{"code": status, "message": message, "type": kind}}
}

func llamaUnsupported(field string) (int, string) {
	return http.StatusBadRequest, "Unsupported param: " + field
}

func llamaTooLong(tokens, context int) (string, string) {
	return "exceed_context_size_error", fmt.Sprintf("request (%d tokens) exceeds the available context size (%d tokens), try increasing it", tokens, context)
}

// lite is an error whose code is the status as text.
func lite(status int, kind, code, message string) any {
	if code != "" {
		message = code + ": " + message
	}
	return map[string]any{"error": map[string]any{"message": message, "type": kind, "param": nil, "code": fmt.Sprint(status)}}
}

func liteUnsupported(field string) (int, string) {
	return http.StatusBadRequest, fmt.Sprintf("litellm.UnsupportedParamsError: the provider does not support parameters: ['%s']. To drop these, set `litellm.drop_params=True`.", field)
}

// routerUnsupported does not say which.
func routerUnsupported(string) (int, string) {
	return http.StatusNotFound, "No endpoints found that can handle the requested parameters."
}

// typed is an error that says at the top that it is one.
func typed(_ int, kind, code, message string) any {
	if code != "" {
		kind = code
	}
	return map[string]any{"type": "error", "error": map[string]any{"type": kind, "message": message}}
}

func anthropicUnsupported(field string) (int, string) {
	return http.StatusBadRequest, field + ": Extra inputs are not permitted"
}

func anthropicTooLong(tokens, context int) (string, string) {
	return "invalid_request_error", fmt.Sprintf("prompt is too long: %d tokens > %d maximum", tokens, context)
}

// detail is an error in one text, as small servers of one's own have it.
func detail(_ int, _, code, message string) any {
	if code != "" {
		message = code + ": " + message
	}
	return map[string]any{"detail": message}
}

// serve does what the dialect does otherwise, and tells whether that was an answer.
func (d Dialect) serve(x *Exchange, o Options) bool {
	if field := refusedField(x.Request, o.Refuses); field != "" && d.unsupported != nil {
		status, message := d.unsupported(field)
		x.Error(status, "invalid_request_error", "", message)
		return true
	}
	if n := x.Request.Tokens(); o.Context > 0 && n > o.Context {
		if d.tooLong != nil {
			code, message := d.tooLong(n, o.Context)
			x.Error(http.StatusBadRequest, "invalid_request_error", code, message)
			return true
		}
		x.Read = o.Context
		x.Request.Messages = kept(x.Request.Messages, o.Context)
	}
	if d.deaf && (x.Request.Schema != nil || x.Request.JSON) {
		x.Say("Certainly. Here is what I found:\n\n" + x.Answer() + "\n\nTell me if I can help with more.")
		return true
	}
	return false
}

// refusedField is the first field of the request that is in refuses, as the server names it.
func refusedField(r Request, refuses []string) string {
	var sent map[string]json.RawMessage
	if json.Unmarshal(r.Body, &sent) != nil {
		return ""
	}
	format := string(sent["response_format"])
	for _, field := range refuses {
		switch field {
		case "json_schema", "json_object":
			if strings.Contains(format, `"`+field+`"`) {
				return "response_format"
			}
		case "strict":
			if strings.Contains(format, `"strict":true`) {
				return "response_format.json_schema.strict"
			}
		case "system":
			if slices.ContainsFunc(r.Messages, func(m Message) bool { return m.Role == "system" }) {
				return "messages[0].role 'system'"
			}
		default:
			if sent[field] != nil {
				return field
			}
		}
	}
	return ""
}

// kept is what a context of so many tokens holds: the system message, and of the last one its end.
func kept(all []Message, context int) []Message {
	room := context * 4
	var out []Message
	for i, m := range all {
		if i < len(all)-1 && m.Role != "system" {
			continue
		}
		if m.Role != "system" && len(m.Content) > room {
			m.Content = m.Content[len(m.Content)-max(room, 1):]
		}
		room = max(room-len(m.Content), 0)
		out = append(out, m)
	}
	return out
}
