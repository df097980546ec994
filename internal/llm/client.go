package llm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sashabaranov/go-openai"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Client asks one model on one server.
type Client struct {
	api     *openai.Client
	doer    *doer
	model   string
	host    string
	dialect dialect
	timeout time.Duration
	log     *slog.Logger
	metrics metrics
	// plain is set once the server has refused structured output and then answered without it.
	plain atomic.Bool
}

// New makes a client for cfg. It connects to nothing. Its error lists what is wrong with cfg, or says which metric was
// registered before. The log and the registerer may be nil.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("set up the model: %w", err)
	}
	if !cfg.Enabled() {
		return nil, errors.New("set up the model: none is configured; set LLM_BASE_URL and LLM_MODEL")
	}
	base, err := baseURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("set up the model: LLM_BASE_URL %w", err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{model: cfg.Model, host: base.Host, dialect: dialectOf(base, cfg.Model), log: log, timeout: cfg.Timeout, metrics: newMetrics()}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	if err := c.metrics.register(reg); err != nil {
		return nil, fmt.Errorf("set up the model: %w", err)
	}
	c.doer = &doer{http: newHTTP(), key: cfg.APIKey.Reveal(), backoff: defaultBackoff}
	if !c.dialect.reasoning {
		c.doer.temperature = &cfg.Temperature
	}
	lib := openai.DefaultConfig(cfg.APIKey.Reveal())
	lib.BaseURL = base.String()
	lib.HTTPClient = c.doer
	c.api = openai.NewClientWithConfig(lib)
	return c, nil
}

// Complete asks p and returns what the model said. Its error is an *Error; the completion beside it holds what was
// used even so. It ends within Config.Timeout, and at once when ctx does.
func (c *Client) Complete(ctx context.Context, p diagnose.Prompt) (diagnose.Completion, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	start := time.Now()
	done, err := c.complete(ctx, p)
	took, outcome := time.Since(start), OutcomeOK
	if err != nil {
		e := c.explain(ctx, err, took)
		outcome, err = e.Outcome, e
	}
	c.metrics.observe(outcome, took)
	c.log.DebugContext(ctx, "model asked", "host", c.host, "model", c.model, "outcome", outcome, "took", took, "tokens", done.Usage.Tokens)
	return done, err
}

// complete asks for structured output where p wants it, and once more in plain text where the server will not have it.
func (c *Client) complete(ctx context.Context, p diagnose.Prompt) (diagnose.Completion, error) {
	structured := p.Schema != nil && !c.plain.Load()
	done, err := c.ask(ctx, p, structured)
	if !structured || !refusesSchema(err) {
		return done, err
	}
	c.log.InfoContext(ctx, "model server refuses structured output, asking in plain text", "host", c.host, "model", c.model, "error", err)
	again, err := c.ask(ctx, p, false)
	again.Usage.Calls += done.Usage.Calls
	again.Usage.Tokens += done.Usage.Tokens
	again.PromptTokens += done.PromptTokens
	if err == nil {
		c.plain.Store(true)
	}
	return again, err
}

// refusesSchema tells whether err is a server's way of saying that it knows no structured output.
func refusesSchema(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
	default:
		return false
	}
	said := strings.ToLower(e.Message)
	for _, word := range []string{"response_format", "json_schema", "schema", "unsupported"} {
		if strings.Contains(said, word) {
			return true
		}
	}
	return false
}

// ask makes one request; the doer below may repeat it.
func (c *Client) ask(ctx context.Context, p diagnose.Prompt, structured bool) (diagnose.Completion, error) {
	done := diagnose.Completion{Model: c.model, Usage: schema.Usage{Calls: 1}}
	resp, err := c.api.CreateChatCompletion(ctx, c.request(p, structured))
	if err != nil {
		return done, err
	}
	done.Usage.Tokens, done.PromptTokens = resp.Usage.TotalTokens, resp.Usage.PromptTokens
	c.metrics.spend(resp.Usage.PromptTokens, resp.Usage.CompletionTokens)
	if resp.Model != "" {
		done.Model = resp.Model
	}
	done.Text, err = answer(resp, p.MaxTokens)
	return done, err
}

func (c *Client) request(p diagnose.Prompt, structured bool) openai.ChatCompletionRequest {
	r := openai.ChatCompletionRequest{Model: c.model, Messages: []openai.ChatCompletionMessage{
		{Role: openai.ChatMessageRoleSystem, Content: p.System},
		{Role: openai.ChatMessageRoleUser, Content: p.User},
	}}
	if c.dialect.newLimit {
		r.MaxCompletionTokens = p.MaxTokens
	} else {
		r.MaxTokens = p.MaxTokens //nolint:staticcheck // deprecated by OpenAI; most other servers know only this one
	}
	if structured {
		r.ResponseFormat = &openai.ChatCompletionResponseFormat{
			Type:       openai.ChatCompletionResponseFormatTypeJSONSchema,
			JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: p.SchemaName, Schema: p.Schema, Strict: true},
		}
	}
	return r
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
	case strings.TrimSpace(choice.Message.Content) == "":
		return "", &Error{Outcome: OutcomeBroken, Status: http.StatusOK, Message: "the answer is empty"}
	}
	return choice.Message.Content, nil
}

// explain makes an *Error of whatever a call ended with, and says who was asked.
func (c *Client) explain(ctx context.Context, err error, took time.Duration) *Error {
	var e *Error
	if !errors.As(err, &e) {
		e = broken(ctx, err)
		if e.Outcome == OutcomeUnreachable { // it came, but the library makes nothing of it
			e.Outcome = OutcomeBroken
		}
	}
	if e.Outcome == OutcomeTimeout {
		e.Message = fmt.Sprintf("no answer within %s", took.Round(time.Millisecond))
	}
	e.Model, e.Host = c.model, c.host
	return e
}
