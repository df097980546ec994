package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

const value = "tr0ub4dor"

func TestSecretNeverPrints(t *testing.T) {
	s := config.Secret(value)
	holder := struct {
		Key  config.Secret
		Keys []config.Secret
		Map  map[string]config.Secret
	}{s, []config.Secret{s}, map[string]config.Secret{"k": s}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.4s", "%T"} {
		fmt.Fprintf(&out, verb+" "+verb+"\n", s, holder)
	}
	fmt.Fprintln(&out, s, holder, fmt.Errorf("with %w and %v", os.ErrInvalid, s))
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("one", "secret", s, "holder", holder)
	}
	hex := fmt.Sprintf("%x", value)
	if got := out.String(); strings.Contains(got, value) || strings.Contains(strings.ToLower(got), hex) || !strings.Contains(got, "***") {
		t.Errorf("the secret shows:\n%s", got)
	}
	if s.Reveal() != value {
		t.Error("Reveal does not reveal")
	}
}

func TestSecretShowsWhetherItIsSet(t *testing.T) {
	if got := config.Secret("").String(); got != "" {
		t.Errorf("an empty secret prints %q", got)
	}
}

type secretive struct {
	Key config.Secret `env:"KEY"`
}

func TestSecretIsReadFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TRIAL_KEY_FILE", path)
	var c secretive
	if err := config.Load("TRIAL", &c); err != nil {
		t.Fatal(err)
	}
	if c.Key.Reveal() != value {
		t.Errorf("the file's newline is still there, or something else: %q", c.Key.Reveal())
	}
}

func TestSecretFileMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, key, path, want string
	}{
		{"both-set", value, write("key", value), "is set beside TRIAL_KEY: set one of them"},
		{"missing", "", filepath.Join(dir, "none"), "no such file or directory; name a file that this user may read, or set TRIAL_KEY"},
		{"a-directory", "", dir, "is a directory; name a file"},
		{"empty", "", write("empty", " \n"), "is empty; name a file"},
		{"too-large", "", write("large", strings.Repeat("x", 70_000)), "is larger than 64 KB; name a file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TRIAL_KEY", tt.key)
			t.Setenv("TRIAL_KEY_FILE", tt.path)
			err := config.Load("TRIAL", new(secretive{}))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "TRIAL_KEY_FILE=") {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), value) {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}
