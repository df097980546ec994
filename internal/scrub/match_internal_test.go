package scrub

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/need"
)

var (
	urlPattern   = regexp.MustCompile(`(?i)^([a-z][a-z0-9+.-]{0,30})://([^\s/@:"'<>?#]*)(?::([^\s/"'<>?#]*))?@`)
	valuePattern = regexp.MustCompile(`(?i)^(` + strings.Join(secretWords, "|") + `|[?&]sig` +
		`|(?:` + strings.Join(keyWords, "|") + `)[_-]?key)(?:[_-]?[0-9]{1,3}|` + strings.Join(keyEnds, "|") + `)?(?:` +
		`(\\*["']?\s*(?:=>|:=|==?|:)\s*)` +
		`(?:\\+"(.*?)\\+"|"((?:[^"\\]|\\.)*)"?|'([^']*)'?|([^\s"'&,;)}\]<>|]+))` +
		`|\s+([^\s"'-][^\s"']*))`)
)

// Lines of the pieces that either expression turns at are matched at every place, by hand and by the expression.
func TestWhatIsMatchedByHandIsWhatTheExpressionMatches(t *testing.T) {
	pieces := slices.Concat(secretWords, keyWords, keyEnds, []string{
		"?sig", "&SIG", "Key", "_key", "-KEY", "pass", "_", "-", "1", "23", "4567", "=", "==", "=>", ":=", ":", " ", "\t", "\f", "  ",
		`"`, `'`, `\`, `\\`, `\"`, "&", ",", ";", ")", "}", "]", "<", ">", "|", "a", "Zz", "é", "\xff", "--", "/", "//", "://", "@", "?", "#", ".", "+",
		"http", "PostgreSQL+x.y-z", "x:y@", strings.Repeat("s", 30), "[REDACTED:url]", "password=", `token":"`, "secret: ", "https://u:p@h",
	})
	dice := rand.New(rand.NewPCG(1, 2))
	matched := 0
	for range need.Seeds(15_000) {
		var b strings.Builder
		for range 1 + dice.IntN(9) {
			b.WriteString(pieces[dice.IntN(len(pieces))])
		}
		line := b.String()
		for start := range len(line) {
			matched += same(t, line, start, urlPattern, findURL) + same(t, line, start, valuePattern, findValue)
		}
		if t.Failed() {
			return
		}
	}
	if matched < 3_000 {
		t.Errorf("only %d matches: this proves little", matched)
	}
}

func same(t *testing.T, line string, start int, pattern *regexp.Regexp, find func(string, int) (places, bool)) (matched int) {
	t.Helper()
	want := pattern.FindStringSubmatchIndex(line[start:])
	for i := range want {
		if want[i] >= 0 {
			want[i] += start
		}
	}
	got, ok := find(line, start)
	if ok != (want != nil) || ok && !slices.Equal(got[:len(want)], want) {
		t.Errorf("%q at %d: %v %v, want %v", line, start, ok, got, want)
	}
	if ok {
		return 1
	}
	return 0
}
