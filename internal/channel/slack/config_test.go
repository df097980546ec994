package slack_test

import (
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

func TestMistakesOfTheConfiguration(t *testing.T) {
	const good, secret = "xoxb-1-SECRET", "SECRET"
	tests := []struct {
		name   string
		config slack.Config
		says   []string // nothing: no mistake
	}{
		{"nothing-is-set", slack.Config{APIURL: "nonsense"}, nil},
		{"by-id", slack.Config{BotToken: good, Channel: "C0123456789"}, nil},
		{"by-name", slack.Config{BotToken: good, Channel: "#ops-alerts_2"}, nil},
		{"private-channel", slack.Config{BotToken: good, Channel: "G0123456789"}, nil},
		{"proxy", slack.Config{BotToken: good, Channel: "#ops", APIURL: "http://proxy.internal:8080/slack"}, nil},
		{"no-channel", slack.Config{BotToken: good}, []string{"SLACK_CHANNEL is missing"}},
		{"no-token", slack.Config{Channel: "#ops"}, []string{"SLACK_BOT_TOKEN is missing"}},
		{"app-level-token", slack.Config{BotToken: "xapp-1-SECRET", Channel: "#ops"}, []string{"SLACK_BOT_TOKEN is an app-level token"}},
		{"persons-token", slack.Config{BotToken: "xoxp-1-SECRET", Channel: "#ops"}, []string{"SLACK_BOT_TOKEN is a person's token"}},
		{"signing-secret", slack.Config{BotToken: "8f742231b10eSECRET", Channel: "#ops"}, []string{"SLACK_BOT_TOKEN is no bot token"}},
		{"line-break-in-token", slack.Config{BotToken: "xoxb-1-SECRET\n", Channel: "#ops"}, []string{"SLACK_BOT_TOKEN is no bot token"}},
		{"app-token", slack.Config{BotToken: good, AppToken: "xapp-1-A-2-SECRET", Channel: "#ops"}, nil},
		{"bot-token-in-its-place", slack.Config{BotToken: good, AppToken: "xoxb-1-SECRET", Channel: "#ops"}, []string{"SLACK_APP_TOKEN is no app-level token"}},
		{"app-token-alone", slack.Config{AppToken: "xapp-1-SECRET"}, []string{"SLACK_BOT_TOKEN is missing", "SLACK_CHANNEL is missing"}},
		{"name-without-mark", slack.Config{BotToken: good, Channel: "ops"}, []string{`SLACK_CHANNEL="ops" is neither a channel's name with #`}},
		{"person", slack.Config{BotToken: good, Channel: "@anna"}, []string{`SLACK_CHANNEL="@anna" is neither`}},
		{"capitals", slack.Config{BotToken: good, Channel: "#Ops"}, []string{`in lower case`}},
		{"not-a-url", slack.Config{BotToken: good, Channel: "#ops", APIURL: "slack.com"}, []string{"SLACK_API_URL is not an http or https URL"}},
		{"password-in-url", slack.Config{BotToken: good, Channel: "#ops", APIURL: "https://a:SECRET@slack.com/api"}, []string{"SLACK_API_URL is not"}},
		{"all-at-once", slack.Config{BotToken: "x", Channel: "x", APIURL: "x"}, []string{"SLACK_BOT_TOKEN", "SLACK_CHANNEL", "SLACK_API_URL"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.config.Validate()
			if len(tt.says) == 0 {
				if err != nil {
					t.Errorf("a mistake: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("no mistake")
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the token is shown: %v", err)
			}
			if _, err := slack.New("slack", tt.config); err == nil {
				t.Error("a channel of it is made")
			}
		})
	}
}

func TestTheEnvironmentConfiguresAChannel(t *testing.T) {
	t.Setenv("BELLBUOY_SLACK_BOT_TOKEN", "xoxb-1-SECRET")
	t.Setenv("BELLBUOY_SLACK_CHANNEL", "#ops")
	var c slack.Config
	if err := config.Load("BELLBUOY", &c); err != nil {
		t.Fatal(err)
	}
	if !c.On() || c.APIURL != "https://slack.com/api/" {
		t.Errorf("read as %+v", c)
	}
}
