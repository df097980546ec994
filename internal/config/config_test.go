package config_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

type nested struct {
	Sources []string `env:"SOURCE" default:"auto" desc:"What to read."`
}

type embedded struct {
	Addr string `env:"HTTP_ADDR" default:"127.0.0.1:8476" desc:"Where to listen."`
}

type full struct {
	embedded
	URL      string        `env:"NATS_URL" desc:"The server."`
	Interval time.Duration `env:"INTERVAL" default:"15s" desc:"How often."`
	Calls    int           `env:"LLM_CONCURRENCY" default:"4" desc:"How many at once."`
	Debug    bool          `env:"DEBUG" desc:"Say more."`
	Format   string        `env:"LOG_FORMAT" allowed:"text,json" unset:"text on a terminal" desc:"How log lines look."`
	Key      config.Secret `env:"LLM_API_KEY" desc:"The key."`
	Page     url.URL       `env:"PUBLIC_URL" desc:"The page."`
	Limit    *int          `env:"LIMIT" desc:"A limit."`
	Nested   nested
	Program  func()
}

func load(t *testing.T, env map[string]string) (full, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	var c full
	err := config.Load("TRIAL", &c)
	return c, err
}

func TestLoadFillsInDefaults(t *testing.T) {
	got, err := load(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"127.0.0.1:8476", "", 15 * time.Second, 4, false, "", []string{"auto"}}
	have := []any{got.Addr, got.URL, got.Interval, got.Calls, got.Debug, got.Format, got.Nested.Sources}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if got.Limit != nil {
		t.Errorf("a pointer without a value became %d", *got.Limit)
	}
}

func TestLoadReadsEveryKindOfField(t *testing.T) {
	got, err := load(t, map[string]string{
		"TRIAL_HTTP_ADDR": ":80", "TRIAL_NATS_URL": "nats://x", "TRIAL_INTERVAL": "1m", "TRIAL_LLM_CONCURRENCY": "9",
		"TRIAL_DEBUG": "true", "TRIAL_LOG_FORMAT": "json", "TRIAL_LLM_API_KEY": "k", "TRIAL_PUBLIC_URL": "https://h/p",
		"TRIAL_LIMIT": "0", "TRIAL_SOURCE": " docker , host,,",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []any{":80", "nats://x", time.Minute, 9, true, "json", "k", "https://h/p", 0, []string{"docker", "host"}}
	have := []any{
		got.Addr, got.URL, got.Interval, got.Calls, got.Debug, got.Format, got.Key.Reveal(), got.Page.String(),
		*got.Limit, got.Nested.Sources,
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestLoadTakesAnEmptyVariableForUnset(t *testing.T) {
	got, err := load(t, map[string]string{"TRIAL_INTERVAL": "", "TRIAL_LLM_CONCURRENCY": "", "TRIAL_DEBUG": "", "TRIAL_LLM_API_KEY_FILE": ""})
	if err != nil {
		t.Fatal(err)
	}
	if got.Interval != 15*time.Second || got.Calls != 4 || got.Debug {
		t.Errorf("empty variables gave %v, %d, %v", got.Interval, got.Calls, got.Debug)
	}
}

func TestLoadNeverConsultsBareNames(t *testing.T) {
	got, err := load(t, map[string]string{"NATS_URL": "nats://elsewhere", "SOURCE": "bare", "LLM_API_KEY": "bare"})
	if err != nil {
		t.Fatal(err)
	}
	if got.URL != "" || got.Key != "" || !cmp.Equal(got.Nested.Sources, []string{"auto"}) {
		t.Errorf("read a variable without the prefix: %q, %v", got.URL, got.Nested.Sources)
	}
}

func TestLoadKeepsWhatHasNoDefault(t *testing.T) {
	c := full{URL: "nats://preset"}
	if err := config.Load("TRIAL", &c); err != nil {
		t.Fatal(err)
	}
	if c.URL != "nats://preset" {
		t.Errorf("a field without a default lost its value: %q", c.URL)
	}
}

func TestLoadReportsEveryMistakeTogether(t *testing.T) {
	_, err := load(t, map[string]string{
		"TRIAL_INTERVAL": "soon", "TRIAL_LLM_CONCURRENCY": "99999999999999999999", "TRIAL_DEBUG": "perhaps",
		"TRIAL_LOG_FORMAT": "xml", "TRIAL_PUBLIC_URL": "http://[", "TRIAL_LIMIT": "many",
	})
	want := `configuration: 6 mistakes
  TRIAL_INTERVAL="soon" is not a duration such as 15s, 5m or 1h30m
  TRIAL_LLM_CONCURRENCY="99999999999999999999" is too far from zero for a whole number
  TRIAL_DEBUG="perhaps" is not true or false
  TRIAL_LOG_FORMAT="xml" is not text or json
  TRIAL_PUBLIC_URL="http://[" is not allowed: parse "http://[": missing ']' in host
  TRIAL_LIMIT="many" is not a whole number`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestMistakeHasItsFixLast(t *testing.T) {
	m := config.Mistake{Name: "TRIAL_FILE", Value: "x", Problem: "line 3: cpu is sick", Fix: "write cpu: off"}
	want := []string{`TRIAL_FILE="x" line 3: cpu is sick`, `TRIAL_FILE="x" line 3: cpu is sick; write cpu: off`}
	if diff := cmp.Diff(want, []string{m.Sentence(), m.Error()}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadReportsTheMistakesOfAllStructsTogether(t *testing.T) {
	t.Setenv("TRIAL_INTERVAL", "soon")
	t.Setenv("TRIAL_MIN", "few")
	err := config.Load("TRIAL", new(full{}), new(checked{}))
	problem, ok := errors.AsType[*config.Error](err)
	if !ok || len(problem.Mistakes) != 2 {
		t.Errorf("error %v", err)
	}
}

func TestLoadShortensWhatItRepeats(t *testing.T) {
	_, err := load(t, map[string]string{"TRIAL_INTERVAL": strings.Repeat("long\n", 10_000)})
	if err == nil || len(err.Error()) > 400 || strings.Contains(err.Error(), "\n") {
		t.Errorf("a long value was repeated: %v", err)
	}
}

type checked struct {
	Min  int `env:"MIN" default:"1"`
	Max  int `env:"MAX" default:"2"`
	Mail mail
}

func (c checked) Validate() error {
	if c.Min > c.Max {
		return errors.Join(config.Mistake{Name: "MIN", Value: "3", Problem: "is more than TRIAL_MAX"}, errors.New("swap them"))
	}
	return nil
}

type mail struct {
	From string `env:"MAIL_FROM"`
}

func (m *mail) Validate() error {
	if m.From == "nobody" {
		return config.Mistake{Name: "MAIL_FROM", Problem: "has to be an address"}
	}
	return nil
}

func TestLoadAsksEachStruct(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"all-well", nil, ""},
		{"mistakes-joined", map[string]string{"TRIAL_MIN": "3"}, "configuration: 2 mistakes\n  TRIAL_MIN=\"3\" is more than TRIAL_MAX\n  swap them"},
		{"nested-one-asked", map[string]string{"TRIAL_MAIL_FROM": "nobody"}, "configuration: TRIAL_MAIL_FROM has to be an address"},
		{"not-asked-with-a-variable-unread", map[string]string{"TRIAL_MIN": "3", "TRIAL_MAX": "x"}, `configuration: TRIAL_MAX="x" is not a whole number`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			got := ""
			if err := config.Load("TRIAL", new(checked{})); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

type Common struct {
	Who string `env:"WHO"`
}

func (c Common) Validate() error {
	return config.Mistake{Name: "WHO", Value: c.Who, Problem: "is unknown"}
}

func TestLoadReportsAPromotedValidateOnce(t *testing.T) {
	err := config.Load("TRIAL", new(struct{ Common }{}))
	if err == nil || err.Error() != "configuration: TRIAL_WHO is unknown" {
		t.Errorf("error %v", err)
	}
}

func TestLoadRefusesWhatItCouldNotFill(t *testing.T) {
	for _, into := range []any{nil, full{}, new(int), (*full)(nil)} {
		if err := config.Load("TRIAL", into); err == nil {
			t.Errorf("loaded into %T", into)
		}
	}
	var c struct {
		Pipe chan int `env:"PIPE"`
	}
	if err := config.Load("TRIAL", &c); err == nil {
		t.Error("a channel counts as a variable")
	}
}

func TestUnknownNamesTheNearestVariable(t *testing.T) {
	t.Setenv("TRIAL_LLM_APIKEY", "x")
	t.Setenv("TRIAL_WEATHER_IN_BERLIN", "x")
	t.Setenv("TRIAL_EMPTY", "")
	t.Setenv("TRIAL_LLM_API_KEY_FILE", "x")
	t.Setenv("TRIAL_NATS_URL", "x")
	got := config.Unknown("TRIAL", full{}, &nested{}, (*checked)(nil))
	want := []config.UnknownVariable{
		{Name: "TRIAL_LLM_APIKEY", Nearest: "TRIAL_LLM_API_KEY"}, {Name: "TRIAL_WEATHER_IN_BERLIN"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
}

func TestReferenceHasOneRowPerVariable(t *testing.T) {
	got := config.Reference("TRIAL", config.Section{Title: "All", About: "Of everybody.", Config: full{}}, config.Section{Title: "More", Config: &nested{}})
	_, tables, _ := strings.Cut(got, "\n## ")
	want, err := os.ReadFile(filepath.Join("testdata", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), "## "+tables); diff != "" {
		t.Errorf("reference (-want +got):\n%s", diff)
	}
}

func TestSummaryListsEachVariableOnce(t *testing.T) {
	type some struct {
		Format string        `env:"LOG_FORMAT" allowed:"text,json" unset:"text on a terminal" desc:"How log lines look."`
		Key    config.Secret `env:"KEY" desc:"The key."`
	}
	got := config.Summary("TRIAL", some{}, &some{}, nested{})
	want := `TRIAL_LOG_FORMAT
      How log lines look. One of text, json. Default: text on a terminal.
TRIAL_KEY
      The key. Or TRIAL_KEY_FILE.
TRIAL_SOURCE
      What to read. Default: auto.
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}
