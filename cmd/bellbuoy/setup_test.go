package main

import (
	"testing"

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
