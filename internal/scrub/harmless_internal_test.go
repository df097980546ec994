package scrub

import (
	"encoding/json"
	"strings"
	"testing"
)

// Inside the package: what is looked at as a whole has to be what string by string leaves as it is.
func TestAHarmlessDocumentIsWhatEachStringLeavesAsItIs(t *testing.T) {
	for _, text := range []string{
		"web-0: 0 of 1 running", "password=hunter2", "Password: hunter2", "?sig=abcdef123", "a@example.org", "https://me:pass@host/",
		"SUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA2345", "12345678:AAabcdefghijklmnopqrstuvwxyz0123", "eyJhbGciOiJIUzI1.x.y",
		"-----BEGIN PRIVATE KEY-----", "AKIAABCDEFGHIJKLMNOP", "bearer abcdefgh1", "cookie: a=b", "\u202e", "café", "--token abc1", "sk-abcdefghijklmnop1234",
	} {
		for _, doc := range []map[string]any{{"a": text}, {text: "value"}, {"list": []string{"x", text, "y"}}, {"a": text, "token": "x9y8z7"}, {"?sig": text}, {"n": 12345678, "b": text}} {
			raw, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if out := eachString(raw); harmless(string(raw)) && string(out) != string(raw) {
				t.Errorf("%s is called harmless, but becomes %s", raw, out)
			}
		}
	}
	if doc := `{"title":"web-0: 0 of 1 running","critical_since":"2026-11-24T22:45:48.001155321Z","command":"docker logs --tail 50 shop-web-0-1"}`; !harmless(doc) {
		t.Error("an ordinary document is not called harmless: " + doc)
	}
}

func FuzzHarmless(f *testing.F) {
	f.Add("title", "web-0: 0 of 1 running")
	f.Add("?sig", "x")
	f.Add("api", "_key=abc123")
	f.Fuzz(func(t *testing.T, name, text string) {
		raw, err := json.Marshal(map[string]any{name: text, "z": strings.ToUpper(text)})
		if err != nil {
			return
		}
		if out := eachString(raw); harmless(string(raw)) && string(out) != string(raw) {
			t.Errorf("%s is called harmless, but becomes %s", raw, out)
		}
	})
}
