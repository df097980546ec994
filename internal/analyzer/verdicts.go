package analyzer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	// verdictsKept is for how long what a model said is remembered.
	verdictsKept = 7 * 24 * time.Hour
	// promptVersion counts up when what was said to the same prompt must not be used any more.
	promptVersion = 1
	// slotDigits and maxVerdict bound all that is remembered: 16³ = 4,096 records of at most 15,000 bytes are 61 MB, and the
	// server adds some 200 bytes to each.
	slotDigits = 3
	maxVerdict = 15_000
)

// verdicts remember what a model said to a prompt, so that nobody pays twice for the same evidence. There is a fixed
// number of places; what comes later takes the place of what was there.
type verdicts struct{ kept keptFor }

// verdictRecord is one place.
type verdictRecord struct {
	Key   string `json:"key"`
	Model string `json:"model"` // that answered, by its own name
	Text  string `json:"text"`
}

// verdictKey is a hash of all that an answer depends on: the model that is asked, the version, and every byte of the prompt.
func verdictKey(model string, p diagnose.Prompt) string {
	h := sha256.New()
	for _, part := range []string{
		strconv.Itoa(promptVersion), model, p.System, p.User, p.SchemaName, string(p.Schema), strconv.Itoa(p.MaxTokens),
	} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func verdictSlot(key string) string { return "verdicts." + key[:slotDigits] }

// get is what was said to the prompt with this key, without a text if that is not remembered, and the revision of its place.
func (v verdicts) get(ctx context.Context, key string) (said diagnose.Completion, rev uint64, err error) {
	data, rev, err := v.kept.Get(ctx, verdictSlot(key))
	if err != nil || data == nil {
		return said, rev, wrapped("read what the model has said before", err)
	}
	var r verdictRecord
	if json.Unmarshal(data, &r) != nil || r.Key != key { // it is overwritten
		return said, rev, nil
	}
	return diagnose.Completion{Text: r.Text, Model: r.Model}, rev, nil
}

// withoutSecrets is what a model said, fit to be kept: nobody knows what it has been taught or told elsewhere.
func withoutSecrets(text string) string {
	if doc := []byte(text); json.Valid(doc) {
		return string(scrub.JSON(doc))
	}
	return scrub.Text(text)
}

// put remembers what was said, in a place of revision rev. What is too long is not remembered, nor what comes second of two
// that are written at once.
func (v verdicts) put(ctx context.Context, key string, said diagnose.Completion, rev uint64) error {
	data, err := json.Marshal(verdictRecord{Key: key, Model: said.Model, Text: withoutSecrets(said.Text)})
	if err != nil || len(data) > maxVerdict {
		return wrapped("encode what the model said", err)
	}
	if _, err = v.kept.PutFor(ctx, verdictSlot(key), data, rev, verdictsKept); errors.Is(err, bus.ErrConflict) {
		return nil
	}
	return wrapped("remember what the model said", err)
}
