package rules_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/rules"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

var update = flag.Bool("update", false, "write what is said of the files of testdata anew")

func parse(t *testing.T, text string) detect.Rules {
	t.Helper()
	r, err := rules.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func check(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func example(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/rules.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What a person copies has to be what is shipped, and all of it: a setting that is new is missing here until the example
// has it.
func TestExampleNamesEverySettingAsShipped(t *testing.T) {
	r := parse(t, string(example(t)))
	var named []detect.Setting
	for _, c := range r.Changed {
		named = append(named, c.Setting)
	}
	for _, s := range detect.Settings() {
		if !slices.Contains(named, s) {
			t.Errorf("docs/rules.example.yml lacks %s of %s", s.Name, s.Condition)
		}
	}
	check(t, 3, len(r.Overrides))
	file, err := rules.Read(example(t))
	var windows []string
	for _, w := range file.Windows {
		windows = append(windows, w.Name+": "+w.Matcher.String()+", "+w.String())
	}
	check(t, []string{
		"backup: cluster=prod name=db-* condition=error_burst, mon-fri 22:00–06:00 Europe/Berlin",
		"lab-weekend: label.team=lab, sat-sun 00:00–24:00 America/New_York",
	}, windows)
	check(t, nil, err)
	check(t, 3, len(file.Links))
	r.Changed, r.Overrides = nil, nil
	check(t, detect.Default(), r)
}

func TestFilesThatChangeNothingGiveTheRulesAsShipped(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "comments": "# nothing\n\n", "marker": "---\n", "overrides-empty": "overrides:\n", "windows-empty": "windows:\n", "links-empty": "links:\n"} {
		t.Run(name, func(t *testing.T) { check(t, detect.Default(), parse(t, text)) })
	}
}

func TestEveryUnitIsRead(t *testing.T) {
	r := parse(t, `
rules:
  disk: {raise: 85.5%, clear: "80 %", hold: 10m, worse_free: 500MB, severity: info}
  service_down: {hold: 4I, clear_after: 90s}
  crash_loop: {restarts: 5, within: 15m}
  gpu_hot: {raise: 80°C, clear: 75C}
  error_burst: {times: 2.5}
  cpu: off
`)
	want := detect.Default()
	want.Disk.Over, want.Disk.Under, want.Disk.WorseFree, want.Disk.Severity = 85.5, 80, 5e8, "info"
	want.Disk.Hold = detect.Span{Time: 10 * time.Minute}
	want.ServiceDown.Hold, want.ServiceDown.Clear = detect.Span{Intervals: 4}, detect.Span{Time: 90 * time.Second}
	want.CrashLoop.Restarts, want.CrashLoop.Within = 5, 15*time.Minute
	want.GPUHot.Over, want.GPUHot.Under = 80, 75
	want.ErrorBurst.Times = 2.5
	want.CPU.Severity = ""
	check(t, "RULES_FILE line 3", r.Changed[0].By)
	r.Changed = nil
	check(t, want, r)
}

func TestPoliciesAreSwitchedAndSetAsConditionsAre(t *testing.T) {
	r := parse(t, `
rules: {deploy_grace: off, flapping: {times: 4, quiet: 1h}}
overrides:
  - match: {service: web}
    rules: {deploy_grace: {enabled: on, for: 60s}, flapping: off}
  - match: {node: n1}
    rules: {flapping: {enabled: off}}
`)
	web := r.For("prod", schema.Object{Kind: schema.KindService, Name: "web"}, nil)
	api := r.For("prod", schema.Object{Kind: schema.KindService, Name: "api"}, nil)
	n1 := r.For("prod", schema.Object{Kind: schema.KindNode, Name: "n1"}, nil)
	check(t, []bool{true, false, false}, []bool{web.DeployGrace.On, api.DeployGrace.On, n1.DeployGrace.On})
	check(t, []bool{false, true, false}, []bool{web.Flapping.On, api.Flapping.On, n1.Flapping.On})
	check(t, time.Minute, web.DeployGrace.For)
	check(t, detect.FlapRule{On: true, Times: 4, Within: time.Hour, Quiet: time.Hour}, api.Flapping)
}

func TestOverridesAreReadInTheirOrder(t *testing.T) {
	r := parse(t, `
rules: {cpu: off, memory: off}
overrides:
  - match: {cluster: prod, namespace: shop, service: "batch-*", label: {tier: dev}}
    rules: {service_down: {hold: 4I}, error_burst: off}
  - match: {node: n1}
    rules: {cpu: on, memory: {severity: critical}}
`)
	dev := map[string]string{"tier": "dev"}
	batch := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "batch-7"}
	got := r.For("prod", batch, dev)
	check(t, []any{detect.Span{Intervals: 4}, ""}, []any{got.ServiceDown.Hold, got.ErrorBurst.Severity})
	got = r.For("prod", batch, nil)
	check(t, []any{detect.Span{Intervals: 1}, "warning"}, []any{got.ServiceDown.Hold, got.ErrorBurst.Severity})
	got = r.For("prod", schema.Object{Kind: schema.KindNode, Name: "n1"}, nil)
	check(t, []string{"info", "critical"}, []string{got.CPU.Severity, got.LowMemory.Severity})
	check(t, "", r.For("prod", schema.Object{Kind: schema.KindNode, Name: "n2"}, nil).CPU.Severity)
}

func TestWindowsAreRead(t *testing.T) {
	file, err := rules.Read([]byte(`
windows:
  - {name: a, match: {cluster: prod, label: {team: shop}, label.tier: dev, name: "web-*"}, days: "MON, wed-thu", from: 9:05, to: 24:00, time_zone: UTC, reason: " x "}
  - {name: b, match: {cluster: "*"}, days: [sat-mon, wed], from: "22:00", to: "00:00", time_zone: Asia/Kolkata, reason: x}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range file.Windows {
		got = append(got, w.ID()+" "+w.Matcher.String()+" "+w.String()+" "+w.Reason)
	}
	check(t, []string{
		"window:a cluster=prod name=web-* label.team=shop label.tier=dev mon,wed-thu 09:05–24:00 UTC x",
		"window:b cluster=* mon,wed,sat-sun 22:00–00:00 Asia/Kolkata x",
	}, got)
	check(t, []int{9*60 + 5, 24 * 60, 22 * 60, 0}, []int{file.Windows[0].From, file.Windows[0].To, file.Windows[1].From, file.Windows[1].To})
}

func TestLinksAreRead(t *testing.T) {
	file, err := rules.Read([]byte(`
links:
  - title: " Logs "
    url: "https://logs.example/?q={name}&from={since_ms}"
  - {title: Board, url: "https://grafana.example/d/node?var-node={node}", match: {kind: node, label: {team: shop}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	match, _ := silence.Parse([]string{"kind=node", "label.team=shop"})
	check(t, link.Templates{
		{Title: "Logs", URL: "https://logs.example/?q={name}&from={since_ms}"},
		{Title: "Board", URL: "https://grafana.example/d/node?var-node={node}", Match: &match},
	}, file.Links)
	many := "links:\n" + strings.Repeat("  - {title: A, url: \"https://x/\"}\n", 101)
	if _, err := rules.Read([]byte(many)); err == nil || !strings.Contains(err.Error(), "101 links are more than the 100 that there may be") {
		t.Errorf("%v", err)
	}
}

// Each file of testdata holds mistakes; what is said of them stands in the file of the same name that ends in .txt.
func TestMistakesAreToldAllAtOnceWithLineAndFix(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			told := strings.TrimSuffix(file, ".yml") + ".txt"
			r, err := rules.Parse(text)
			if err == nil {
				t.Fatal("no mistake")
			}
			check(t, detect.Default(), r)
			if *update {
				if err := os.WriteFile(told, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, failed := os.ReadFile(told)
			if failed != nil {
				t.Fatal(failed)
			}
			check(t, string(want), err.Error()+"\n")
		})
	}
}

func TestFileIsReadThroughTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	good, bad, large := filepath.Join(dir, "good.yml"), filepath.Join(dir, "bad.yml"), filepath.Join(dir, "large.yml")
	for path, text := range map[string]string{
		good: "rules: {cpu: off}\n", bad: "rules:\n  cpu: {hold: 10}\n  dsk: off\n", large: strings.Repeat("# nothing\n", 30_000),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, path string
		mistakes   int
		want       string
	}{
		{"none", "", 0, ""},
		{"good", good, 0, ""},
		{"two-mistakes", bad, 2, `TRIAL_RULES_FILE="` + bad + `" line 2: cpu: hold: "10" has no unit; say in what, such as 10s or 10m, or 10I in intervals between snapshots`},
		{"missing", filepath.Join(dir, "none.yml"), 1, "no such file"},
		{"a-directory", dir, 1, "cannot be read"},
		{"large", large, 1, "it is larger than 256 KB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TRIAL_RULES_FILE", tt.path)
			var f rules.File
			err := config.Load("TRIAL", &f)
			var wrong *config.Error
			if tt.mistakes == 0 {
				check(t, nil, err)
				return
			}
			if !errors.As(err, &wrong) || len(wrong.Mistakes) != tt.mistakes || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %d mistakes, with %q", err, tt.mistakes, tt.want)
			}
		})
	}
}

// Whatever the text, the answer is rules without a contradiction, or mistakes that each say something.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../docs/rules.example.yml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := rules.Parse(text)
		var wrong rules.Mistakes
		switch {
		case err == nil:
			file, err := rules.Read(text)
			if err != nil || len(file.Windows) > silence.MaxWindows {
				t.Errorf("%d windows, %v", len(file.Windows), err)
			}
			for _, l := range file.Links {
				if problem, _ := link.Check(l.URL); problem != "" || l.Title == "" || l.Match != nil && l.Match.Validate() != nil {
					t.Errorf("%+v: %s", l, problem)
				}
			}
			for _, w := range file.Windows {
				if at := time.Unix(1795000000, 0); w.Matcher.Validate() != nil || w.Name == "" || w.Reason == "" || w.Next(at).Until.IsZero() {
					t.Errorf("%+v", w)
				}
			}
			if c := r.Contradictions(); len(c) > 0 {
				t.Errorf("contradictions: %+v", c)
			}
			for _, o := range r.Overrides {
				if len(o.Changes) == 0 {
					t.Error("an override that changes nothing")
				}
			}
		case !errors.As(err, &wrong) || len(wrong) == 0:
			t.Errorf("error %v", err)
		default:
			for _, m := range wrong {
				if m.Problem == "" || m.Fix == "" || m.Line < 0 {
					t.Errorf("%+v", m)
				}
			}
		}
	})
}
