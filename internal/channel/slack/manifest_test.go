package slack_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
)

func manifest(t *testing.T) api.Manifest {
	t.Helper()
	text, err := os.ReadFile("../../../deploy/slack-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	var m api.Manifest
	if err := d.Decode(&m); err != nil {
		t.Fatalf("the manifest is not readable: %v", err)
	}
	return m
}

func TestTheManifestAsksForTheScopesThatAreNeededAndNoOthers(t *testing.T) {
	var needed []string
	for _, s := range slack.Scopes() {
		needed = append(needed, s.Name)
	}
	slices.Sort(needed)
	if diff := cmp.Diff(needed, manifest(t).OAuthConfig.Scopes.Bot); diff != "" {
		t.Errorf("scopes (-needed +manifest):\n%s", diff)
	}
}

func TestTheManifestMakesAnAppThatNeedsNoPublicAddress(t *testing.T) {
	m := manifest(t)
	if m.Display.Name != "Bellbuoy" || m.Features.BotUser.DisplayName != "Bellbuoy" {
		t.Errorf("named %q and %q", m.Display.Name, m.Features.BotUser.DisplayName)
	}
	if !m.Settings.SocketModeEnabled {
		t.Error("Socket Mode is off")
	}
	if m.Settings.EventSubscriptions.RequestUrl != "" || m.Settings.Interactivity.RequestUrl != "" {
		t.Error("it names an address of ours")
	}
}
