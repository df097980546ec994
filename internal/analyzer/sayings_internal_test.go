package analyzer

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/breaker"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var (
	noon  = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	first = noon.Add(-time.Hour) // a stream's life
)

// spoken is one thing that is said, or, with lapse, a look whether it still is.
type spoken struct {
	after     time.Duration
	seq       uint64
	epoch     time.Time
	source    string
	condition string
	severity  string // empty: it is over
	lapse     time.Duration
	want      string // what is found then
}

func shown(r *saidRecord, rules detect.Rules, at time.Time) string {
	f := r.found(&schema.Conversation{}, rules, at)
	var all []string
	for _, x := range f.Conditions {
		all = append(all, x.Name+" "+x.Severity+" "+x.Since.Format("15:04")+" "+x.Facts[len(x.Facts)-1])
	}
	if f.Removed != (f.Unjudged != "") || f.Removed && len(all) > 0 {
		all = append(all, fmt.Sprintf("removed=%v with %q", f.Removed, f.Unjudged))
	} else if f.Removed {
		all = append(all, "removed: "+f.Unjudged)
	}
	return strings.Join(all, "; ")
}

func TestWhatIsSaidOfAnObjectIsFoldedBySource(t *testing.T) {
	const a, b = "x warning 12:00 as said by a", "x warning 12:01 as said by b"
	tests := []struct {
		name  string
		steps []spoken
	}{
		{"said-and-over", []spoken{
			{0, 1, first, "a", "x", "warning", 0, a},
			{time.Minute, 2, first, "a", "x", "warning", 0, a},
			{2 * time.Minute, 3, first, "a", "x", "", 0, ""},
		}},
		{"two-say-it-and-both-have-to-end-it", []spoken{
			{0, 1, first, "a", "x", "warning", 0, a},
			{time.Minute, 2, first, "b", "x", "warning", 0, a + ", b"},
			{2 * time.Minute, 3, first, "a", "x", "", 0, b},
			{3 * time.Minute, 4, first, "b", "x", "", 0, ""},
		}},
		{"the-worst-counts", []spoken{
			{0, 1, first, "a", "x", "warning", 0, a},
			{time.Minute, 2, first, "b", "x", "critical", 0, "x critical 12:00 as said by b, a"},
		}},
		{"several-conditions", []spoken{
			{0, 1, first, "a", "x", "warning", 0, a},
			{time.Minute, 2, first, "a", "y", "critical", 0, "y critical 12:01 as said by a; " + a},
			{2 * time.Minute, 3, first, "a", "x", "", 0, "y critical 12:01 as said by a"},
		}},
		{"out-of-order", []spoken{
			{time.Minute, 2, first, "a", "x", "", 0, ""},
			{0, 1, first, "a", "x", "warning", 0, ""},
			{0, 1, first, "b", "x", "warning", 0, "x warning 12:00 as said by b"},
		}},
		{"another-life-of-the-stream-is-newer", []spoken{
			{0, 9, first, "a", "x", "warning", 0, a},
			{time.Minute, 1, noon, "a", "x", "", 0, ""},
			{time.Minute, 10, first, "a", "x", "warning", 0, ""},
		}},
		{"not-said-again-nobody-knows", []spoken{
			{0, 1, first, "a", "x", "warning", 0, a},
			{4 * time.Minute, 0, first, "", "", "", time.Hour, a},
			{5 * time.Minute, 0, first, "", "", "", 4 * time.Minute, a}, // by who has not listened for so long
			{5 * time.Minute, 0, first, "", "", "", 5 * time.Minute, "removed: a has not said so again by 12:05:00 UTC"},
			{6 * time.Minute, 2, first, "a", "x", "warning", 0, "x warning 12:00 as said by a"},
		}},
		{"one-lapses-and-one-goes-on", []spoken{
			{0, 1, first, "a", "x", "warning", 0, a},
			{time.Minute, 2, first, "b", "x", "warning", 0, a + ", b"},
			{5 * time.Minute, 0, first, "", "", "", time.Hour, b},
			{6 * time.Minute, 3, first, "b", "x", "", 0, ""},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := saidRecord{Cluster: "prod", Object: schema.Object{Kind: "alert", Name: "o"}}
			for n, s := range tt.steps {
				at := noon.Add(s.after)
				if s.lapse > 0 {
					r.lapse(at, s.lapse)
				} else {
					f := schema.Finding{
						Cluster: "prod", Object: r.Object, Source: s.source, Condition: s.condition, Severity: s.severity, Firing: s.severity != "",
						Title: "t", Since: noon.Add(s.after),
					}
					if tt.name == "not-said-again-nobody-knows" {
						f.Since = noon
					}
					m := bus.Message{Seq: s.seq, Epoch: s.epoch, At: at}
					r.take(&f, m)
					if r.take(&f, m) {
						t.Errorf("step %d: the same message twice changes something", n)
					}
				}
				if diff := cmp.Diff(s.want, shown(&r, detect.Default(), at)); diff != "" {
					t.Errorf("step %d (-want +got):\n%s", n, diff)
				}
			}
		})
	}
}

func TestWhatIsRememberedOfAnObjectIsBounded(t *testing.T) {
	r := saidRecord{Cluster: "prod", Object: schema.Object{Kind: "alert", Name: "o"}}
	say := func(n int, firing bool, at time.Time) {
		f := schema.Finding{Source: fmt.Sprint(n), Condition: "x", Severity: "warning", Title: "t", Firing: firing}
		r.take(&f, bus.Message{Seq: uint64(n), Epoch: first, At: at}) //nolint:gosec // a small number
	}
	for n := range 100 {
		say(n+1, n%2 == 0, noon)
	}
	if len(r.Sayings) != maxSayings || len(r.ranked()) != maxSayings {
		t.Errorf("%d are remembered, %d of them true", len(r.Sayings), len(r.ranked()))
	}
	say(200, false, noon.Add(2*time.Hour))
	for _, s := range r.Sayings {
		if !s.Firing && s.Source != "200" {
			t.Errorf("%+v is over for two hours", s)
		}
	}
}

func TestSecretsInWhatIsSaidAreTakenOut(t *testing.T) {
	f := schema.Finding{Source: "s", Condition: "x", Severity: "warning", Title: "login with password=hunter22secret \x1b[31mfailed", Firing: true}
	s := said(&f, bus.Message{Seq: 1, At: noon})
	if strings.Contains(s.Title, "hunter22secret") || strings.Contains(s.Title, "\x1b") {
		t.Errorf("title %q", s.Title)
	}
}

func TestAFullStreamStaysFullUntilItIsAGoodDealLess(t *testing.T) {
	r := detect.Default().StoreFull
	for _, tt := range []struct {
		name  string
		bytes int64
		said  bool
		want  string
	}{
		{"well", 799, false, ""},
		{"nearly-full", 800, false, schema.SeverityWarning},
		{"as-good-as-full", 950, false, schema.SeverityCritical},
		{"a-little-less", 790, true, schema.SeverityWarning},
		{"a-good-deal-less", 769, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, _ := filled(bus.Fill{Stream: "ALERTS", Bytes: tt.bytes, Limit: 1000}, r, tt.said)
			if f.Severity != tt.want {
				t.Errorf("severity %q, want %q", f.Severity, tt.want)
			}
		})
	}
}

func TestAModelIsUnavailableOnceThreeCallsFailedOverAQuarterOfAnHour(t *testing.T) {
	var h breaker.State
	r := detect.Default().ModelUnavailable
	for _, s := range []struct {
		after time.Duration
		went  breaker.Result
		want  bool
	}{
		{0, breaker.Useless, false},
		{time.Minute, breaker.Well, false}, // one went well
		{2 * time.Minute, breaker.Unanswered, false},
		{3 * time.Minute, breaker.Unanswered, false},
		{18 * time.Minute, breaker.Unanswered, true},
		{19 * time.Minute, breaker.Well, false},
		{20 * time.Minute, breaker.Unanswered, false},
		{40 * time.Minute, breaker.Unanswered, false}, // two only
		{41 * time.Minute, breaker.Unanswered, true},
	} {
		h = h.Went(noon.Add(s.after), "", s.went, "connection refused")
		if got := unavailable("m", h, noon.Add(s.after), r); (len(got) > 0) != s.want {
			t.Errorf("after %s: %+v", s.after, got)
		}
	}
}
