package webhook

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// pagerDutyURL is where events go unless a URL says otherwise.
const pagerDutyURL = "https://events.pagerduty.com/v2/enqueue"

// pageEvent is an event of PagerDuty's Events API v2. The routing key is added when it is posted.
type pageEvent struct {
	Action  string     `json:"event_action"`
	Dedup   string     `json:"dedup_key"`
	Client  string     `json:"client,omitempty"`
	Links   []pageLink `json:"links,omitempty"`
	Payload *page      `json:"payload,omitempty"` // with a trigger only
}

type page struct {
	Summary   string         `json:"summary"`
	Source    string         `json:"source"`
	Severity  string         `json:"severity"`
	Timestamp time.Time      `json:"timestamp"`
	Component string         `json:"component"`
	Group     string         `json:"group,omitempty"`
	Class     string         `json:"class"`
	Details   map[string]any `json:"custom_details"`
}

type pageLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Actions of the Events API.
const (
	trigger     = "trigger"
	acknowledge = "acknowledge"
	resolve     = "resolve"
)

// actionOf is what an event does at PagerDuty; empty: nothing. What opens silently wakes nobody. A silence resolves: an
// acknowledged incident would swallow the trigger that breaks through it, as PagerDuty adds that to the incident and calls
// nobody, and an open one would go on calling people for what is told to nobody.
func actionOf(m schema.Message) string {
	switch m.Kind {
	case schema.EventOpened, schema.EventReopened, schema.EventWorsened, schema.EventUnsilenced, schema.EventEscalated,
		schema.EventStillFiring, schema.EventUnacknowledged, schema.EventGrown:
		if m.Silent {
			return ""
		}
		return trigger
	case schema.EventAcknowledged:
		return acknowledge
	case schema.EventSilenced, schema.EventCleared, schema.EventResolved, schema.EventDismissed, schema.EventFolded:
		return resolve
	}
	return ""
}

// pages tells what PagerDuty has an action for; of what is silenced only that, and of what a person only calls resolved
// nothing yet.
func pages(c schema.Conversation, m schema.Message) bool {
	switch {
	case c.State == schema.StateSilenced:
		return m.Kind == schema.EventSilenced
	case channel.Closes(m):
		return c.Closed()
	case c.Severity == schema.SeverityInfo && actionOf(m) == trigger, unheard(c, m):
		return false
	}
	return actionOf(m) != ""
}

// unheard tells whether PagerDuty would call people for what nobody is to hear of, as it was told that it was over: a
// silence that ends with nothing failing, and what comes back again and again, which calls once more if nobody has it. What
// its owner still has would only call people where the owner had it from the beginning, and PagerDuty knows of no incident.
func unheard(c schema.Conversation, m schema.Message) bool {
	again := m.Kind == schema.EventUnsilenced || m.Kind == schema.EventReopened || m.Kind == schema.EventStillFiring
	return again && channel.SoundOf(channel.Pager, c, m) == channel.Quietly
}

// unpaged keeps pages back of what was over before it could be told.
func unpaged(told channel.Told, c schema.Conversation) bool {
	return c.Closed() && !channel.Knows(c, told)
}

// hasNone tells whether a post would be about an incident that PagerDuty does not have: what somebody took before it was
// told calls nobody, and PagerDuty drops the acknowledgement of what was never triggered.
func hasNone(s step, told channel.Told) bool {
	return s.action() == acknowledge && !channel.Knows(s.conv, told)
}

// action is that of the state which all that is new leads to.
func (s step) action() string {
	if s.conv.Closed() || s.conv.State == schema.StateSilenced {
		return resolve
	}
	for _, m := range slices.Backward(s.events) {
		if a := actionOf(m); a != "" {
			return a
		}
	}
	return trigger
}

// paged is the sound that the events make, where they call somebody in the end.
func paged(s step) channel.Sound {
	if s.action() != trigger {
		return channel.Quietly
	}
	return s.sound
}

// dedup is PagerDuty's key. Each episode has its own, so that a new one always calls, even where the end of the one before
// was never told: under one key it would only be added to an incident that somebody may have acknowledged. Within an
// episode what is reopened was resolved before, and PagerDuty then makes a new incident under the same key.
func dedup(id string, episode int) string { return fmt.Sprintf("%s-%d", id, episode) }

// endOfEarlier resolves an earlier episode that PagerDuty still believes open.
func endOfEarlier(c schema.Conversation, told channel.Told) (step, bool) {
	if told.Episode == 0 || told.Episode >= c.Episode || !channel.Knows(c, told) || len(c.Messages) == 0 {
		return step{}, false
	}
	begins, ok := channel.Revision(c.Messages[0].ID)
	before := begins - 1
	if !ok || before <= max(told.Revision, told.GaveUp) {
		return step{}, false
	}
	c.Revision, c.ClosedAs = before, schema.StateCleared
	return step{
		key: channel.Key(c.ID, before, "end"), conv: c, revision: before, episode: told.Episode,
		lead: schema.Message{Kind: schema.EventCleared}, events: []schema.Message{{Kind: schema.EventCleared}},
	}, true
}

func pagerDuty(s step, text int) any {
	e := pageEvent{Action: s.action(), Dedup: dedup(s.conv.ID, s.episode)}
	if e.Action != trigger {
		return e
	}
	c := s.conv
	e.Client = "Bellbuoy"
	for _, l := range channel.Links(c) {
		e.Links = append(e.Links, pageLink{Href: l.URL, Text: plain(l.Title, 80)})
	}
	e.Payload = &page{
		Summary: s.line(), Source: cmp.Or(plain(c.Cluster, maxLabel), "bellbuoy"), Severity: pageSeverity(c.Severity),
		Timestamp: s.lead.At.UTC(), Component: title(c), Group: plain(c.Object.Namespace, maxLabel), Class: cmp.Or(plain(c.Condition, maxLabel), "unknown"),
		Details: details(s, text),
	}
	return e
}

// pageSeverity is PagerDuty's word for a severity.
func pageSeverity(severity string) string {
	if severity == schema.SeverityCritical || severity == schema.SeverityInfo {
		return severity
	}
	return schema.SeverityWarning
}

func details(s step, text int) map[string]any {
	c := s.conv
	all := map[string]any{"conversation": c.ID, "state": plain(c.State, 40), "event": plain(s.lead.Kind, 40), "episode": c.Episode}
	set := func(name, value string) {
		if value != "" {
			all[name] = value
		}
	}
	set("facts", block(facts(c), text))
	if c.Diagnosis != nil {
		set("diagnosis", block(c.Diagnosis.Summary, text))
		set("next_step", nextStep(c, text))
	}
	set("log", logged(s, text))
	set("owner", plain(c.Owner, maxLabel))
	set("team", plain(c.Labels["team"], maxLabel))
	if c.AffectedCount > 0 {
		all["affected"] = c.AffectedCount
	}
	return all
}

// routed adds the integration's key.
func routed(c Config, _ *url.URL, body []byte) ([]byte, error) {
	return with(body, "routing_key", c.Key.Reveal())
}
