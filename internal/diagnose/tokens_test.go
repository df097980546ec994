package diagnose_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
)

// TestTokensAreEstimatedWithinTenPercentOnLogs compares with what two real vocabularies count: testdata/tokens/counts,
// which testdata/tokens/count prints. It prints the share for each text.
func TestTokensAreEstimatedWithinTenPercentOnLogs(t *testing.T) {
	counts, err := os.ReadFile(filepath.Join("testdata", "tokens", "counts"))
	if err != nil {
		t.Fatal(err)
	}
	within := map[string][2]float64{ // by kind: the least and the most that the estimate may be of either count
		"log": {0.9, 1.1}, "json": {0.9, 1.1}, "prose": {0.9, 1.1},
		"script": {0.7, 2.2}, // the two vocabularies differ by as much
	}
	logs := 0
	for line := range strings.Lines(string(counts)) {
		var name string
		var newer, older int
		if _, err := fmt.Sscan(line, &name, &newer, &older); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		kind, _, _ := strings.Cut(strings.TrimSuffix(name, ".txt"), "-")
		text, err := os.ReadFile(filepath.Join("testdata", "tokens", name))
		if err != nil {
			t.Fatal(err)
		}
		got := diagnose.Tokens(string(text))
		t.Logf("%-22s %5d bytes, estimated %5d tokens: %.2f of o200k_base, %.2f of cl100k_base", name, len(text), got, share(got, newer), share(got, older))
		for _, real := range []int{newer, older} {
			if s := share(got, real); s < within[kind][0] || s > within[kind][1] {
				t.Errorf("%s: estimated %d tokens, which is %.2f of the %d counted", name, got, s, real)
			}
		}
		if kind == "log" {
			logs++
		}
	}
	if logs < 4 {
		t.Errorf("%d kinds of log are compared", logs)
	}
}

func share(a, b int) float64 { return float64(a) / float64(b) }

func TestMoreTextIsNeverFewerTokens(t *testing.T) {
	text := "ERROR 10.0.0.1:8080 handlePay(0xc0001a4000) füßig 数据库\n\t{\"a\": [1234567]}"
	before := 0
	for i := range len(text) + 1 {
		got := diagnose.Tokens(text[:i])
		if got < before-1 { // a word may turn out to be a number, or a space to belong to a word
			t.Errorf("%q: %d tokens, before its last byte %d", text[:i], got, before)
		}
		before = got
	}
	if diagnose.Tokens("") != 0 || before == 0 {
		t.Errorf("nothing is %d tokens, the text %d", diagnose.Tokens(""), before)
	}
}

func TestTheFactorFollowsWhatAModelCountsWithinBounds(t *testing.T) {
	tests := []struct {
		name               string
		before             float64
		estimated, counted int
		want               float64
	}{
		{"first-answer", 0, 1000, 1400, 1.1},
		{"as-estimated", 1, 1000, 1000, 1},
		{"follows", 1.2, 1000, 1600, 1.3},
		{"one-cut-prompt-does-not-count-for-more-than-its-weight", 1, 4000, 10, 0.875},
		{"never-above-two", 2, 10, 1_000_000, 2},
		{"never-below-a-half", 0.5, 1_000_000, 1, 0.5},
		{"a-server-that-counts-nothing", 1.3, 1000, 0, 1.3},
		{"a-kept-one-out-of-bounds", 17, 0, 0, 2},
		{"a-kept-one-that-is-no-number", math.NaN(), 1000, 1000, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := diagnose.Calibrated(tt.before, tt.estimated, tt.counted); math.Abs(got-tt.want) > 1e-9 {
				t.Errorf("factor %v, want %v", got, tt.want)
			}
		})
	}
	factor := 0.0
	for range 20 {
		factor = diagnose.Calibrated(factor, 3000, 4200)
	}
	if math.Abs(factor-1.4) > 0.01 {
		t.Errorf("after twenty answers the factor is %v, want 1.4", factor)
	}
}

func BenchmarkTokens(b *testing.B) {
	text, err := os.ReadFile(filepath.Join("testdata", "tokens", "log-programs.txt"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		diagnose.Tokens(string(text))
	}
}
