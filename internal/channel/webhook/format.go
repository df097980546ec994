package webhook

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Formats of a body.
const (
	FormatNative       = "native"       // Bellbuoy's own
	FormatCloudEvents  = "cloudevents"  // the same in a CloudEvents 1.0 envelope
	FormatAlertmanager = "alertmanager" // what receivers of Prometheus's Alertmanager take
	FormatSlack        = "slack"        // incoming webhooks of Slack, Mattermost and Rocket.Chat
	FormatTeams        = "teams"        // Workflows of Microsoft Teams
	FormatPagerDuty    = "pagerduty"    // Events API v2
	FormatNtfy         = "ntfy"
)

// format is one way to say a conversation: what of it is said, and how. It has no state and does no I/O.
type format struct {
	name    string
	content string // media type of its bodies
	family  channel.Family
	limit   int                                                     // bytes of a body
	tells   func(c schema.Conversation, m schema.Message) bool      // which events make a post; nil: every one
	quiet   func(channel.Told, schema.Conversation) bool            // keeps a receiver unaware of more than channel.Quiet does; nil: of no more
	vain    func(s step, told channel.Told) bool                    // the receiver could do nothing with it; nil: never
	silence bool                                                    // the receiver is told once that a silence has begun
	first   func(schema.Conversation, channel.Told) (step, bool)    // a post to make before all others; nil: none
	body    func(s step, limit int) ([]byte, bool)                  // the same step gives the same bytes
	sound   func(step) channel.Sound                                // nil: that of the table
	seal    func(c Config, u *url.URL, body []byte) ([]byte, error) // adds what is secret, at each post; nil: nothing
	digest  func(d channel.Digest) any                              // what tells of many at once; nil: nothing does
	checks  bool                                                    // its receivers may check a signature
	keyed   bool                                                    // takes a Config.Key
}

// formats are all there are, in the order in which people read of them.
func formats() []format {
	const media = "application/json"
	return []format{
		{name: FormatNative, content: media, family: channel.Pager, limit: MaxBody, body: native, digest: nativeDigest, checks: true},
		{name: FormatCloudEvents, content: "application/cloudevents+json", family: channel.Pager, limit: MaxBody, body: cloudEvent, digest: cloudEventDigest, checks: true},
		{name: FormatAlertmanager, content: media, family: channel.Pager, limit: MaxBody, tells: alerts, body: texts(alertmanager), checks: true},
		{name: FormatSlack, content: media, family: channel.Chat, limit: maxSlack, tells: spoken, body: texts(slack), digest: slackDigest},
		{name: FormatTeams, content: media, family: channel.Chat, limit: maxTeams, tells: spoken, body: texts(teams), digest: teamsDigest},
		{
			name: FormatPagerDuty, content: media, family: channel.Pager, limit: MaxBody, tells: pages, quiet: unpaged, vain: hasNone, silence: true,
			first: endOfEarlier, body: texts(pagerDuty), sound: paged, seal: routed, keyed: true,
		},
		{name: FormatNtfy, content: media, family: channel.Chat, limit: maxNtfy, tells: spoken, body: texts(ntfy), digest: ntfyDigest, seal: addressed, keyed: true},
	}
}

// formatOf finds a format by its name; the empty one is native.
func formatOf(name string) (format, bool) {
	if name == "" {
		name = FormatNative
	}
	all := formats()
	i := slices.IndexFunc(all, func(f format) bool { return f.name == name })
	if i < 0 {
		return format{}, false
	}
	return all[i], true
}

func formatNames() string {
	var all []string
	for _, f := range formats() {
		all = append(all, f.name)
	}
	return strings.Join(all, ", ")
}

// step is what one post tells.
type step struct {
	key      string
	conv     schema.Conversation // with no more of its logs than may be shown
	events   []schema.Message    // new to the receiver and told by the format, oldest first
	lead     schema.Message      // the one of them that the post is named after
	terms    channel.Terms
	sound    channel.Sound
	revision int
	episode  int // that the post is about
}

// line is the one line for people, and why they hear it here.
func (s step) line() string {
	text := channel.Headline(s.conv, s.lead)
	if why := channel.InPlaceOf(s.terms); why != "" {
		text = strings.TrimRight(text, ". ") + ". " + why
	}
	return text
}

// step is what is to be told next; false if there is nothing.
func (f format) step(c schema.Conversation, told channel.Told, terms channel.Terms) (step, bool) {
	if f.first != nil {
		if s, ok := f.first(c, told); ok {
			return s, true
		}
	}
	events := channel.After(c, told.Revision)
	if len(events) == 0 || f.quiets(c, told, events) {
		return step{}, false
	}
	c = channel.Shown(c, terms.Logs)
	events = slices.DeleteFunc(channel.After(c, told.Revision), func(m schema.Message) bool { return f.tells != nil && !f.tells(c, m) })
	if len(events) == 0 {
		return step{}, false
	}
	s := step{
		key: channel.Key(c.ID, c.Revision, ""), conv: c, events: events, lead: channel.Lead(c, events), terms: terms,
		sound: channel.Loudest(f.family, c, forAll(c, events)), revision: c.Revision, episode: c.Episode,
	}
	if f.sound != nil {
		s.sound = f.sound(s)
	}
	return s, f.vain == nil || !f.vain(s, told)
}

// forAll leaves out what only the owner is to hear, as no format can call one person.
func forAll(c schema.Conversation, events []schema.Message) []schema.Message {
	return slices.DeleteFunc(slices.Clone(events), func(m schema.Message) bool { return channel.OwnerAlone(c, m) })
}

func (f format) quiets(c schema.Conversation, told channel.Told, events []schema.Message) bool {
	if f.silence && c.State == schema.StateSilenced {
		return !channel.Knows(c, told)
	}
	return channel.Quiet(c, told, events) || f.quiet != nil && f.quiet(told, c)
}

// texts makes a body of a renderer that is told how many bytes each of its longer texts may have: fewer and fewer, until
// it fits.
func texts(render func(s step, text int) any) func(step, int) ([]byte, bool) {
	return func(s step, limit int) ([]byte, bool) {
		for _, text := range []int{2000, 700, 200, 60} {
			if raw, err := encode(render(s, text)); err == nil && len(raw) <= limit {
				return raw, true
			}
		}
		return nil, false
	}
}

// encode makes JSON without secrets and without anything hidden.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return visible(scrub.JSON(bytes.TrimSpace(b.Bytes()))), nil
}

// with adds a field at the beginning of a JSON object.
func with(body []byte, name, value string) ([]byte, error) {
	field, err := json.Marshal(map[string]string{name: value})
	if err != nil {
		return nil, err
	}
	return slices.Concat(field[:len(field)-1], []byte(","), bytes.TrimPrefix(body, []byte("{"))), nil
}
