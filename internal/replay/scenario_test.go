package replay_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/replay"
)

var update = flag.Bool("update", false, "rewrite the timelines of the scenarios with what happens now; read the diff")

const scenarios = "../../testdata/scenarios"

// TestScenarios plays every recording NAME.jsonl, or NAME.jsonl.gz, in testdata/scenarios and compares the timeline with NAME.txt, and with
// NAME.all.txt, if there is one, what --all adds. In them a line that begins with # belongs to the entry below it: it says
// what somebody on call wants there. Every entry, and the summary at the end, has one.
func TestScenarios(t *testing.T) {
	recordings, err := filepath.Glob(scenarios + "/*.jsonl*")
	if err != nil || len(recordings) == 0 {
		t.Fatalf("no scenario in %s (%v)", scenarios, err)
	}
	for _, recording := range recordings {
		base := strings.TrimSuffix(strings.TrimSuffix(recording, ".gz"), ".jsonl")
		t.Run(filepath.Base(base), func(t *testing.T) {
			compare(t, recording, base+".txt", false)
			if _, err := os.Stat(base + ".all.txt"); err == nil {
				compare(t, recording, base+".all.txt", true)
			}
		})
	}
}

// TestEveryTimelineHasARecording finds what no run of TestScenarios looks at.
func TestEveryTimelineHasARecording(t *testing.T) {
	timelines, err := filepath.Glob(scenarios + "/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, timeline := range timelines {
		base := strings.TrimSuffix(strings.TrimSuffix(timeline, ".txt"), ".all")
		found, err := filepath.Glob(base + ".jsonl*")
		if why := strings.HasSuffix(timeline, ".why.txt"); !why && (err != nil || len(found) != 1) {
			t.Errorf("%s is the timeline of one recording, not of %q (%v)", timeline, found, err)
		}
	}
}

func compare(t *testing.T, recording, timeline string, all bool) {
	t.Helper()
	wanted, err := os.ReadFile(timeline)
	if err != nil && !*update {
		t.Fatal(err)
	}
	want := parse(string(wanted))
	got := want.with(played(t, recording, all))
	if *update {
		if err := os.WriteFile(timeline, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(wanted), got); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	for i, said := range want.said {
		if said == "" {
			t.Errorf("%s does not say what on-call wants of: %s", timeline, want.entries[i])
		}
	}
}

// played is the timeline of a dry replay: its entries, the summary last.
func played(t *testing.T, recording string, all bool) []string {
	t.Helper()
	var entries []string
	dry := replay.Dry{Recording: replay.Recording{Path: recording, Start: time.Unix(0, 0).UTC()}, All: all}
	sum, err := dry.Run(t.Context(), func(e replay.Entry) { entries = append(entries, e.String()) })
	if err != nil {
		t.Fatal(err)
	}
	return append(entries, sum.String())
}

// script is a timeline with what is said about each of its entries.
type script struct {
	head    string // before an empty line: about the whole
	said    []string
	entries []string
}

func parse(text string) script {
	var s script
	said := ""
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "#"):
			said += line
		case line == "\n":
			s.head, said = s.head+said+line, ""
		case strings.HasPrefix(line, "    "):
			s.entries[len(s.entries)-1] += "\n" + strings.TrimSuffix(line, "\n")
		default:
			s.said, s.entries, said = append(s.said, said), append(s.entries, strings.TrimSuffix(line, "\n")), ""
		}
	}
	return s
}

// with is the script's text with other entries. Each keeps what was said of it, told by its first line; as long as there
// are as many as before, of the one in its place.
func (s script) with(entries []string) string {
	said := map[string]string{}
	for i, e := range s.entries {
		first, _, _ := strings.Cut(e, "\n")
		said[first] = s.said[i]
	}
	var b strings.Builder
	b.WriteString(s.head)
	for i, e := range entries {
		first, _, _ := strings.Cut(e, "\n")
		switch {
		case len(entries) == len(s.entries):
			b.WriteString(s.said[i])
		case i == len(entries)-1 && len(s.said) > 0: // the summary
			b.WriteString(s.said[len(s.said)-1])
		default:
			b.WriteString(said[first])
		}
		fmt.Fprintln(&b, e)
	}
	return b.String()
}
