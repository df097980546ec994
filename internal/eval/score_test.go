package eval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/eval"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// down is an incident from 08:02 to 08:10.
var down = eval.Incident{
	Objects: []string{"prod/shop/db", "prod/web1"}, Severity: "critical",
	From: at(8, 2), By: at(8, 3), To: at(8, 10), Over: at(8, 12),
}

// entries reads lines like "08:02 opened critical shop/db!", where ! is a sound and + a post without one.
func entries(t *testing.T, lines ...string) []replay.Entry {
	t.Helper()
	var all []replay.Entry
	for _, line := range lines {
		words := strings.Fields(line)
		clock, err := time.Parse("15:04", words[0])
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimRight(words[3], "!+")
		namespace, own, some := strings.Cut(name, "/")
		if !some {
			namespace, own = "", name
		}
		all = append(all, replay.Entry{
			At: at(clock.Hour(), clock.Minute()), Cluster: "prod", Kind: words[1], Severity: words[2], Conversation: name,
			Object: &schema.Object{Namespace: namespace, Name: own}, Posted: name != words[3], Sound: strings.HasSuffix(line, "!"),
		})
	}
	return all
}

func TestJudge(t *testing.T) {
	told := []string{"08:02 opened critical shop/db!", "08:11 cleared critical shop/db+"}
	also := func(lines ...string) []string { return append(told[:2:2], lines...) }
	late := down
	late.Severity, late.Worst, late.Worse = "critical", at(8, 5), at(8, 6)
	truth := func(x ...eval.Incident) eval.Truth { return eval.Truth{Sounds: 1, Incidents: x} }
	quiet := truth(down)
	quiet.Quiet = []eval.Quiet{{Object: "prod/shop/api", From: at(8, 0), To: at(8, 5)}}
	noted := truth()
	noted.Noted = []eval.Incident{{Objects: []string{"prod/web1"}, Severity: "info", From: at(8, 2), By: at(8, 3)}}
	tests := []struct {
		name  string
		truth eval.Truth
		lines []string
		wrong string // empty: nothing
	}{
		{"told-in-time", truth(down), told, ""},
		{"told-by-the-other-object", truth(down), []string{"08:03 opened critical web1!", "08:12 cleared critical web1+"}, ""},
		{"nothing-to-tell", truth(), nil, ""},
		{"missed", truth(down), nil, "is told to nobody"},
		{"only-noted", truth(down), []string{"08:02 opened critical shop/db", "08:11 cleared critical shop/db"}, "is told to nobody"},
		{"no-such-incident", truth(), []string{"08:02 opened warning shop/db!"}, "there is no such incident"},
		{"too-early", truth(down), []string{"08:01 opened critical shop/db!"}, "there is no such incident"},
		{"after-its-end", truth(down), []string{"08:11 opened critical shop/db!"}, "is told to nobody"},
		{"late", truth(down), []string{"08:04 opened critical shop/db!", "08:11 cleared critical shop/db+"}, "1m0s after it was due"},
		{"told-by-both", truth(down), also("08:04 opened critical web1!"), "had told of that incident"},
		{"told-anew", truth(down), also("08:05 opened critical shop/db!"), "had told of that incident"},
		{"too-many-sounds", truth(down), []string{told[0], "08:05 escalated critical shop/db!", told[1]}, "2 sounds, and there may be 1"},
		{"milder", truth(down), []string{"08:02 opened warning shop/db!", told[1]}, "told as warning, and is critical"},
		{"worse-later", truth(late), []string{"08:02 opened warning shop/db!", "08:06 worsened critical shop/db!", told[1]}, "2 sounds"},
		{"worse-too-late", truth(late), []string{"08:02 opened warning shop/db!", "08:07 worsened critical shop/db!", told[1]}, "told as critical at 23 Nov 08:07:00, 1m0s after"},
		{"worse-too-early", truth(late), told, "and is not before 23 Nov 08:05:00"},
		{"over-too-early", truth(down), []string{told[0], "08:09 cleared critical shop/db+", "08:10 reopened critical shop/db+", told[1]}, "goes on"},
		{"over-too-late", truth(down), []string{told[0], "08:13 cleared critical shop/db+"}, "is called over at 23 Nov 08:13:00, 1m0s after"},
		{"never-over", truth(down), told[:1], "is not called over"},
		{"reopened-for-good", truth(down), also("08:12 reopened critical shop/db+"), "is not called over"},
		{"quiet-is-quiet", quiet, also("08:06 opened info shop/api", "08:06 cleared info shop/api+"), ""},
		{"quiet-is-told", quiet, also("08:04 opened warning shop/api+"), "is to be quiet"},
		{"noted", noted, []string{"08:02 opened info web1"}, ""},
		{"not-noted", noted, nil, "is not noted"},
		{"noted-late", noted, []string{"08:04 opened info web1"}, "is not noted"},
		{"noted-loudly", noted, []string{"08:02 opened info web1", "08:03 worsened critical web1!"}, "is not noted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(eval.Judge(&tt.truth, entries(t, tt.lines...)).Wrong, "\n")
			if tt.wrong == "" && got != "" || !strings.Contains(got, tt.wrong) {
				t.Errorf("wrong: %q, want %q", got, tt.wrong)
			}
		})
	}
}

func TestAScoreCountsWhatIsRight(t *testing.T) {
	truth := eval.Truth{Sounds: 9, Incidents: []eval.Incident{down, {Objects: []string{"prod/shop/api"}, Severity: "warning", From: at(8, 5), By: at(8, 6)}}}
	s := eval.Judge(&truth, entries(t,
		"08:02 opened critical shop/db!", "08:04 opened warning shop/web!", "08:05 escalated critical shop/db!", "08:11 cleared critical shop/db+"))
	if s.Incidents != 2 || s.Told != 2 || s.Right != 1 || s.Found != 1 || s.Sounds != 3 || len(s.Delays) != 1 {
		t.Errorf("%+v", s)
	}
	var b strings.Builder
	if err := eval.Report(&b, []eval.Scored{{Name: "x", Score: s}}); err != nil || !strings.Contains(b.String(), "0.50") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
