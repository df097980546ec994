package webhook

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"code.dny.dev/ssrf"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

const (
	maxAnswer     = 64 << 10         // bytes read of an answer
	maxQuoted     = 200              // bytes of an answer in an error
	maxRetryAfter = 15 * time.Minute // a receiver may ask for no longer a pause than this
)

// unanswered is the verdict on a post that got no answer. sent: some of it may have gone out.
func (c *Channel) unanswered(err error, sent bool) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // it repeats the whole URL
	}
	var cert *tls.CertificateVerificationError
	why := channel.Line(c.redact.Replace(err.Error()), maxQuoted) // it may quote what the receiver sent instead of HTTP
	switch {
	case sent:
		return fmt.Errorf("post to %s: %w: %s", c.host, channel.ErrAmbiguous, why)
	case errors.Is(err, ssrf.ErrProhibitedIP):
		return fmt.Errorf("post to %s: %w: set its URL to a host that may be posted to: %s", c.host, channel.ErrSetup, why)
	case errors.As(err, &cert):
		return fmt.Errorf("post to %s: %w: %s", c.host, channel.ErrSetup, why)
	}
	return fmt.Errorf("post to %s: %s", c.host, why)
}

// answered is the verdict on a post that was answered.
func (c *Channel) answered(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // the status says it all; a body that breaks off changes nothing
	status := resp.StatusCode
	if status >= 200 && status < 300 {
		return nil
	}
	said := fmt.Errorf("post to %s: answered %d %s%s", c.host, status, http.StatusText(status), c.quote(body))
	if until, ok := c.pause(resp); ok {
		return fmt.Errorf("%w: %w", said, channel.Throttled{Until: until})
	}
	if verdict := verdictOf(status); verdict != nil {
		return fmt.Errorf("%w: %w", said, verdict)
	}
	return said
}

// verdictOf is nil for an answer that may be another one next time.
func verdictOf(status int) error {
	switch {
	case status >= 300 && status < 400:
		return fmt.Errorf("redirects are not followed, its URL has to name the place itself: %w", channel.ErrSetup)
	case slices.Contains([]int{
		http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
	}, status):
		return fmt.Errorf("look at its URL, its secret or key, and the receiver: %w", channel.ErrSetup)
	case status == http.StatusGone:
		return channel.ErrGone
	case status == http.StatusRequestEntityTooLarge:
		return channel.ErrTooBig
	case slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}, status):
		return nil
	case status >= 400 && status < 500:
		return channel.ErrRefused
	}
	return nil
}

// pause reads how long the receiver wants to be left alone.
func (c *Channel) pause(resp *http.Response) (until time.Time, ok bool) {
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		now := c.now()
		wait := retryAfter(resp.Header.Get("Retry-After"), now)
		return now.Add(wait), wait > 0
	}
	return time.Time{}, false
}

// retryAfter reads a number of seconds or an HTTP date; 0 for anything else.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// quote prepares the beginning of an answer for an error: one line, nothing invisible, nothing of URL and secrets.
func (c *Channel) quote(body []byte) string {
	text := channel.Line(c.redact.Replace(string(body)), maxQuoted)
	if text == "" {
		return ""
	}
	return fmt.Sprintf(": %q", text)
}

// redactor takes out whatever part of the URL and the secrets an answer may repeat.
func redactor(u *url.URL, secrets ...string) *strings.Replacer {
	parts := []string{u.String(), u.RequestURI(), u.Path, u.RawQuery}
	if u.User != nil {
		password, _ := u.User.Password()
		parts = append(parts, u.User.String(), password)
	}
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	parts = append(parts, strings.Split(u.Path, "/")...)
	for secret := range strings.SplitSeq(strings.Join(secrets, ","), ",") {
		secret = strings.TrimSpace(secret)
		parts = append(parts, secret, strings.TrimPrefix(secret, secretPrefix))
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return len(p) < 4 })
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) }) // the longest first, or its end would stay
	var pairs []string
	for _, p := range parts {
		pairs = append(pairs, p, "***")
	}
	return strings.NewReplacer(pairs...)
}
