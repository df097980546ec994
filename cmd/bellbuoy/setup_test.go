package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
)

// Whoever sets the streams up judges nothing, and may run where the rules file is not.
func TestSetupDoesNotReadTheRulesFile(t *testing.T) {
	t.Setenv("BELLBUOY_NATS_URL", bustest.Server(t).URL())
	t.Setenv("BELLBUOY_RULES_FILE", "/nowhere/rules.yml")
	t.Setenv("BELLBUOY_LLM_CONCURRENCY", "7")
	if out, err := typed(t, "setup"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Setenv("BELLBUOY_LLM_CONCURRENCY", "0")
	if _, err := typed(t, "setup"); err == nil {
		t.Error("0 calls at once are taken")
	}
}

// Each channel of the file has a consumer of its own, and a file that is wrong makes none.
func TestSetupMakesTheConsumersOfEveryChannelOfTheFile(t *testing.T) {
	server, file := bustest.Server(t), filepath.Join(t.TempDir(), "channels.yml")
	t.Setenv("BELLBUOY_NATS_URL", server.URL())
	t.Setenv("BELLBUOY_CHANNELS_FILE", file)
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("channels:\n  - {name: ops, kind: webhok}\n")
	if _, err := typed(t, "setup"); err == nil || !strings.Contains(err.Error(), "line 2: the list of kinds has no \"webhok\"; write webhook?") {
		t.Errorf("a file that is wrong: %v", err)
	}
	write("channels:\n  - {name: ops, kind: webhook, url: https://x}\n  - {name: pager, kind: webhook, url: https://y}\n")
	if out, err := typed(t, "setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := server.Connect(t).Check(t.Context(), bus.Notify("ops"), bus.Notify("pager")); err != nil {
		t.Error(err)
	}
}
