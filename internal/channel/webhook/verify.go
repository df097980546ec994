package webhook

import (
	"crypto/hmac"
	"strconv"
	"strings"
	"time"
)

// Verifier checks what others have signed as Standard Webhooks 1.0.0 says, with any of its keys.
type Verifier struct{ signer signer }

// NewVerifier reads secrets separated by commas, at least one. Its errors continue a sentence that begins with the
// variable's name, and show no secret.
func NewVerifier(secrets string) (Verifier, error) {
	s, err := newSigner(secrets)
	return Verifier{s}, err
}

// Shares tells whether the two have a key in common.
func (v Verifier) Shares(with Verifier) bool {
	for _, a := range v.signer.keys {
		for _, b := range with.signer.keys {
			if hmac.Equal(a, b) {
				return true
			}
		}
	}
	return false
}

// maxSignatures bounds how many signatures of one message are compared.
const maxSignatures = 16

// Signed tells whether one of the signatures, which stand behind each other with spaces between them, is one of v over a
// message that was sent at the given time.
func (v Verifier) Signed(id string, at time.Time, body []byte, signatures string) bool {
	if !validKey(id) {
		return false
	}
	given := strings.Fields(signatures)
	good := false
	for want := range strings.FieldsSeq(v.signer.sign(id, at, body)) {
		for _, got := range given[:min(len(given), maxSignatures)] {
			good = hmac.Equal([]byte(want), []byte(got)) || good
		}
	}
	return good
}

// MessageID tells whether id can stand in a signature; see validKey.
func MessageID(id string) bool { return validKey(id) }

// SentAt reads the time of a message as it stands in its signature, in seconds; ok is false for what is written otherwise.
func SentAt(seconds string) (at time.Time, ok bool) {
	n, err := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(n, 0), err == nil && strconv.FormatInt(n, 10) == seconds
}
