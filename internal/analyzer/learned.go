package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/llm"
)

// learned keeps what models turn out to take, for all analyzers and for the next start. The newest word counts: what
// two learn at the same time they have learned of the same server.
type learned struct{ kept kept }

func modelKey(key string) string { return "model." + key }

// Load gives what is kept. A record that is none counts as missing: it is learned anew, and written over.
func (l learned) Load(ctx context.Context, key string) (llm.Ability, bool, error) {
	data, _, err := l.kept.Get(ctx, modelKey(key))
	if err != nil {
		return llm.Ability{}, false, fmt.Errorf("read what was learned of the model: %w", err)
	}
	var a llm.Ability
	if data == nil || json.Unmarshal(data, &a) != nil {
		return llm.Ability{}, false, nil
	}
	return a, true, nil
}

// Save writes over whatever is kept.
func (l learned) Save(ctx context.Context, key string, a llm.Ability) error {
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encode what was learned of the model: %w", err)
	}
	for range attempts {
		_, rev, err := l.kept.Get(ctx, modelKey(key))
		if err == nil {
			_, err = l.kept.Put(ctx, modelKey(key), data, rev)
		}
		if !errors.Is(err, bus.ErrConflict) {
			return wrapped("keep what was learned of the model", err)
		}
	}
	return fmt.Errorf("keep what was learned of the model: others wrote first %d times in a row", attempts)
}
