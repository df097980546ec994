package llm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Outcomes of a call, which are also the values of the metric's label.
const (
	OutcomeOK           = "ok"
	OutcomeTimeout      = "timeout"           // no answer within the time there was
	OutcomeCanceled     = "canceled"          // the caller did not want it any more
	OutcomeUnreachable  = "unreachable"       // no connection, or one that broke
	OutcomeThrottled    = "throttled"         // asked to wait for longer than there was time
	OutcomeQuota        = "quota"             // nothing left to spend; only a person can help
	OutcomeUnauthorized = "unauthorized"      // the key is wrong or may not do this
	OutcomeRefused      = "refused"           // the request is not one this server takes
	OutcomeServer       = "server_error"      // the server is in trouble
	OutcomeBroken       = "broken"            // a reply that is not one
	OutcomeCut          = "cut"               // the model ran into its limit of tokens
	OutcomeFiltered     = "filtered"          // the model or its server would not answer
	OutcomeTooLong      = "context_exceeded"  // the prompt does not fit into what the model reads
	OutcomeTruncated    = "context_truncated" // the server dropped a part of the prompt without a word
)

// Error is why there is no completion, in words for people: who was asked what, what went wrong, what to do.
type Error struct {
	Outcome string
	Model   string
	Host    string
	Status  int           // of HTTP; 0: none came
	Wait    time.Duration // how long the server wants to be left alone; 0: it did not say
	Room    int           // tokens of a prompt that may fit, where this one was too long; 0: its length is no problem
	Message string        // what went wrong, the server's own words redacted and cut
	said    string        // those words in small letters, raw: to be looked into, never shown
	cause   error
}

// Error never shows the key.
func (e *Error) Error() string {
	text := fmt.Sprintf("ask %s at %s: %s", e.Model, e.Host, e.Message)
	if h := e.hint(); h != "" {
		text += "; " + h
	}
	return text
}

// Unwrap gives what lies below, such as context.DeadlineExceeded.
func (e *Error) Unwrap() error { return e.cause }

func (e *Error) hint() string {
	switch e.Outcome {
	case OutcomeTimeout:
		return "raise LLM_TIMEOUT, or use a faster model"
	case OutcomeUnreachable:
		return "check that the server runs and that LLM_BASE_URL is right"
	case OutcomeThrottled:
		return "ask less often, or raise the limit at the provider"
	case OutcomeQuota:
		return "check the plan and the billing at the provider"
	case OutcomeUnauthorized:
		return "check LLM_API_KEY"
	case OutcomeRefused:
		return "check LLM_BASE_URL and LLM_MODEL"
	case OutcomeTooLong, OutcomeTruncated:
		return "raise the server's context length (Ollama: OLLAMA_CONTEXT_LENGTH), or use a model that reads more"
	case OutcomeServer, OutcomeBroken:
		return "look at the server's own log if it stays so"
	}
	return ""
}

// maxMessage is how much of a server's own words is repeated, in bytes.
const maxMessage = 300

// reply is what can be read out of an error body of any server.
type reply struct{ message, kind, param string }

// all is everything that was said, in small letters, as far as it is looked into.
func (r reply) all() string {
	return strings.ToLower((r.kind + " " + r.param + " " + r.message)[:min(len(r.kind)+len(r.param)+len(r.message)+2, maxErrorBody)])
}

// tooLong tells whether the prompt is longer than the model reads, in the words of each kind of server.
func (r reply) tooLong(status int) bool {
	if status != http.StatusBadRequest && status != http.StatusRequestEntityTooLarge && status != http.StatusUnprocessableEntity {
		return false
	}
	return has(r.all(), "context_length", "maximum context length", "exceed_context_size", "available context size", "context window",
		"prompt is too long", "input is too long")
}

// readReply understands {"error":{"message"}}, {"error":"text"}, {"message"}, {"detail"} and anything else as text.
// An error inside a list, as one provider sends it, counts too.
func readReply(body []byte) reply {
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return reply{message: plain(string(body))}
	}
	for _, name := range []string{"error", "detail", "message"} {
		if r := readField(fields[name]); r.message != "" || r.kind != "" {
			if r.kind == "" {
				r.kind = text(fields["code"]) + " " + text(fields["type"])
			}
			return r
		}
	}
	return reply{message: plain(string(body))}
}

func readField(raw json.RawMessage) reply {
	if len(raw) == 0 || string(raw) == "null" {
		return reply{}
	}
	var inner struct {
		Message json.RawMessage `json:"message"`
		Code    json.RawMessage `json:"code"`
		Type    json.RawMessage `json:"type"`
		Param   json.RawMessage `json:"param"`
	}
	if json.Unmarshal(raw, &inner) == nil {
		r := reply{message: text(inner.Message), kind: text(inner.Code) + " " + text(inner.Type), param: text(inner.Param)}
		if r.message == "" {
			r.message = plain(string(raw))
		}
		return r
	}
	if s := text(raw); s != "" {
		return reply{message: s}
	}
	return reply{message: plain(string(raw))}
}

// text is a JSON string's value, or a number or truth as it is written.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if len(raw) > 0 && raw[0] != '{' && raw[0] != '[' && string(raw) != "null" {
		return string(raw)
	}
	return ""
}

// plain is the readable part of a body that is not JSON: of HTML, its text.
func plain(body string) string {
	if strings.Contains(body, "</") {
		body = withoutTags(body)
	}
	return strings.Join(strings.Fields(body), " ")
}

func withoutTags(body string) string {
	var b strings.Builder
	inTag := false
	for _, r := range body {
		switch {
		case r == '<':
			inTag = true
		case r == '>' && inTag:
			inTag = false
			b.WriteByte(' ')
		case !inTag:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// outOfQuota tells whether waiting is in vain because there is nothing left to spend. The word billing in a message
// proves nothing: a passing rate limit comes with a link to the billing page too.
func (r reply) outOfQuota(status int) bool {
	kind, message := strings.ToLower(r.kind), strings.ToLower(r.message)
	return status == http.StatusPaymentRequired || strings.Contains(kind, "billing") ||
		strings.Contains(kind+" "+message, "insufficient_quota") || strings.Contains(message, "billing hard limit")
}

func outcomeOf(status int, r reply) string {
	switch {
	case r.outOfQuota(status):
		return OutcomeQuota
	case r.tooLong(status):
		return OutcomeTooLong
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return OutcomeUnauthorized
	case status == http.StatusTooManyRequests:
		return OutcomeThrottled
	case status == http.StatusRequestTimeout || status >= 500:
		return OutcomeServer
	}
	return OutcomeRefused
}

// words cleans what a server said: one line, without secrets and without the key that it may have repeated.
func words(s, key string) string {
	if key != "" {
		s = strings.ReplaceAll(s, key, "***")
	}
	return scrub.Line(s, maxMessage)
}

// broken describes a failure below HTTP.
func broken(ctx context.Context, err error) *Error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &Error{Outcome: OutcomeTimeout, Message: "no answer in time", cause: context.DeadlineExceeded}
	case ctx.Err() != nil:
		return &Error{Outcome: OutcomeCanceled, Message: "given up before the answer came", cause: ctx.Err()}
	}
	return &Error{Outcome: OutcomeUnreachable, Message: words(err.Error(), ""), cause: err}
}
