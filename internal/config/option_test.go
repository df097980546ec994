package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

type post struct {
	URL    config.Secret `env:"POST_URL"`
	Format string        `env:"POST_FORMAT" default:"plain" allowed:"plain,rich"`
	Every  time.Duration `env:"POST_EVERY" default:"15s"`
	To     []string      `env:"POST_TO"`
}

func (p post) Validate() error {
	if p.Every < time.Second {
		return errors.Join(config.Mistake{Name: "POST_EVERY", Value: p.Every.String(), Problem: "is too short for POST_URL_FILE and POST_URL"})
	}
	return nil
}

func TestOptionsAreTheVariablesOfOneKind(t *testing.T) {
	want := []config.Option{
		{Name: "url", Variable: "POST_URL", Secret: true},
		{Name: "url_file", Variable: "POST_URL_FILE"},
		{Name: "format", Variable: "POST_FORMAT"},
		{Name: "every", Variable: "POST_EVERY"},
		{Name: "to", Variable: "POST_TO"},
	}
	if diff := cmp.Diff(want, config.Options(post{}, "POST_")); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestFillReadsOptionsAndNothingElse(t *testing.T) {
	t.Setenv("POST_TO", "nobody")
	file := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(file, []byte("https://x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, values := range map[string]map[string]string{
		"value": {"url": "https://x", "every": "1m"}, "file": {"url_file": file, "every": "1m"},
	} {
		t.Run(name, func(t *testing.T) {
			var p post
			if err := config.Fill(&p, "POST_", values); err != nil {
				t.Fatal(err)
			}
			if p.URL.Reveal() != "https://x" || p.Every != time.Minute || p.Format != "plain" || len(p.To) > 0 {
				t.Errorf("%+v", p)
			}
		})
	}
	if config.Fill(post{}, "POST_", nil) == nil {
		t.Error("what cannot be filled was")
	}
}

func TestFillTellsMistakesByTheNamesOfOptions(t *testing.T) {
	for name, tt := range map[string]struct {
		values map[string]string
		want   string
	}{
		"two":           {map[string]string{"format": "x", "every": "y"}, "configuration: 2 mistakes\n  format=\"x\" is not plain or rich\n  every=\"y\" is not a duration such as 15s, 5m or 1h30m"},
		"its-own":       {map[string]string{"every": "1ms"}, `configuration: every="1ms" is too short for url_file and url`},
		"file-and-text": {map[string]string{"url": "x", "url_file": "y"}, `configuration: url_file="y" is set beside url: set one of them`},
	} {
		t.Run(name, func(t *testing.T) {
			err := config.Fill(new(post), "POST_", tt.values)
			if err == nil {
				t.Fatal("no mistake")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGivenAreTheVariablesThatAreSet(t *testing.T) {
	t.Setenv("TRIAL_POST_URL_FILE", "x")
	t.Setenv("TRIAL_POST_FORMAT", "plain")
	t.Setenv("TRIAL_POST_EVERY", "")
	if diff := cmp.Diff([]string{"TRIAL_POST_URL_FILE", "TRIAL_POST_FORMAT"}, config.Given("TRIAL", post{})); diff != "" {
		t.Errorf("given (-want +got):\n%s", diff)
	}
}
