package analyzer

import (
	"sync"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
)

// length is how long prompts for a model may be. It learns how the model counts tokens from what its answers say, for as
// long as the process runs.
type length struct {
	model      string
	configured int        // tokens; 0: by the model's name and its server
	reads      func() int // tokens that its server is taken to read; nil: that is not known

	mu     sync.Mutex
	factor float64 // see diagnose.Calibrated
}

// tokens is the budget of the next prompt.
func (l *length) tokens() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := diagnose.PromptTokens(l.model, l.configured, l.factor)
	if l.configured == 0 && l.reads != nil {
		limit = min(limit, l.reads())
	}
	return limit
}

// learn notes what the model's server counted for a prompt; 0: it did not say.
func (l *length) learn(p diagnose.Prompt, counted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.factor = diagnose.Calibrated(l.factor, diagnose.Tokens(p.System)+diagnose.Tokens(p.User), counted)
}
