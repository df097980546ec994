package webhook_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
)

// The example of the specification.
const (
	exampleSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	exampleID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	exampleBody      = `{"test": 2432232314}`
	exampleSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestVerifierTakesWhatIsSignedAndNothingElse(t *testing.T) {
	at := time.Unix(1614265330, 0)
	other := "whsec_" + strings.Repeat("A", 32)
	tests := []struct {
		name, secrets, id string
		at                time.Time
		body, signatures  string
		want              bool
	}{
		{"the-example-of-the-specification", exampleSecret, exampleID, at, exampleBody, exampleSignature, true},
		{"one-of-several-secrets", other + "," + exampleSecret, exampleID, at, exampleBody, exampleSignature, true},
		{"one-of-several-signatures", exampleSecret, exampleID, at, exampleBody, "v1a,zzz v1,yyy " + exampleSignature, true},
		{"behind-too-many", exampleSecret, exampleID, at, exampleBody, strings.Repeat("v1,y ", 16) + exampleSignature, false},
		{"another-secret", other, exampleID, at, exampleBody, exampleSignature, false},
		{"no-secret", "", exampleID, at, exampleBody, exampleSignature, false},
		{"another-body", exampleSecret, exampleID, at, exampleBody + " ", exampleSignature, false},
		{"another-time", exampleSecret, exampleID, at.Add(time.Second), exampleBody, exampleSignature, false},
		{"another-id", exampleSecret, exampleID + "x", at, exampleBody, exampleSignature, false},
		{"no-id", exampleSecret, "", at, exampleBody, exampleSignature, false},
		{"no-signature", exampleSecret, exampleID, at, exampleBody, "", false},
		{"another-version", exampleSecret, exampleID, at, exampleBody, strings.Replace(exampleSignature, "v1", "v2", 1), false},
		{"cut", exampleSecret, exampleID, at, exampleBody, exampleSignature[:20], false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := webhook.NewVerifier(tt.secrets)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Signed(tt.id, tt.at, []byte(tt.body), tt.signatures); got != tt.want {
				t.Errorf("signed: %v", got)
			}
		})
	}
}

// With a dot in it "a.1" sent at 2 would be signed like "a" sent at 1 with "2." before its body.
func TestIDsWithDotsAreNeverSigned(t *testing.T) {
	v, err := webhook.NewVerifier(exampleSecret)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a.1", ".", "a b", "ä", "a\n", ""} {
		if webhook.MessageID(id) || v.Signed(id, time.Unix(2, 0), nil, exampleSignature) {
			t.Errorf("%q is an id", id)
		}
	}
}

func TestSentAtReadsSecondsInOneSpelling(t *testing.T) {
	if at, ok := webhook.SentAt("1614265330"); !ok || at.Unix() != 1614265330 {
		t.Errorf("%v %v", at, ok)
	}
	for _, s := range []string{"", "+1614265330", "01614265330", " 1614265330", "1614265330.0", "1e9", "now", "99999999999999999999"} {
		if _, ok := webhook.SentAt(s); ok {
			t.Errorf("%q is a time", s)
		}
	}
}

func TestVerifiersThatShareASecretSaySo(t *testing.T) {
	other := "whsec_" + strings.Repeat("B", 32)
	verifier := func(secrets string) webhook.Verifier {
		v, err := webhook.NewVerifier(secrets)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	both := verifier(other + "," + exampleSecret)
	if !both.Shares(verifier(exampleSecret)) || verifier(other).Shares(verifier(exampleSecret)) || both.Shares(verifier("")) {
		t.Error("who shares a secret is not told from who does not")
	}
}
