package glob_test

import (
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/glob"
)

func TestAStarStandsForAnyCharacters(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "web", true},
		{"web", "web", true},
		{"web", "web-1", false},
		{"web-*", "web-", true},
		{"web-*", "web-1/2", true},
		{"web-*", "web", false},
		{"*-db", "shop-db", true},
		{"*-db", "shop-db-2", false},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "acb", false},
		{"ab*ba", "aba", false}, // no character counts twice
		{"*", "", true},
		{"[a]", "a", false},
	} {
		if got := glob.Like(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q is that of %q: %v", tt.pattern, tt.text, got)
		}
	}
}
