package llm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sashabaranov/go-openai"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Client asks one model on one server.
type Client struct {
	lib         openai.ClientConfig
	doer        doer
	model       string
	host        string
	dialect     dialect
	temperature float64
	timeout     time.Duration
	log         *slog.Logger
	metrics     metrics
	learned     Learned // nil: what is learned ends with the process
	key         string  // of what is learned

	mu       sync.Mutex
	known    Ability
	recalled bool        // what was kept has been looked for
	most     int         // tokens of the longest prompt that the server says it has read
	warned   atomic.Bool // of a server that drops a part of the prompt
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
	c := &Client{
		model: cfg.Model, host: base.Host, dialect: dialectOf(base), temperature: cfg.Temperature, timeout: cfg.Timeout,
		log: log, metrics: newMetrics(), key: learnedKey(base.String(), cfg.Model),
		doer: doer{http: newHTTP(), key: cfg.APIKey.Reveal(), backoff: defaultBackoff},
		lib:  openai.DefaultConfig(cfg.APIKey.Reveal()),
	}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	c.known = c.dialect.ability(c.model)
	c.lib.BaseURL = base.String()
	if err := c.metrics.register(reg); err != nil {
		return nil, fmt.Errorf("set up the model: %w", err)
	}
	return c, nil
}

// Complete asks p and returns what the model said, without its thinking. Its error is an *Error; the completion beside
// it holds what was used even so. It ends within Config.Timeout, and at once when ctx does.
//
// What the server refuses of the request is left out or said otherwise, and asked again at once; that is remembered
// for a day. An answer that has not the shape of p.Schema is handed on as it came: whoever asked for it knows best what
// to say about it, and the next request asks in a way that this server may heed. A prompt that is longer than the
// server reads ends with an Error that has Room, and a longer one than that is not sent again.
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
	if done.Usage.Calls > 0 {
		c.metrics.observe(outcome, took)
	}
	c.log.DebugContext(ctx, "model asked", "host", c.host, "model", c.model, "outcome", outcome, "took", took, "tokens", done.Usage.Tokens)
	return done, err
}

// complete asks until the server takes the request, or refuses something that cannot be left out.
func (c *Client) complete(ctx context.Context, p diagnose.Prompt) (diagnose.Completion, error) {
	known := c.ability(ctx)
	if known.Room > 0 && p.Estimate > known.Room {
		return diagnose.Completion{Model: c.model}, &Error{Outcome: OutcomeTooLong, Room: known.Room, Message: fmt.Sprintf(
			"the server has shown that it reads about %d tokens of a prompt, and this one is about %d", known.Room, p.Estimate)}
	}
	var used schema.Usage
	for try := known; ; {
		got, err := c.ask(ctx, p, try)
		used.Calls += got.Usage.Calls
		used.Tokens += got.Usage.Tokens
		got.Usage = used
		next, refused := try.without(err, p.MaxTokens, p.Schema != nil)
		if refused == "" {
			return c.settle(ctx, p, got, err, known, try)
		}
		c.log.InfoContext(ctx, "model server refuses a part of the request, asking otherwise", "host", c.host, "model", c.model, "refused", refused, "error", err)
		try = next
	}
}

// settle learns from how the last attempt ended, and makes the text ready for use.
func (c *Client) settle(ctx context.Context, p diagnose.Prompt, got said, err error, known, tried Ability) (diagnose.Completion, error) {
	var e *Error
	refused := errors.As(err, &e)
	if err == nil || refused && e.Status == http.StatusOK { // the server took the request
		c.learn(ctx, func(a *Ability) { a.take(known, tried) })
		if cut := c.wasCut(ctx, p, got.prompt); cut != nil {
			got.Text = ""
			return got.Completion, cut
		}
	}
	if refused && e.Outcome == OutcomeCut && got.full(p) {
		e.Outcome, e.Message = OutcomeTooLong, fmt.Sprintf("prompt and answer did not fit: after %d tokens of an answer of at most %d there was no room left", got.wrote, got.limit)
	}
	if refused && e.Outcome == OutcomeTooLong {
		e.Room = c.halve(ctx, p)
	}
	if err != nil {
		return got.Completion, err
	}
	got.Text, err = c.usable(ctx, p, got.Text, tried)
	return got.Completion, err
}

// usable takes the answer out of what the model said, and learns whether the server heeds the format asked for.
func (c *Client) usable(ctx context.Context, p diagnose.Prompt, text string, tried Ability) (string, error) {
	text = diagnose.DropThinking(text)
	if text == "" {
		return "", &Error{Outcome: OutcomeBroken, Status: http.StatusOK, Message: "the answer holds nothing but thinking"}
	}
	if p.Schema == nil {
		return text, nil
	}
	raw, notJSON := diagnose.Object(text)
	problem := notJSON
	if notJSON == nil {
		problem = fits(p.Schema, raw)
	}
	lower := tried.Format
	switch {
	case problem == nil:
		return string(raw), nil
	case tried.Format == FormatStrict || tried.Format == FormatSchema:
		lower = FormatObject // a server that keeps a schema cannot say this, so it does not heed it
	case tried.Format == FormatObject && notJSON != nil:
		lower = FormatText
	}
	if lower != tried.Format {
		c.log.InfoContext(ctx, "model server does not heed the format asked for, asking otherwise from now on", "host", c.host, "model", c.model, "ignored", tried.Format, "error", problem)
		c.learn(ctx, func(a *Ability) {
			if a.Format == tried.Format {
				a.Format = lower
			}
		})
	}
	return text, nil
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
