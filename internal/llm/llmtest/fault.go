package llmtest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
)

// Fault is a way for one request to end other than well.
type Fault func(*Exchange)

// Text makes the model say something else.
func Text(text string) Fault { return func(x *Exchange) { x.Say(text) } }

// By makes the model answer by what it is asked.
func By(answer func(Request) string) Fault { return func(x *Exchange) { x.Say(answer(x.Request)) } }

// Fenced wraps the answer in Markdown and talk.
func Fenced() Fault {
	return func(x *Exchange) { x.Say("Sure! Here it is:\n\n```json\n" + x.Answer() + "\n```\nHope this helps.") }
}

// Think puts a reasoning model's thoughts before the answer.
func Think() Fault {
	return func(x *Exchange) {
		x.Say("<think>\nThey want {\"summary\":\"x\"} or so.\n</think>\n\n" + x.Answer())
	}
}

// Status answers with an error in OpenAI's shape.
func Status(status int, message string) Fault {
	return func(x *Exchange) { x.Error(status, "server_error", "", message) }
}

// Raw answers with any body, for the error shapes of other servers.
func Raw(status int, contentType, body string) Fault {
	return func(x *Exchange) { x.Body(status, contentType, body) }
}

// Times is n of the same fault, for Handler.Fault.
func Times(n int, f Fault) []Fault {
	all := make([]Fault, n)
	for i := range all {
		all[i] = f
	}
	return all
}

// Throttled asks to come back after so many seconds.
func Throttled(seconds int) Fault {
	return func(x *Exchange) {
		x.Header().Set("Retry-After", strconv.Itoa(seconds))
		x.Error(http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Rate limit reached. Add a payment method at https://example.com/account/billing.")
	}
}

// ThrottledMillis is Throttled with the header that counts in milliseconds.
func ThrottledMillis(ms int) Fault {
	return func(x *Exchange) {
		x.Header().Set("Retry-After-Ms", strconv.Itoa(ms))
		x.Error(http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Rate limit reached.")
	}
}

// ThrottledUntil is Throttled with an HTTP date, which has whole seconds.
func ThrottledUntil(at time.Time) Fault {
	return func(x *Exchange) {
		x.Header().Set("Retry-After", at.UTC().Format(http.TimeFormat))
		x.Error(http.StatusTooManyRequests, "requests", "rate_limit_exceeded", "Rate limit reached.")
	}
}

// Quota says that there is nothing left to spend.
func Quota() Fault {
	return func(x *Exchange) {
		x.Error(http.StatusTooManyRequests, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details.")
	}
}

// Hang answers nothing until the client gives up or the server is closed.
func Hang() Fault { return func(x *Exchange) { <-x.Context().Done() } }

// Until holds the answer back until release is closed, the client gives up or the server is closed.
func Until(release <-chan struct{}) Fault {
	return func(x *Exchange) {
		select {
		case <-release:
			x.Say(x.Answer())
		case <-x.Context().Done():
		}
	}
}

// Cut promises more of the body than it sends.
func Cut() Fault {
	return func(x *Exchange) {
		x.Header().Set("Content-Length", "4096")
		x.Body(http.StatusOK, "application/json", `{"id":"chatcmpl-fake","choices":[{"index":0,"message":{"role":"assi`)
	}
}

// HTML is a proxy's own error page.
func HTML(status int) Fault {
	return Raw(status, "text/html", "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1><p>nginx</p></body></html>")
}

// ErrorInside200 is a success that holds an error.
func ErrorInside200(message string) Fault {
	return func(x *Exchange) { x.Error(http.StatusOK, "upstream_error", "", message) }
}

// NoChoices is a completion without an answer in it.
func NoChoices() Fault {
	return func(x *Exchange) { x.JSON(http.StatusOK, x.Completion([]any{})) }
}

// Huge is an error whose body has so many bytes.
func Huge(status, size int) Fault {
	return func(x *Exchange) {
		x.Writer().WriteHeader(status)
		block := []byte(strings.Repeat("x", 64<<10))
		for sent := 0; sent < size; sent += len(block) {
			if _, err := x.Writer().Write(block); err != nil {
				return
			}
		}
	}
}

// Truncated stops in the middle because the answer may not be longer.
func Truncated() Fault {
	return func(x *Exchange) {
		x.Wrote = x.Request.MaxTokens
		ContextFull()(x)
	}
}

// ContextFull stops in the middle because prompt and answer together fill what the model can hold.
func ContextFull() Fault {
	return func(x *Exchange) {
		text := x.Answer()
		x.JSON(http.StatusOK, x.Completion(fake.Choice(text[:len(text)/2], "length", "")))
	}
}

// Filtered is what a content filter leaves.
func Filtered() Fault {
	return func(x *Exchange) { x.JSON(http.StatusOK, x.Completion(fake.Choice("", "content_filter", ""))) }
}

// Refusal is a model that will not.
func Refusal(text string) Fault {
	return func(x *Exchange) { x.JSON(http.StatusOK, x.Completion(fake.Choice("", "stop", text))) }
}

// NoSchema is a server that knows no structured output and is well otherwise.
func NoSchema() Fault {
	return func(x *Exchange) {
		if x.Request.Schema == nil {
			x.Say(x.Answer())
			return
		}
		x.Error(http.StatusBadRequest, "invalid_request_error", "", "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.")
	}
}

// Redirect sends elsewhere.
func Redirect(to string) Fault {
	return func(x *Exchange) {
		x.Header().Set("Location", to)
		x.Writer().WriteHeader(http.StatusTemporaryRedirect)
	}
}
