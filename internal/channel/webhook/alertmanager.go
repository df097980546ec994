package webhook

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// notification is the webhook body of Prometheus's Alertmanager, version 4. A conversation is one alert, and a group of
// its own.
type notification struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   uint64            `json:"truncatedAlerts"`
	Receiver          string            `json:"receiver"`
	Status            string            `json:"status"`
	Reason            string            `json:"notification_reason"`
	Alerts            []alert           `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	RouteLabels       map[string]string `json:"routeLabels"` // never null: receivers range over it
	ExternalURL       string            `json:"externalURL"`
}

type alert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"` // the zero time while it fires
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// alerts tells what changes an alert: that it fires, still or again, how badly and why, and that it is over. Of who has
// it, and of what is said, the format has no word.
func alerts(c schema.Conversation, m schema.Message) bool {
	switch m.Kind {
	case schema.EventOpened, schema.EventReopened, schema.EventWorsened, schema.EventEased, schema.EventDiagnosed,
		schema.EventUnsilenced, schema.EventEscalated, schema.EventStillFiring:
		return true
	case schema.EventGrown:
		return !m.Silent // something bad has joined
	}
	return channel.Closes(m) && c.Closed()
}

func alertmanager(s step, text int) any {
	c := s.conv
	a := alert{
		Status: "firing", Labels: alertLabels(c), Annotations: annotations(s, text), StartsAt: c.StartedAt.UTC(), Fingerprint: c.ID,
	}
	if c.Closed() {
		a.Status, a.EndsAt = "resolved", c.ClosedAt.UTC()
	}
	return notification{
		Version: "4", GroupKey: "conv:" + c.ID, Receiver: "bellbuoy", Status: a.Status, Reason: reason(s), Alerts: []alert{a},
		GroupLabels: map[string]string{}, CommonLabels: a.Labels, CommonAnnotations: a.Annotations, RouteLabels: map[string]string{},
	}
}

// reason is one of those that Alertmanager has: an alert that goes on is told again as it would by its repeat interval.
func reason(s step) string {
	switch {
	case s.conv.Closed():
		return "all alerts resolved"
	case slices.ContainsFunc(s.events, channel.Opens):
		return "first notification"
	}
	return "repeat interval elapsed"
}

// labelName is what Prometheus takes for one.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)

// maxLabel bounds the value of a label, in bytes.
const maxLabel = 160

// alertLabels are those by which receivers route and group. What a container's own labels say comes below what
// Bellbuoy knows.
func alertLabels(c schema.Conversation) map[string]string {
	all := map[string]string{}
	set := func(name, value string) {
		if value = plain(value, maxLabel); value != "" && labelName.MatchString(name) {
			all[name] = value
		}
	}
	for name, value := range c.Labels {
		if name != "runbook" {
			set(name, value)
		}
	}
	set("alertname", cmp.Or(c.Condition, "unknown"))
	set("severity", cmp.Or(c.Severity, schema.SeverityWarning))
	set("cluster", c.Cluster)
	set("namespace", c.Object.Namespace)
	set(c.Object.Kind, c.Object.Name)
	return all
}

func annotations(s step, text int) map[string]string {
	c := s.conv
	all := map[string]string{"summary": s.line(), "conversation": c.ID}
	set := func(name, value string) {
		if value != "" {
			all[name] = value
		}
	}
	set("description", block(facts(c), text))
	if c.Diagnosis != nil {
		set("diagnosis", block(c.Diagnosis.Summary, text))
		set("next_step", nextStep(c, text))
	}
	if links := channel.Links(c); len(links) > 0 {
		set("runbook_url", links[0].URL)
	}
	return all
}

// facts are what the rules saw of the conditions that are still true, or of all where none is.
func facts(c schema.Conversation) string {
	var all []string
	for _, x := range c.Conditions {
		if x.Until.IsZero() || c.Closed() {
			all = append(all, strings.Join(append([]string{x.Title}, x.Facts...), "; "))
		}
	}
	return strings.Join(all, "\n")
}

// plain is one line of which no program makes a link, a mention or markup.
func plain(text string, limit int) string {
	return channel.Line(scrub.Inert(channel.Cut(text, 4*limit)), limit)
}
