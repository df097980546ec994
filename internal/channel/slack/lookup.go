package slack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	maxOrigins = 8192 // messages of which it is remembered what they are
	maxPeople  = 2048
	maxDenials = 1024
	namedFor   = time.Hour // then somebody's name is asked for again
	maxShown   = 80        // characters of a name
)

// origin is what one of our messages is about. The zero value is somebody else's message.
type origin struct {
	conversation string
	episode      int
	channel      string // the name of the channel that posted it
	card         bool   // it is the card, and not a line below one
	judges       bool   // it tells a diagnosis or an answer, which can be judged
}

// origin looks a message up. One that is not ours, or tells of no conversation, gives the zero value.
func (ch *Channel) origin(ctx context.Context, in, ts string) (origin, error) {
	if o, ok := ch.origins.get(in + ":" + ts); ok {
		return o, nil
	}
	page, _, _, err := ch.api.GetConversationRepliesContext(ctx, &api.GetConversationRepliesParameters{
		ChannelID: in, Timestamp: ts, Oldest: ts, Latest: ts, Inclusive: true, Limit: 2, IncludeAllMetadata: true,
	})
	if said, ok := errors.AsType[api.SlackErrorResponse](err); ok && (said.Err == "thread_not_found" || said.Err == "message_not_found" || said.Err == "channel_not_found" || said.Err == "not_in_channel") {
		return origin{}, nil
	}
	if err != nil {
		return origin{}, ch.lookup("conversations.replies", err)
	}
	for _, m := range page {
		if m.Timestamp == ts {
			o := ch.ours(m)
			ch.origins.put(in+":"+ts, o)
			return o, nil
		}
	}
	return origin{}, nil
}

// ours reads what a message is about from its metadata, which is believed if we wrote it.
func (ch *Channel) ours(m api.Message) origin {
	me := ch.me.Load()
	if me == nil || m.Metadata.EventType != eventType || m.User != me.user && (m.BotID == "" || m.BotID != me.bot) {
		return origin{}
	}
	text := func(name string) string { s, _ := m.Metadata.EventPayload[name].(string); return s }
	episode, _ := m.Metadata.EventPayload["episode"].(float64)
	judges, _ := m.Metadata.EventPayload["judges"].(bool)
	o := origin{
		conversation: text("conversation"), episode: int(episode), channel: cmp.Or(text("channel"), ch.name),
		card: channel.Part(text("key")) == "", judges: judges,
	}
	if !schema.ValidID(o.conversation) {
		return origin{}
	}
	return o
}

// person is somebody of the workspace.
type person struct {
	name  string
	zone  *time.Location
	until time.Time // when this has to be asked again
}

// person tells who somebody is. If Slack does not say it, it is their id, and they live by UTC.
func (ch *Channel) person(ctx context.Context, id string) person {
	if p, ok := ch.people.get(id); ok && ch.now().Before(p.until) {
		return p
	}
	u, err := ch.api.GetUserInfoContext(ctx, id)
	if err != nil {
		return person{name: id, zone: time.UTC}
	}
	p := person{name: short(cmp.Or(u.Profile.DisplayName, u.Profile.RealName, u.RealName, u.Name), maxShown), zone: zoneOf(u), until: ch.now().Add(namedFor)}
	p.name = cmp.Or(p.name, id)
	ch.people.put(id, p)
	return p
}

func zoneOf(u *api.User) *time.Location {
	if u.TZ == "" || u.TZ == "Local" {
		return time.UTC
	}
	if zone, err := time.LoadLocation(u.TZ); err == nil {
		return zone
	}
	return time.FixedZone(u.TZ, u.TZOffset)
}

// identify asks Slack who we are.
func (ch *Channel) identify(ctx context.Context) (self, error) {
	if me := ch.me.Load(); me != nil {
		return *me, nil
	}
	r, err := ch.api.AuthTestContext(ctx)
	if err != nil {
		return self{}, ch.lookup("auth.test", err)
	}
	me := self{user: r.UserID, bot: r.BotID}
	if me.user == "" {
		return self{}, errors.New("call Slack's auth.test: it does not say who we are")
	}
	ch.me.Store(&me)
	return me, nil
}

// lookup is the error of a call that changes nothing.
func (ch *Channel) lookup(method string, err error) error {
	a := attempt{method: method, to: ch.to, token: ch.token, now: ch.now}
	return fmt.Errorf("listen to Slack: %w", a.verdict(err))
}
