package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Limits of what is read and waited for.
const (
	maxResponse    = 8 << 20
	maxErrorBody   = 64 << 10
	connectTimeout = 5 * time.Second
)

// doer sends the library's requests as real servers need them. Its errors are *Error, without model and host.
type doer struct {
	http    *http.Client
	key     string
	backoff time.Duration  // before the first retry, doubled for the next
	fields  map[string]any // written into every body, as the library leaves out or refuses some
}

// newHTTP makes a client that connects within connectTimeout and never follows a redirect, which would carry the key
// and the evidence somewhere else. Silence before the first byte is no reason to give up: reasoning models think long.
func newHTTP() *http.Client {
	dial := &net.Dialer{Timeout: connectTimeout}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         dial.DialContext,
			TLSHandshakeTimeout: connectTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 8,
			IdleConnTimeout:     90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends req until it succeeds, cannot, or may not be repeated any more. A response that it returns has status 200
// and a whole JSON body without an error inside.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	body, err := d.rewrite(req)
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		try := req.Clone(req.Context())
		try.Body = io.NopCloser(bytes.NewReader(body))
		try.ContentLength = int64(len(body))
		resp, fail := d.once(try)
		if fail == nil {
			return resp, nil
		}
		if err := d.wait(req.Context(), attempt, fail); err != nil {
			return nil, err
		}
	}
}

// rewrite reads the request's body and puts fields in: the library leaves out a temperature of 0, and refuses limits by
// the names of models that it knows and others use too.
func (d *doer) rewrite(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("read the request to send: %w", err)
	}
	if err := req.Body.Close(); err != nil {
		return nil, fmt.Errorf("read the request to send: %w", err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("read the request to send: %w", err)
	}
	for name, value := range d.fields {
		if fields[name], err = json.Marshal(value); err != nil {
			return nil, fmt.Errorf("write %s into the request: %w", name, err)
		}
	}
	return json.Marshal(fields)
}

// failure is one attempt in vain.
type failure struct {
	*Error
	retry bool
	after wait
}

// once makes one attempt.
func (d *doer) once(req *http.Request) (*http.Response, *failure) {
	resp, err := d.http.Do(req)
	if err != nil {
		return nil, d.lost(req.Context(), inner(err))
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return nil, &failure{Error: redirected(resp)}
	case resp.StatusCode != http.StatusOK:
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what came before it broke is still the reason
		return nil, d.refused(resp.StatusCode, resp.Header, body)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if err != nil {
		return nil, d.lost(req.Context(), fmt.Errorf("the answer broke off after %d bytes: %w", len(body), err))
	}
	return d.accept(resp, body)
}

// accept looks into a body that came with status 200: some servers put their errors there.
func (d *doer) accept(resp *http.Response, body []byte) (*http.Response, *failure) {
	if len(body) > maxResponse {
		return nil, &failure{Error: &Error{Outcome: OutcomeBroken, Status: resp.StatusCode, Message: fmt.Sprintf("the answer is larger than %d MiB", maxResponse>>20)}}
	}
	if streams(resp.Header, body) {
		whole, err := assembled(body)
		if err != nil {
			return nil, &failure{retry: true, Error: &Error{Outcome: OutcomeUnreachable, Status: resp.StatusCode, Message: err.Error(), cause: err}}
		}
		body = whole
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		said := words(plain(string(body[:min(len(body), maxErrorBody)])), d.key)
		return nil, &failure{retry: true, after: waitOf(resp.Header, time.Now()), Error: &Error{
			Outcome: OutcomeBroken, Status: resp.StatusCode, Message: fmt.Sprintf("status 200, but the body is not JSON: %q", said), cause: err,
		}}
	}
	if status := inside(fields, body); status != 0 {
		return nil, d.refused(status, resp.Header, body)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	return resp, nil
}

// inside is the status of the error that a body holds instead of an answer, in the shape of any server; 0: it holds none.
func inside(fields map[string]json.RawMessage, body []byte) int {
	if e := fields["error"]; len(e) > 0 && string(e) != "null" {
		return insideStatus(e)
	}
	answered := fields["choices"] != nil || fields["data"] != nil
	if !answered && (fields["detail"] != nil || fields["message"] != nil) {
		return insideStatus(body)
	}
	return 0
}

// insideStatus is the status that an error inside a 200 claims for itself; a bad gateway unless it says so.
func insideStatus(raw json.RawMessage) int {
	var e struct {
		Code json.Number `json:"code"`
	}
	if json.Unmarshal(raw, &e) == nil {
		if n, err := e.Code.Int64(); err == nil && n >= 400 && n < 600 {
			return int(n)
		}
	}
	return http.StatusBadGateway
}

// refused makes sense of a status and an error body.
func (d *doer) refused(status int, h http.Header, body []byte) *failure {
	r := readReply(body)
	e := &Error{Outcome: outcomeOf(status, r), Status: status, said: r.all()}
	e.Message = fmt.Sprintf("%d %s", status, http.StatusText(status))
	if said := words(r.message, d.key); said != "" {
		e.Message += ": " + said
	}
	f := &failure{Error: e, after: waitOf(h, time.Now()), retry: passing(status) && e.Outcome != OutcomeQuota}
	e.Wait = f.after.min
	switch h.Get("X-Should-Retry") {
	case "true":
		f.retry = e.Outcome != OutcomeQuota
	case "false":
		f.retry = false
	}
	return f
}

func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

func (d *doer) lost(ctx context.Context, err error) *failure {
	e := broken(ctx, err)
	return &failure{Error: e, retry: e.Outcome == OutcomeUnreachable}
}

// redirected names only the host: the rest of the address may hold a credential.
func redirected(resp *http.Response) *Error {
	e := &Error{Outcome: OutcomeRefused, Status: resp.StatusCode}
	e.Message = fmt.Sprintf("%d: the server sends elsewhere, and evidence is not sent on", resp.StatusCode)
	if to, err := resp.Location(); err == nil {
		e.Message = fmt.Sprintf("%d: the server sends on to %s, and evidence is not sent there; set LLM_BASE_URL to the final address", resp.StatusCode, to.Host)
	}
	return e
}

// inner takes off what net/http wraps around an error, which repeats the whole address.
func inner(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
