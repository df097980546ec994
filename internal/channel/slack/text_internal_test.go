package slack

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCutCountsWhatSlackCounts(t *testing.T) {
	tests := []struct {
		name, text string
		limit      int
		want       string
	}{
		{"short-enough", "hello", 5, "hello"},
		{"too-long", "hello", 4, "hel…"},
		{"several-bytes-each", "äöüß", 3, "äö…"},
		{"entities-count-in-full", "a&b", 6, "a…"},
		{"entities-that-fit", "a&b", 7, "a&b"},
		{"nothing", "", 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := cut(tt.text, tt.limit); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestCutEscapedSplitsNoEntityAndNoMention(t *testing.T) {
	tests := []struct {
		name, text string
		limit      int
		want       string
	}{
		{"short-enough", "a &amp; b", 9, "a &amp; b"},
		{"within-an-entity", "a &amp; b", 6, "a …"},
		{"behind-an-entity", "a &amp; bcd", 9, "a &amp; …"},
		{"within-a-mention", "ab <!subteam^S1> cd", 10, "ab …"},
		{"entity-within-a-link", "<https://x/?a&amp;b|c> d", 17, "…"},
		{"plain", "abcdef", 4, "abc…"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := cutEscaped(tt.text, tt.limit); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSplitLosesNothing(t *testing.T) {
	text := strings.TrimSpace(strings.Repeat("one two three & four\n", 50))
	parts := split(text, 100)
	for _, p := range parts {
		if counted(p) > 100 {
			t.Errorf("a part of %d characters", counted(p))
		}
	}
	if diff := cmp.Diff(strings.Fields(text), strings.Fields(strings.Join(parts, " "))); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

func TestSpan(t *testing.T) {
	tests := map[time.Duration]string{
		0: "0 s", 40 * time.Second: "40 s", 12 * time.Minute: "12 min", time.Hour: "1 h", 90 * time.Minute: "1 h 30 min",
		25 * time.Hour: "1 d 1 h", 48 * time.Hour: "2 d",
	}
	for d, want := range tests {
		if got := span(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestALinkEndsWhereItEnds(t *testing.T) {
	tests := []struct{ title, address, want string }{
		{"Runbook", "https://wiki/x?a=1&b=2", "<https://wiki/x?a=1&amp;b=2|Runbook>"},
		{"Logs|x>", "https://wiki/<!here>|y z", "<https://wiki/%3C!here%3E%7Cy%20z|Logs∣x›>"},
		{"Bad", "no address", "Bad"},
	}
	for _, tt := range tests {
		if got := link(tt.title, tt.address); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestNoErrorIsListedTwice(t *testing.T) {
	seen := map[string]kind{}
	for k, names := range kinds {
		for name := range strings.FieldsSeq(names) {
			if other, twice := seen[name]; twice {
				t.Errorf("%s is %d and %d", name, k, other)
			}
			seen[name] = k
		}
	}
}
