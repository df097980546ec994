package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/channelfile"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// inKind is how the file configures a key of replies by webhook.
func inKind() channelfile.Kind {
	return channelfile.Kind{
		Name: "in", Begin: "WEBHOOK_IN_", New: func() any { return new(gateway.Config) },
		Missing: missing("secret", func(c *gateway.Config) bool { return c.Secret != "" }),
	}
}

// People says who may say what.
func People(cfg Config) (people.Roster, error) {
	if cfg.ChannelsFile == "" {
		return people.Roster{}, nil
	}
	file, err := cfg.contents()
	if err != nil {
		return people.Roster{}, err
	}
	return file.People, nil
}

// keys lists the keys that replies may be signed with.
func keys(cfg Config) ([]gateway.Key, error) {
	if cfg.ChannelsFile == "" {
		if cfg.In.Secret == "" {
			return nil, nil
		}
		return []gateway.Key{{Name: gateway.Name, Secret: cfg.In.Secret}}, nil
	}
	file, err := cfg.contents()
	if err != nil {
		return nil, err
	}
	var all []gateway.Key
	for _, k := range file.Keys {
		if options, ok := k.Options.(*gateway.Config); ok {
			all = append(all, gateway.Key{Name: k.Name, Secret: options.Secret})
		}
	}
	return all, nil
}

// opened gives the page that takes replies; nil: there is no key, and nothing is taken.
func (n *Notifier) opened(cfg Config, m metrics) (http.Handler, error) {
	all, err := keys(cfg)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	if err := apart(cfg, all); err != nil {
		return nil, err
	}
	who, err := People(cfg)
	if err != nil {
		return nil, err
	}
	count := func(reason string) { m.reply(gateway.Name, reason) }
	return gateway.New(all, who, desk{n.bus, client.New(n.bus)}, count, n.log)
}

// apart refuses a key that is also one of the posts': whoever receives those could reply under its name.
func apart(cfg Config, all []gateway.Key) error {
	declared, err := Declared(cfg)
	if err != nil {
		return err
	}
	for _, c := range declared {
		options, ok := c.Options.(*webhook.Config)
		if !ok {
			continue
		}
		out, err := webhook.NewVerifier(options.Secret.Reveal())
		if err != nil {
			return fmt.Errorf("read the secret of channel %s, which %w", c.Name, err)
		}
		for _, k := range all {
			if in, err := webhook.NewVerifier(k.Secret.Reveal()); err == nil && in.Shares(out) {
				return fmt.Errorf("key %s has the secret that posts of channel %s are signed with, so that its receiver could reply: make another one, with: echo whsec_$(openssl rand -base64 32)", k.Name, c.Name)
			}
		}
	}
	return nil
}

// pages adds the notifier's own pages to the HTTP server.
func (n *Notifier) pages(mux *http.ServeMux) {
	if n.in != nil {
		mux.Handle("POST "+gateway.Path, n.in)
	}
}

// desk finds conversations and stores replies. A whole id is looked up here; what it is the beginning of, an analyzer
// says, so that it means the same everywhere.
type desk struct {
	bus *bus.Bus
	ask *client.Client
}

// Find is gateway.Desk's.
func (d desk) Find(ctx context.Context, digits string) (string, error) {
	if schema.ValidID(digits) {
		_, err := d.bus.HeadByID(ctx, digits)
		if errors.Is(err, bus.ErrNotFound) {
			err = fmt.Errorf("%w: %s", gateway.ErrUnknown, digits)
		}
		return digits, err
	}
	c, err := d.ask.Get(ctx, digits)
	said, told := errors.AsType[*bus.APIError](err)
	switch {
	case told && said.Code == bus.CodeNotFound:
		return "", fmt.Errorf("%w: no id begins with %s", gateway.ErrUnknown, digits)
	case told && said.Code == bus.CodeConflict:
		return "", fmt.Errorf("%w: %s", gateway.ErrAmbiguous, said.Message)
	}
	return c.ID, err
}

// Store is gateway.Desk's.
func (d desk) Store(ctx context.Context, r schema.Reply) (repeated bool, err error) {
	body, err := json.Marshal(r)
	if err != nil {
		return false, fmt.Errorf("encode a reply: %w", err)
	}
	return d.bus.PublishOnce(ctx, d.bus.Subjects().Heard(gateway.Name, r.Conversation), body, r.ID)
}
