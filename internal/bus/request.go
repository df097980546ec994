package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

const requestWithin = 5 * time.Second // unless the context says

const maxHeaderText = 1024

// ErrNobody says that nobody answers requests of that kind.
var ErrNobody = errors.New("nobody answers")

// Request asks and returns the answer. What the service answered as an error is an *APIError; if nobody is there to
// answer, the error is ErrNobody and says whom to start. Without a deadline it waits 5 s.
func (b *Bus) Request(ctx context.Context, subject string, body []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, requestWithin)
		defer cancel()
	}
	m, err := b.nc.RequestWithContext(ctx, subject, body)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, b.nobody(subject)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("ask %s: no answer in time: %w", subject, err)
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	if code := m.Header.Get(micro.ErrorCodeHeader); code != "" {
		return nil, &APIError{Code: code, Message: m.Header.Get(micro.ErrorHeader)}
	}
	return m.Data, nil
}

// nobody says who would answer the subject, and whom to start.
func (b *Bus) nobody(subject string) error {
	below := strings.TrimPrefix(subject, b.below(""))
	for _, r := range Requests() {
		if matches(r.Pattern, below) {
			return fmt.Errorf("no %s answers on %s (%w): is one running? Start `bellbuoy up` or `%s`", r.Answerers[0], b.where(), ErrNobody, r.Answerers[0])
		}
	}
	return fmt.Errorf("ask %s: %w", subject, ErrNobody)
}

// matches tells whether a subject is of the pattern, in which * stands for one token.
func matches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	if len(p) != len(s) {
		return false
	}
	for i, token := range p {
		if token != "*" && token != s[i] {
			return false
		}
	}
	return true
}

// oneLine is s as a header can carry it.
func oneLine(s string) string {
	return clip(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; "), maxHeaderText)
}
