package scrub_test

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

func TestValueGoesAsAWholeUnderTheNameOfASecret(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"db_password", "swordfish", "[REDACTED:secret]"},
		{"API-KEY", "letmein now", "[REDACTED:secret]"},
		{"team", "swordfish", "swordfish"},
		{"team", "token=abc", "token=[REDACTED:secret]"},
		{"password_file", "/run/secrets/db", "/run/secrets/db"},
		{"password", "${DB_PASSWORD}", "${DB_PASSWORD}"},
		{"password", "", ""},
		{"note", "a\u202eb", "ab"},
	} {
		if got := scrub.Value(tt.name, tt.value); got != tt.want {
			t.Errorf("%s=%q became %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
}

func TestJSONCleansEveryStringAndStaysADocument(t *testing.T) {
	for _, tt := range []struct{ name, doc, want string }{
		{"nothing", `{"a":[1,"b",null,true]}`, `{"a":[1,"b",null,true]}`},
		{"field", `{"db_password":"hunter2","n":"x"}`, `{"db_password":"[REDACTED:secret]","n":"x"}`},
		{"spaced", `{ "token" : "abc" }`, `{ "token" : "[REDACTED:secret]" }`},
		{"list-under-a-name", `{"token":["abc","def"],"n":["x"]}`, `{"token":["[REDACTED:secret]","[REDACTED:secret]"],"n":["x"]}`},
		{"object-ends-a-name", `[{"token":"abc"},"plain"]`, `[{"token":"[REDACTED:secret]"},"plain"]`},
		{"escaped", `{"l":"p\u0061ssword=hunter2"}`, `{"l":"password=[REDACTED:secret]"}`},
		{"hidden-in-it", `{"l":"pass\u200bword=hunter2"}`, `{"l":"password=[REDACTED:secret]"}`},
		{"in-a-name", `{"postgres://u:pw@h":1}`, `{"postgres://u:[REDACTED:url]@h":1}`},
		{"quotes", `{"l":"say \"token\": \"abc\" twice"}`, `{"l":"say \"token\": \"[REDACTED:secret]\" twice"}`},
		{
			"key-in-lines", `["-----BEGIN PRIVATE KEY-----","MIIEowIBAAKCAQEA0Z3VS5JJ","MIIEowIBAAKCAQEA0Z3VS5JJ","well","MIIEowIBAAKCAQEA0Z3VS5JJ"]`,
			`["[REDACTED:private-key]","[REDACTED:private-key]","[REDACTED:private-key]","well","MIIEowIBAAKCAQEA0Z3VS5JJ"]`,
		},
		{"no-json", "{token=abc", "{token=[REDACTED:secret]"},
	} {
		if got := string(scrub.JSON([]byte(tt.doc))); got != tt.want {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"token":["abc\\\"",{"a\u0000":"postgres://u:p@h"}]}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		got := scrub.JSON(doc)
		if json.Valid(doc) && !json.Valid(got) {
			t.Errorf("%q became %q", doc, got)
		}
	})
}

func TestFoundCountsWhatIsLeft(t *testing.T) {
	text, counts := scrub.Count("token=a password=b mail x@y.org " + pem)
	if diff := cmp.Diff(counts, scrub.Found(text)); diff != "" {
		t.Errorf("(-taken +found):\n%s", diff)
	}
	if got := scrub.Found("[REDACTED:whatever] [REDACTED:"); len(maps.Clone(got)) != 0 {
		t.Errorf("found %v where nothing was taken out", got)
	}
}

func TestInertMakesNoLinkNoMentionAndNoMarkup(t *testing.T) {
	for text, want := range map[string]string{
		"all well":                      "all well",
		"<!channel> now":                "‹!channel› now",
		"<@U123|anna>":                  "‹@ U123|anna›",
		"@everyone look":                "@ everyone look",
		"x@here":                        "x@ here",
		"see https://evil.example/?q=1": "see https: //evil.example/?q=1",
		"[click](javascript:alert(1))":  "[click] (javascript :alert(1))",
		"![x](http://e.example)":        "![x] (http: //e.example)",
		"www.evil.example":              "www[.]evil.example",
		"@\u200beveryone":               "@ everyone",
		"getty@tty1.service failed":     "getty@tty1.service failed",
		"&lt;!here&gt;":                 "‹!here›",
	} {
		got := scrub.Inert(text)
		if got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if again := scrub.Inert(got); again != got {
			t.Errorf("%q again became %q", got, again)
		}
	}
}

func TestWhatIsNoJSONIsCleanedAsText(t *testing.T) {
	for _, text := range []string{
		"", "plain words", `{"cut": "of`, "password=hunter2hunter2", "two\nlines\x1b[31m of text", `"sig"="abcdef0123456789abcdef"`, "Authorization: Bearer abcdefghijklmnop1234",
	} {
		if got, want := string(scrub.JSON([]byte(text))), scrub.Clean(text); got != want {
			t.Errorf("%q becomes %q, as text it is %q", text, got, want)
		}
	}
}
