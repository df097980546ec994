package process

import (
	"runtime/debug"
	"testing"
)

func TestVersionNamesTheCommit(t *testing.T) {
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123"}
	tests := []struct {
		name     string
		settings []debug.BuildSetting
		want     string
	}{
		{"no-commit-known", nil, "0.1"},
		{"a-commit", []debug.BuildSetting{commit, {Key: "vcs.modified", Value: "false"}}, "0.1+0123456789ab"},
		{"changed-since", []debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, commit}, "0.1+0123456789ab.modified"},
		{"a-short-commit", []debug.BuildSetting{{Key: "vcs.revision", Value: "01"}}, "0.1+01"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := describe(tt.settings); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
