package llm

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
)

// readWhole is the least share of our estimate that a server counts when it has read all of a prompt.
const readWhole = 0.7

// minRatio bounds how few tokens a server may count for one of ours before that, too, is taken for a cut.
const minRatio = 0.3

// cut tells whether a server that counted used tokens has read only a part of a prompt of about estimate tokens, and
// gives the ratio of the two where that is what is odd. Nothing in an answer says so: Ollama drops what does not fit
// without a word. But a server that cuts fills its context, so one that has read more than this before has not cut
// this: it only counts otherwise, or leaves out what it had in its cache.
func (a Ability) cut(estimate, used, most int) (cut bool, ratio float64) {
	expected := float64(estimate)
	if a.Ratio > 0 {
		expected *= a.Ratio
	}
	if used <= 0 || estimate <= 0 || float64(used) >= readWhole*expected {
		return false, a.Ratio
	}
	if float64(used) < 0.9*float64(most) {
		return false, max(float64(used)/float64(estimate), minRatio)
	}
	return true, a.Ratio
}

// wasCut looks whether the server has read all of p, and remembers what follows. Its error says that it has not.
func (c *Client) wasCut(ctx context.Context, p diagnose.Prompt, used int) error {
	c.mu.Lock()
	known, most := c.known, c.most
	c.most = max(most, used)
	c.mu.Unlock()
	cut, ratio := known.cut(p.Estimate, used, most)
	if !cut {
		c.learn(ctx, func(a *Ability) {
			if ratio != a.Ratio {
				a.Ratio, a.Room = ratio, 0 // what looked like a cut was a way of counting
			}
		})
		return nil
	}
	if !c.warned.Swap(true) {
		c.log.WarnContext(ctx, "the model's server reads only a part of the prompt and does not say so: raise its context length (Ollama: OLLAMA_CONTEXT_LENGTH)",
			"host", c.host, "model", c.model, "sent", p.Estimate, "read", used)
	}
	room := c.halve(ctx, p)
	return &Error{Outcome: OutcomeTruncated, Status: http.StatusOK, Room: room, Message: fmt.Sprintf(
		"the server read %d tokens of a prompt of about %d and said nothing", used, p.Estimate)}
}

// full tells whether an answer that was cut off was far from its limit: then the prompt left it no room. Ollama's context
// holds both.
func (s said) full(p diagnose.Prompt) bool {
	return s.wrote > 0 && float64(s.wrote) < 0.9*float64(s.limit) && p.Estimate > p.Least
}

// halve remembers that p is too long, and gives what to try next.
func (c *Client) halve(ctx context.Context, p diagnose.Prompt) (room int) {
	room = p.Halved()
	c.learn(ctx, func(a *Ability) {
		if a.Room == 0 || room < a.Room {
			a.Room = room
		}
	})
	return room
}

// PromptTokens is how long a prompt this model is to be sent at most: what its dialect is known for, or less where less
// has turned out to fit. It asks nobody.
func (c *Client) PromptTokens() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known.Room > 0 && !c.known.stale(time.Now()) {
		return min(c.known.Room, c.dialect.prompt)
	}
	return c.dialect.prompt
}
