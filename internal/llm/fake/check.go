package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const maxRequest = 4 << 20

// body is the part of a request that is looked at. What is not in known is refused.
type body struct {
	Model               string         `json:"model"`
	Messages            []Message      `json:"messages"`
	MaxTokens           *int           `json:"max_tokens"`
	MaxCompletionTokens *int           `json:"max_completion_tokens"`
	Temperature         *float64       `json:"temperature"`
	Stream              bool           `json:"stream"`
	StreamOptions       *streamOptions `json:"stream_options"`
	N                   *int           `json:"n"`
	ResponseFormat      *format        `json:"response_format"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type format struct {
	Type       string `json:"type"`
	JSONSchema *struct {
		Name   string          `json:"name"`
		Strict *bool           `json:"strict"`
		Schema json.RawMessage `json:"schema"`
	} `json:"json_schema"`
}

func known() []string {
	return []string{
		"audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
		"max_tokens", "messages", "metadata", "modalities", "model", "n", "parallel_tool_calls", "prediction",
		"presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format", "safety_identifier", "seed",
		"service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools",
		"top_logprobs", "top_p", "user", "verbosity", "web_search_options",
	}
}

// read takes a request apart and says in Refused what a strict server would say against it.
func read(r *http.Request) Request {
	got := Request{Path: r.URL.Path, Header: r.Header.Clone()}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	got.Body = raw
	if err != nil {
		got.Refused = "We could not read the body of your request: " + err.Error()
		return got
	}
	var b body
	if err := decode(raw, &b); err != nil {
		got.Refused = err.Error()
		return got
	}
	got.Model, got.Messages = b.Model, b.Messages
	for _, n := range []*int{b.MaxTokens, b.MaxCompletionTokens} {
		if n != nil {
			got.MaxTokens = *n
		}
	}
	got.Stream, got.usage = b.Stream, b.StreamOptions != nil && b.StreamOptions.IncludeUsage
	if b.ResponseFormat != nil {
		got.JSON = b.ResponseFormat.Type == "json_object"
		if b.ResponseFormat.JSONSchema != nil {
			got.Schema = b.ResponseFormat.JSONSchema.Schema
		}
	}
	if err := errors.Join(b.parameters(), b.messages(), b.format()); err != nil {
		got.Refused = err.Error()
	}
	return got
}

func decode(raw []byte, b *body) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("We could not parse the JSON body of your request: %w", err) //nolint:staticcheck // the server's own words
	}
	for name, value := range fields {
		if !slices.Contains(known(), name) {
			return fmt.Errorf("Unrecognized request argument supplied: %s", name) //nolint:staticcheck // the server's own words
		}
		if string(value) == "null" {
			return fmt.Errorf("Invalid type for '%s': expected a value, but got null instead", name) //nolint:staticcheck // the server's own words
		}
	}
	return json.Unmarshal(raw, b)
}

func (b *body) parameters() error {
	reasoning := regexp.MustCompile(`^(o\d|gpt-[56])`).MatchString(b.Model)
	switch {
	case b.Model == "":
		return errors.New("you must provide a model parameter")
	case b.StreamOptions != nil && !b.Stream:
		return errors.New("the 'stream_options' parameter is only allowed when 'stream' is enabled")
	case b.MaxTokens != nil && b.MaxCompletionTokens != nil:
		return errors.New("setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported")
	case reasoning && b.MaxTokens != nil:
		return errors.New("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead") //nolint:staticcheck // the server's own words
	case reasoning && b.Temperature != nil && *b.Temperature != 1:
		return fmt.Errorf("Unsupported value: 'temperature' does not support %v with this model", *b.Temperature) //nolint:staticcheck // the server's own words
	case b.Temperature != nil && (*b.Temperature < 0 || *b.Temperature > 2):
		return fmt.Errorf("invalid 'temperature': %v is not between 0 and 2", *b.Temperature)
	case b.MaxTokens != nil && *b.MaxTokens < 1, b.MaxCompletionTokens != nil && *b.MaxCompletionTokens < 1:
		return errors.New("invalid limit of tokens: it is below 1")
	case b.N != nil && *b.N != 1:
		return errors.New("invalid 'n': this server answers once")
	}
	return nil
}

func (b *body) messages() error {
	if len(b.Messages) == 0 {
		return errors.New("[] is too short - 'messages'")
	}
	roles := []string{"system", "developer", "user", "assistant"}
	for i, m := range b.Messages {
		if !slices.Contains(roles, m.Role) {
			return fmt.Errorf("invalid value: %q at messages[%d].role; supported values are %s", m.Role, i, strings.Join(roles, ", "))
		}
		if m.Content == "" {
			return fmt.Errorf("invalid message content at messages[%d]: it is empty", i)
		}
	}
	return nil
}

func (b *body) format() error {
	f := b.ResponseFormat
	switch {
	case f == nil || f.Type == "text" || f.Type == "json_object":
		return nil
	case f.Type != "json_schema":
		return fmt.Errorf("invalid value for response_format.type: %q", f.Type)
	case f.JSONSchema == nil || len(f.JSONSchema.Schema) == 0:
		return errors.New("missing required parameter: 'response_format.json_schema'")
	case !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`).MatchString(f.JSONSchema.Name):
		return fmt.Errorf("invalid 'response_format.json_schema.name': %q", f.JSONSchema.Name)
	}
	s := strict{}
	if err := s.check(f.JSONSchema.Schema, 1, "()"); err != nil {
		return fmt.Errorf("invalid schema for response_format '%s': %w", f.JSONSchema.Name, err)
	}
	return nil
}

// strict checks the subset of JSON Schema that strict structured output takes.
type strict struct{ properties int }

type node struct {
	Type                 json.RawMessage            `json:"type"`
	Properties           map[string]json.RawMessage `json:"properties"`
	Required             []string                   `json:"required"`
	AdditionalProperties *bool                      `json:"additionalProperties"`
	Items                json.RawMessage            `json:"items"`
}

// Limits of strict structured output.
const (
	maxDepth      = 5
	maxProperties = 100
)

func (s *strict) check(raw json.RawMessage, depth int, at string) error {
	var n node
	if err := json.Unmarshal(raw, &n); err != nil {
		return fmt.Errorf("in context=%s, the schema does not parse: %w", at, err)
	}
	if err := s.keywords(raw, at); err != nil {
		return err
	}
	if depth == 1 && string(n.Type) != `"object"` {
		return fmt.Errorf("in context=%s, the root has to be of type \"object\", got %s", at, n.Type)
	}
	if n.Items != nil {
		return s.check(n.Items, depth, at+"/items")
	}
	if n.Properties == nil {
		return nil
	}
	return s.object(n, depth, at)
}

func (s *strict) object(n node, depth int, at string) error {
	if depth > maxDepth {
		return fmt.Errorf("in context=%s, more than %d levels of nesting", at, maxDepth)
	}
	if n.AdditionalProperties == nil || *n.AdditionalProperties {
		return fmt.Errorf("in context=%s, 'additionalProperties' is required to be supplied and to be false", at)
	}
	if s.properties += len(n.Properties); s.properties > maxProperties {
		return fmt.Errorf("in context=%s, more than %d properties", at, maxProperties)
	}
	for name, p := range n.Properties {
		if !slices.Contains(n.Required, name) {
			return fmt.Errorf("in context=%s, 'required' is required to be supplied and to include every key in properties: missing '%s'", at, name)
		}
		if err := s.check(p, depth+1, at+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

func (s *strict) keywords(raw json.RawMessage, at string) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("in context=%s, %w", at, err)
	}
	allowed := []string{"type", "properties", "required", "additionalProperties", "items", "enum", "description", "anyOf", "$defs", "$ref", "const"}
	for name := range fields {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("in context=%s, '%s' is not permitted", at, name)
		}
	}
	return nil
}
