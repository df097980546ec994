package notifier

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/channelfile"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/route"
)

// Values of Config.Notify.
const (
	NotifyOn     = "on"
	NotifyShadow = "shadow" // all is decided and recorded, nothing sent
)

// Config is what the notifier is told by its environment: one channel of a kind by variables, or any number by a file.
type Config struct {
	Notify       string `env:"NOTIFY" default:"on" allowed:"on,shadow" desc:"Whether posts are sent. With shadow everything is decided, diagnosed and stored, and nothing sent."`
	ChannelsFile string `env:"CHANNELS_FILE" unset:"one channel for each kind that variables configure, told of everything" desc:"Path of a YAML file with any number of channels and the routes that say who is told of what. With it the variables of single channels are a mistake. Read at the start; every notifier, and bellbuoy setup, needs the same."`
	Logs         string `env:"LOGS" default:"line" allowed:"off,line,full" desc:"What channels may show of log lines: none, the most telling one, or all that is in the evidence."`
	Webhook      webhook.Config
	Slack        slack.Config
	In           gateway.Config

	file *channelfile.Contents // what ChannelsFile said when it was validated
}

// channelsFile is what people know the file by.
const channelsFile = "CHANNELS_FILE"

// kind is one kind of channel: the table that all kinds are in is kinds.
type kind struct {
	channelfile.Kind
	single func(Config) (options any, on bool) // what the variables of a single channel configure
	open   func(name string, options any) (channel.Channel, error)
	url    func(options any) string // where its posts go
}

// kinds are all there are. A single channel is called like its kind.
func kinds() []kind {
	return []kind{
		{
			Kind: channelfile.Kind{
				Name: webhook.Name, Begin: "WEBHOOK_", New: func() any { return new(webhook.Config) },
				Missing:  missing("url", func(c *webhook.Config) bool { return c.Configured() }),
				Mentions: of(func(c *webhook.Config) bool { return c.Format == "slack" }),
			},
			single: func(c Config) (any, bool) { return &c.Webhook, c.Webhook.Configured() },
			open:   opening(func(_ string, c webhook.Config) (*webhook.Channel, error) { return webhook.New(c, process.Version()) }),
			url:    of(func(c *webhook.Config) string { return c.Address() }),
		},
		{
			Kind: channelfile.Kind{
				Name: slack.Name, Begin: "SLACK_", New: func() any { return new(slack.Config) },
				Missing:  missing("bot_token", func(c *slack.Config) bool { return c.On() }),
				Mentions: of(func(*slack.Config) bool { return true }),
			},
			single: func(c Config) (any, bool) { return &c.Slack, c.Slack.On() },
			open:   opening(slack.New),
			url:    of(func(c *slack.Config) string { return c.APIURL }),
		},
	}
}

// of is a question about one kind's options, asked of any.
func of[T, A any](ask func(*T) A) func(any) A {
	return func(options any) (answer A) {
		if c, ok := options.(*T); ok {
			answer = ask(c)
		}
		return answer
	}
}

func missing[T any](option string, there func(*T) bool) func(any) string {
	return func(options any) string {
		if of(there)(options) {
			return ""
		}
		return option
	}
}

func opening[T any, C channel.Channel](open func(name string, options T) (C, error)) func(string, any) (channel.Channel, error) {
	return func(name string, options any) (channel.Channel, error) {
		c, ok := options.(*T)
		if !ok {
			return nil, fmt.Errorf("its options are %T", options)
		}
		return open(name, *c)
	}
}

// Validate tells every mistake in the file of channels, and each variable that cannot stand beside it.
func (c *Config) Validate() error {
	if c.ChannelsFile == "" {
		return nil
	}
	_, err := c.contents()
	all := []error{yamlfile.OfVariable(err, channelsFile, c.ChannelsFile)}
	for _, k := range kinds() {
		options, _ := k.single(*c)
		all = append(all, beside(options)...)
	}
	return errors.Join(append(all, beside(&c.In)...)...)
}

// beside refuses variables that the file stands in for.
func beside(options any) (all []error) {
	for _, name := range config.Given(process.Prefix, options) {
		all = append(all, config.Mistake{
			Name: name, Problem: "is of a single channel, and all channels are in the file that " + process.Prefix + "_" + channelsFile + " names",
			Fix: "move it into the file and unset it, or unset " + process.Prefix + "_" + channelsFile,
		})
	}
	return all
}

// contents reads the file, once.
func (c *Config) contents() (*channelfile.Contents, error) {
	if c.file != nil {
		return c.file, nil
	}
	text, err := yamlfile.Load(channelsFile, c.ChannelsFile)
	if err != nil {
		return nil, err
	}
	var all []channelfile.Kind
	for _, k := range kinds() {
		all = append(all, k.Kind)
	}
	file, err := channelfile.Read(text, all, inKind())
	if err != nil {
		return nil, err
	}
	c.file = &file
	return c.file, nil
}

// Declared lists the channels that cfg configures: their options are pointers to their kinds' structs.
func Declared(cfg Config) ([]channelfile.Channel, error) {
	if cfg.ChannelsFile != "" {
		file, err := cfg.contents()
		if err != nil {
			return nil, err
		}
		return file.Channels, nil
	}
	var all []channelfile.Channel
	for _, k := range kinds() {
		if options, on := k.single(cfg); on {
			all = append(all, channelfile.Channel{Name: k.Name, Kind: k.Name, Options: options})
		}
	}
	return all, nil
}

// Channels lists the names of the channels that cfg configures; none, if its file cannot be read.
func Channels(cfg Config) []string {
	declared, err := Declared(cfg)
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range declared {
		names = append(names, c.Name)
	}
	return names
}

// URL is where the posts of a declared channel go. It is a secret.
func URL(c channelfile.Channel) config.Secret {
	for _, k := range kinds() {
		if k.Name == c.Kind {
			return config.Secret(k.url(c.Options))
		}
	}
	return ""
}

// Routes says who is told of what.
func Routes(cfg Config) (route.Routes, error) {
	if cfg.ChannelsFile == "" {
		return route.Routes{Channels: Channels(cfg)}, nil
	}
	file, err := cfg.contents()
	if err != nil {
		return route.Routes{}, err
	}
	return file.Routes, nil
}

// open opens a channel that is declared.
func open(c channelfile.Channel) (channel.Channel, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.Name == c.Kind })
	if i < 0 {
		return nil, fmt.Errorf("open channel %s: there is no kind %q", c.Name, c.Kind)
	}
	ch, err := all[i].open(c.Name, c.Options)
	if err != nil {
		return nil, fmt.Errorf("open channel %s: %w", c.Name, err)
	}
	return ch, nil
}
