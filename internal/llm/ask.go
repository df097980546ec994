package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/sashabaranov/go-openai"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// said is a completion, how many tokens of the prompt its server says it has read, and how many it has written of how
// many allowed.
type said struct {
	diagnose.Completion
	prompt, wrote, limit int
}

// ask makes one request as a allows; the doer below may repeat it.
func (c *Client) ask(ctx context.Context, p diagnose.Prompt, a Ability) (said, error) {
	got := said{Completion: diagnose.Completion{Model: c.model}, limit: p.MaxTokens}
	if strings.TrimSpace(p.User) == "" {
		return got, &Error{Outcome: OutcomeRefused, Message: "the prompt is empty, and nothing was sent"}
	}
	got.Usage = schema.Usage{Calls: 1}
	if a.Cap > 0 {
		got.limit = min(got.limit, a.Cap)
	}
	sender, lib := c.doer, c.lib
	sender.fields = c.fields(a, got.limit)
	lib.HTTPClient = &sender
	resp, err := openai.NewClientWithConfig(lib).CreateChatCompletion(ctx, request(c.model, p, a))
	if err != nil {
		return got, err
	}
	got.Usage.Tokens, got.prompt, got.wrote = resp.Usage.TotalTokens, resp.Usage.PromptTokens, resp.Usage.CompletionTokens
	got.PromptTokens = resp.Usage.PromptTokens
	c.metrics.spend(resp.Usage.PromptTokens, resp.Usage.CompletionTokens)
	if resp.Model != "" {
		got.Model = resp.Model
	}
	got.Text, err = answer(resp, got.limit)
	return got, err
}

// fields are the parameters of a request.
func (c *Client) fields(a Ability, limit int) map[string]any {
	f := map[string]any{}
	if a.Temperature {
		f["temperature"] = c.temperature
	}
	if a.Limit != "" && limit > 0 {
		f[a.Limit] = limit
	}
	return f
}

// request is what is asked, in messages that are never empty: servers refuse those.
func request(model string, p diagnose.Prompt, a Ability) openai.ChatCompletionRequest {
	system, user := p.System, p.User
	if p.Schema != nil && (a.Format == FormatObject || a.Format == FormatText) {
		user += inWords(p.Schema, a.Format)
	}
	if system != "" && !a.System {
		system, user = "", system+"\n\n"+user
	}
	r := openai.ChatCompletionRequest{Model: model}
	if system != "" {
		r.Messages = append(r.Messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleSystem, Content: system})
	}
	r.Messages = append(r.Messages, openai.ChatCompletionMessage{Role: openai.ChatMessageRoleUser, Content: user})
	if p.Schema != nil {
		r.ResponseFormat = format(p, a.Format)
	}
	return r
}

func format(p diagnose.Prompt, f Format) *openai.ChatCompletionResponseFormat {
	switch f {
	case FormatText:
		return nil
	case FormatObject:
		return &openai.ChatCompletionResponseFormat{Type: openai.ChatCompletionResponseFormatTypeJSONObject}
	case FormatStrict, FormatSchema:
	}
	return &openai.ChatCompletionResponseFormat{
		Type:       openai.ChatCompletionResponseFormatTypeJSONSchema,
		JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: p.SchemaName, Schema: p.Schema, Strict: f == FormatStrict},
	}
}

// inWords asks for a shape where the server does not see to it.
func inWords(shape json.RawMessage, f Format) string {
	how := "Answer with one JSON object and nothing else."
	if f == FormatText {
		how = "Answer with one JSON object in a block that begins with ```json and ends with ```."
	}
	return "\n\n" + how + " It has to be valid by this JSON schema, with every property in it:\n" + string(shape)
}

// answer takes the text out of a response, or says why there is none to use.
func answer(resp openai.ChatCompletionResponse, limit int) (string, error) {
	if len(resp.Choices) == 0 {
		return "", &Error{Outcome: OutcomeBroken, Status: http.StatusOK, Message: "the response holds no answer (no choices)"}
	}
	choice := resp.Choices[0]
	switch {
	case choice.FinishReason == openai.FinishReasonLength:
		return "", &Error{Outcome: OutcomeCut, Status: http.StatusOK, Message: fmt.Sprintf("the answer was cut off at its limit of %d tokens", limit)}
	case choice.FinishReason == openai.FinishReasonContentFilter:
		return "", &Error{Outcome: OutcomeFiltered, Status: http.StatusOK, Message: "the server's content filter kept the answer back"}
	case choice.Message.Refusal != "":
		return "", &Error{Outcome: OutcomeFiltered, Status: http.StatusOK, Message: "the model refuses to answer: " + words(choice.Message.Refusal, "")}
	case len(choice.Message.ToolCalls) > 0 && strings.TrimSpace(choice.Message.Content) == "":
		return "", &Error{Outcome: OutcomeBroken, Status: http.StatusOK, Message: "the model calls a tool instead of answering, and it was offered none"}
	case strings.TrimSpace(choice.Message.Content) == "":
		return "", &Error{Outcome: OutcomeBroken, Status: http.StatusOK, Message: "the answer is empty"}
	}
	return choice.Message.Content, nil
}
