package slack

import (
	"errors"
	"net/url"
	"regexp"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

// Name is how the one Slack channel that the environment configures is called.
const Name = "slack"

// Config is one channel of a Slack workspace.
type Config struct {
	BotToken config.Secret `env:"SLACK_BOT_TOKEN" desc:"The token of the Slack app's bot user, from its page OAuth & Permissions; it begins with xoxb-. deploy/slack-manifest.json makes the app."`
	Channel  string        `env:"SLACK_CHANNEL" desc:"The Slack channel that is told: its name with #, or better its id (at the end of the channel's details), which survives a renaming. The bot has to be a member."`
	AppToken config.Secret `env:"SLACK_APP_TOKEN" unset:"replies in Slack are not heard, and cards have no buttons" desc:"The app-level token of the Slack app, with the scope connections:write, from its page Basic Information; it begins with xapp-. With it replies in threads, buttons and 👍 👎 are heard."`
	APIURL   string        `env:"SLACK_API_URL" default:"https://slack.com/api/" desc:"Where Slack's Web API is; another one only for a proxy."`
}

// On tells whether a Slack channel is configured.
func (c Config) On() bool { return c.BotToken != "" || c.AppToken != "" || c.Channel != "" }

var (
	botToken  = regexp.MustCompile(`^xoxb-[A-Za-z0-9-]+$`)
	appToken  = regexp.MustCompile(`^xapp-[A-Za-z0-9-]+$`)
	channelID = regexp.MustCompile(`^[CGD][A-Z0-9]{4,20}$`)
	named     = regexp.MustCompile(`^#[^\s#A-Z,.<>@&]{1,80}$`)
)

// Validate lists every mistake, without the token.
func (c Config) Validate() error {
	if !c.On() {
		return nil
	}
	var all []error
	blame := func(name, value, problem string) {
		all = append(all, config.Mistake{Name: name, Value: value, Problem: problem})
	}
	if problem := wrongToken(c.BotToken.Reveal()); problem != "" {
		blame("SLACK_BOT_TOKEN", "", problem)
	}
	if token := c.AppToken.Reveal(); token != "" && !appToken.MatchString(token) {
		blame("SLACK_APP_TOKEN", "", "is no app-level token; set it to one that begins with xapp-, from the app's page Basic Information")
	}
	switch {
	case c.Channel == "":
		blame("SLACK_CHANNEL", "", "is missing; set it to the Slack channel that is to be told, such as #ops or C0123456789")
	case !channelID.MatchString(c.Channel) && !named.MatchString(c.Channel):
		blame("SLACK_CHANNEL", c.Channel, "is neither a channel's name with #, in lower case, nor its id such as C0123456789")
	}
	if _, err := endpoint(c.APIURL); err != nil {
		blame("SLACK_API_URL", "", err.Error())
	}
	return errors.Join(all...)
}

// wrongToken continues a sentence that begins with the variable's name.
func wrongToken(token string) string {
	switch {
	case token == "":
		return "is missing; set it to the bot's token, which begins with xoxb-"
	case botToken.MatchString(token):
		return ""
	case strings.HasPrefix(token, "xapp-"):
		return "is an app-level token; set it to the bot's, which begins with xoxb-"
	case strings.HasPrefix(token, "xoxp-"):
		return "is a person's token; set it to the bot's, which begins with xoxb-"
	}
	return "is no bot token; set it to one that begins with xoxb-"
}

// defaultAPI is where Slack is.
const defaultAPI = "https://slack.com/api/"

// endpoint is the address of the API, ending in a slash.
func endpoint(raw string) (string, error) {
	if raw == "" {
		return defaultAPI, nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", errors.New("is not an http or https URL without user and query; leave it out, or set it to one such as " + defaultAPI)
	}
	return strings.TrimSuffix(u.String(), "/") + "/", nil
}
