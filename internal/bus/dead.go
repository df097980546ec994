package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// DeadVersion is the schema of a stored DeadLetter.
const DeadVersion = "bellbuoy.dead/v1"

// MaxDeadBody is how much of a body a letter keeps, in bytes.
const MaxDeadBody = 64 * kib

const (
	maxDeadReason = 4 * kib
	maxRead       = 8 << 20 // no message is larger
)

// DeadLetter is what was given up. Dead fills Schema, At, Who, and, where they are empty, Size and SHA256.
type DeadLetter struct {
	Schema   string    `json:"schema"`
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	Consumer string    `json:"consumer,omitempty"` // whose message it was
	Reason   string    `json:"reason"`
	Subject  string    `json:"subject,omitempty"` // of the message
	Seq      uint64    `json:"seq,omitempty"`     // of the message, in its stream
	Body     Text      `json:"body,omitempty"`    // at most 64 KB, secrets taken out
	Size     int       `json:"size"`              // of the body as it was, in bytes
	SHA256   string    `json:"sha256"`            // of the body as it was, hexadecimal
}

// Text is bytes that are a string in JSON.
type Text []byte

// MarshalText makes t valid UTF-8.
func (t Text) MarshalText() ([]byte, error) {
	return []byte(strings.ToValidUTF8(string(t), "\uFFFD")), nil
}

// UnmarshalText keeps b.
func (t *Text) UnmarshalText(b []byte) error {
	*t = Text(strings.Clone(string(b)))
	return nil
}

// Dead stores what was given up, for people to look at, under Subjects().Dead(who). The same letter about the same
// message is stored once.
func (b *Bus) Dead(ctx context.Context, who string, d DeadLetter) error {
	body, err := json.Marshal(sealed(who, d, time.Now()))
	if err != nil {
		return fmt.Errorf("write dead letter: %w", err)
	}
	if _, err := b.Publish(ctx, b.subjects.Dead(who), body, deadID(who, d)); err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	return nil
}

// sealed is d complete, redacted and within bounds.
func sealed(who string, d DeadLetter, now time.Time) DeadLetter {
	if d.SHA256 == "" {
		sum := sha256.Sum256(d.Body)
		d.SHA256, d.Size = hex.EncodeToString(sum[:]), len(d.Body)
	}
	d.Schema, d.Who, d.At = DeadVersion, who, now.UTC()
	if len(d.Body) <= maxRead {
		d.Body = scrub.JSON(d.Body) // sees through escapes
	}
	d.Body = Text(redacted(string(d.Body), MaxDeadBody))
	d.Reason = redacted(d.Reason, maxDeadReason)
	return d
}

// redacted takes the secrets out before it cuts, so that no secret is cut in two and missed. What is far too long is
// cut first, well behind the end of what stays.
func redacted(s string, limit int) string {
	return clip(scrub.Text(clip(s, 4*limit)), limit)
}

const maxLogged = kib

// logged is what a log may say of words that a stranger may have chosen: one clean line, without secrets.
func logged(s string) string { return scrub.Line(clip(s, 4*maxLogged), maxLogged) }

// deadID makes a second letter about the same delivery one with the first.
func deadID(who string, d DeadLetter) string {
	if d.Seq == 0 {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %s %d %x", who, d.Consumer, d.Subject, d.Seq, sha256.Sum256(d.Body)))
	return hex.EncodeToString(sum[:16])
}

// clip is at most n bytes of s, never half a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}
