package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

const (
	secretPrefix = "whsec_"
	minKey       = 24 // bytes
	maxKey       = 64
)

// signer makes Standard Webhooks signatures, one with each of its keys. Without keys it makes none.
type signer struct{ keys [][]byte }

// newSigner reads secrets separated by commas. Its errors continue a sentence that begins with the variable's name.
func newSigner(secrets string) (signer, error) {
	var s signer
	if strings.TrimSpace(secrets) == "" {
		return s, nil
	}
	parts := strings.Split(secrets, ",")
	for i, part := range parts {
		key, err := parseSecret(strings.TrimSpace(part))
		if err != nil {
			return signer{}, fmt.Errorf("holds %d secrets, and number %d %w; make one with: echo whsec_$(openssl rand -base64 32)", len(parts), i+1, err)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

func parseSecret(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok {
		return nil, fmt.Errorf("does not begin with %s", secretPrefix)
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return nil, fmt.Errorf("is not base64 after %s", secretPrefix)
	}
	if len(key) < minKey || len(key) > maxKey {
		return nil, fmt.Errorf("is of %d bytes, not of %d to %d", len(key), minKey, maxKey)
	}
	return key, nil
}

// sign gives the value of webhook-signature; empty without keys.
func (s signer) sign(id string, at time.Time, body []byte) string {
	signatures := make([]string, 0, len(s.keys))
	for _, key := range s.keys {
		h := hmac.New(sha256.New, key)
		fmt.Fprintf(h, "%s.%d.", id, at.Unix())
		h.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(signatures, " ")
}

// validKey tells whether a key can be signed: a dot in it would let id, time and body be cut at other places under
// the same signature.
func validKey(key string) bool {
	return key != "" && strings.IndexFunc(key, func(r rune) bool {
		return r == '.' || r <= ' ' || r > '~'
	}) < 0
}
