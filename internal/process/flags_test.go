package process_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/process"
)

func TestFlags(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		action process.Action
		out    string
	}{
		{"none", nil, process.Serve, ""},
		{"check", []string{"--check"}, process.Check, ""},
		{"one-dash", []string{"-check"}, process.Check, ""},
		{"version", []string{"--version"}, process.Done, "collector 0.1"},
		{"help", []string{"--help"}, process.Done, "Usage: collector [--check"},
		{"short-help", []string{"-h"}, process.Done, "\nBELLBUOY_LOG_FORMAT\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			action, err := process.Flags("collector", tt.args, &out, process.LogConfig{})
			if err != nil || action != tt.action || !strings.Contains(out.String(), tt.out) || tt.out == "" && out.Len() > 0 {
				t.Errorf("action %v, error %v, output:\n%s", action, err, out.String())
			}
		})
	}
}

func TestFlagsRefusesWhatThereIsNot(t *testing.T) {
	for _, args := range [][]string{{"--chekc"}, {"run"}, {"--check=perhaps"}, {"--check", "now"}} {
		var out strings.Builder
		_, err := process.Flags("collector", args, &out)
		if !errors.As(err, &process.Usage{}) || !strings.Contains(err.Error(), "see collector --help") || out.Len() > 0 {
			t.Errorf("%v: error %v, output %q", args, err, out.String())
		}
	}
}
