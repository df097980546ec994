package notifier_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

const example = "../../docs/channels.example.yml"

// What a person copies has to be valid.
func TestTheExampleOfChannelsIsValid(t *testing.T) {
	t.Setenv("BELLBUOY_CHANNELS_FILE", example)
	var cfg notifier.Config
	if err := config.Load(process.Prefix, &cfg); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ops", "shop", "pager", "chat"}, notifier.Channels(cfg)); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
	r, err := notifier.Routes(cfg)
	if err != nil || len(r.Routes) != 4 {
		t.Errorf("%d routes, %v", len(r.Routes), err)
	}
}

func TestTheFileOfChannelsIsReadThroughTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.yml", "channels:\n  - {name: a, kind: webhook, url: https://x/s3cret}\n")
	bad := write("bad.yml", "channels:\n  - {name: a, kind: webhook, url: 's3cret'}\n  - {name: b, kind: webhook}\nroutes:\n  - {to: [a, c]}\n")
	for _, tt := range []struct {
		name     string
		env      map[string]string
		mistakes int
		want     []string
	}{
		{"good", map[string]string{"CHANNELS_FILE": good}, 0, nil},
		{"bad", map[string]string{"CHANNELS_FILE": bad}, 3, []string{
			`BELLBUOY_CHANNELS_FILE="` + bad + `" line 2: channel a: url is not an http or https URL; set it to one such as https://host/path`, "line 3: channel b has no url", `line 5: to: the list of channels has no "c"`,
		}},
		{"missing", map[string]string{"CHANNELS_FILE": filepath.Join(dir, "none.yml")}, 1, []string{"cannot be read", "no such file"}},
		{"beside-a-single-channel", map[string]string{"CHANNELS_FILE": good, "WEBHOOK_URL": "https://x/s3cret", "WEBHOOK_SECRET_FILE": good}, 2, []string{
			"BELLBUOY_WEBHOOK_URL is of a single channel", "BELLBUOY_WEBHOOK_SECRET_FILE is of a single channel", "unset it, or unset BELLBUOY_CHANNELS_FILE",
		}},
		{"beside-the-key-of-replies", map[string]string{"CHANNELS_FILE": good, "WEBHOOK_IN_SECRET": "whsec_" + strings.Repeat("QUJD", 8)}, 1, []string{"BELLBUOY_WEBHOOK_IN_SECRET"}},
		{"a-key-that-is-none", map[string]string{"WEBHOOK_IN_SECRET": "s3cret"}, 1, []string{"BELLBUOY_WEBHOOK_IN_SECRET", "whsec_"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv("BELLBUOY_"+name, value)
			}
			if tt.env["WEBHOOK_SECRET_FILE"] != "" {
				t.Setenv("BELLBUOY_WEBHOOK_SECRET_FILE", write("secret", "whsec_"+strings.Repeat("QUJD", 8)))
			}
			var cfg notifier.Config
			err := config.Load(process.Prefix, &cfg)
			if err == nil {
				if tt.mistakes > 0 {
					t.Fatal("no mistake")
				}
				return
			}
			if wrong, ok := errors.AsType[*config.Error](err); !ok || len(wrong.Mistakes) != tt.mistakes {
				t.Errorf("want %d mistakes: %v", tt.mistakes, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

func TestAFileThatCannotBeReadOpensNothing(t *testing.T) {
	cfg := notifier.Config{ChannelsFile: "no/such/file"}
	if got := notifier.Channels(cfg); got != nil {
		t.Errorf("channels %q", got)
	}
	if _, err := notifier.New(cfg, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "no/such/file") {
		t.Errorf("error %v", err)
	}
	if _, err := notifier.Routes(cfg); err == nil {
		t.Error("it has routes")
	}
}

// Whoever receives posts has their secret, and is not to reply with it.
func TestTheSecretOfPostsIsNoKeyOfReplies(t *testing.T) {
	secret := "whsec_" + strings.Repeat("QUJD", 8)
	cfg := notifier.Config{
		Webhook: webhook.Config{URL: "https://x/y", Secret: config.Secret("whsec_" + strings.Repeat("Wlla", 8) + "," + secret)},
		In:      gateway.Config{Secret: config.Secret(secret)},
	}
	if _, err := notifier.New(cfg, bustest.New(t), bustest.Log(t), nil); err == nil || !strings.Contains(err.Error(), "key webhook") || strings.Contains(err.Error(), "QUJD") {
		t.Errorf("error %v", err)
	}
}
