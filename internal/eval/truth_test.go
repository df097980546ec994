package eval_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellbuoy/bellbuoy/internal/eval"
)

var day = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

func at(hour, minute int) time.Time { return time.Date(2026, 11, 23, hour, minute, 0, 0, time.UTC) }

func TestATruthSaysWhatItSays(t *testing.T) {
	got, err := eval.ParseTruth("x.truth", `# A sentence.
sounds 2
incident prod/shop/db critical # down
  from  08:02
  by    08:03:30
  worst 08:10
  worse 2026-11-24T00:00:00
  to    08:20
  over  08:21
  or    prod/web1

noted prod/web1 info
	from 08:01
	by 08:02
quiet prod/shop/api
quiet prod/shop/web 08:00 08:10
why 08:02 prod/prod
`, day)
	want := eval.Truth{
		Sounds: 2,
		Incidents: []eval.Incident{{
			Objects: []string{"prod/shop/db", "prod/web1"}, Severity: "critical", From: at(8, 2), By: at(8, 3).Add(30 * time.Second),
			To: at(8, 20), Over: at(8, 21), Worst: at(8, 10), Worse: at(24, 0),
		}},
		Noted: []eval.Incident{{Objects: []string{"prod/web1"}, Severity: "info", From: at(8, 1), By: at(8, 2)}},
		Quiet: []eval.Quiet{{Object: "prod/shop/api"}, {"prod/shop/web", at(8, 0), at(8, 10)}},
		Asked: []eval.Ask{{at(8, 2), "prod/prod"}},
	}
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(eval.Incident{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEveryMistakeInATruthIsToldWithItsLine(t *testing.T) {
	const rest = "why 08:00 prod/db\n"
	tests := []struct{ name, text, want string }{
		{"nothing-said", "", "x.truth:0: it does not say how many sounds"},
		{"no-moment", "sounds 0\n", "x.truth:1: no moment is marked"},
		{"not-a-number", "sounds few\n" + rest, "x.truth:1: sounds is one number"},
		{"said-twice", "sounds 1\nsounds 2\n" + rest, "x.truth:2: sounds is one number"},
		{"no-such-word", "sounds 0\nloud prod/db\n" + rest, `x.truth:2: "loud prod/db" is none of`},
		{"no-such-severity", "sounds 0\nincident prod/db bad\n  from 08:00\n  by 08:01\n" + rest, `x.truth:2: "bad" is no severity`},
		{"info-is-no-incident", "sounds 0\nincident prod/db info\n  from 08:00\n  by 08:01\n" + rest, `x.truth:2: "info" is no severity`},
		{"no-object", "sounds 0\nquiet db\n" + rest, `x.truth:2: "db" is no object`},
		{"no-time", "sounds 0\nquiet prod/db 8 o'clock\n" + rest, `x.truth:2: "8" is no time`},
		{"quiet-for-nothing", "sounds 0\nquiet prod/db 08:01 08:01\n" + rest, "x.truth:2: it is quiet until 08:01"},
		{"of-nothing", "sounds 0\n  from 08:00\n" + rest, "x.truth:2: an indented line belongs to an incident"},
		{"no-such-detail", "sounds 0\nincident prod/db warning\n  from 08:00\n  by 08:01\n  at 08:02\n" + rest, `x.truth:5: "at" is none of`},
		{"detail-twice", "sounds 0\nincident prod/db warning\n  from 08:00\n  by 08:01\n  by 08:02\n" + rest, "x.truth:5: by is said twice"},
		{"two-times", "sounds 0\nincident prod/db warning\n  from 08:00 08:01\n  by 08:01\n" + rest, "x.truth:3: "},
		{"no-by", "sounds 0\nincident prod/db warning\n  from 08:00\n" + rest, "x.truth:2: it has to say from when it is true, and by when"},
		{"by-before-from", "sounds 0\nincident prod/db warning\n  from 08:01\n  by 08:00\n" + rest, "x.truth:2: by is not after from"},
		{"to-before-from", "sounds 0\nincident prod/db warning\n  from 08:01\n  by 08:02\n  to 08:01\n" + rest, "x.truth:2: to is not after from"},
		{"over-before-to", "sounds 0\nincident prod/db warning\n  from 08:01\n  by 08:02\n  to 08:05\n  over 08:04\n" + rest, "x.truth:2: over is before to"},
		{"worse-before-worst", "sounds 0\nnoted prod/db info\n  from 08:01\n  by 08:02\n  worst 08:05\n  worse 08:04\n" + rest, "x.truth:2: worse is before worst"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := eval.ParseTruth("x.truth", tt.text, day)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
