package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Kinds of entry that are no event of a conversation.
const (
	KindDropped   = "dropped"   // the snapshot, by its own time or its collector
	KindVerdict   = "verdict"   // a condition of an object is judged otherwise than before
	KindUnchanged = "unchanged" // a conversation was told something, and this is why nothing came of it
)

// Entry is one decision on the timeline of a dry replay.
type Entry struct {
	Line         int            `json:"line"` // of the snapshot, from 1
	At           time.Time      `json:"at"`   // when the snapshot was taken
	Cluster      string         `json:"cluster"`
	Kind         string         `json:"kind"` // of event, or one of the kinds above
	Conversation string         `json:"conversation,omitempty"`
	Object       *schema.Object `json:"object,omitempty"`
	Condition    string         `json:"condition,omitempty"`
	Severity     string         `json:"severity,omitempty"`
	Title        string         `json:"title,omitempty"`
	Text         string         `json:"text,omitempty"`    // what the event says
	Command      string         `json:"command,omitempty"` // that the event suggests
	Verdict      string         `json:"verdict,omitempty"`
	Reason       string         `json:"reason,omitempty"` // why it was dropped, judged so, or changed nothing
	Posted       bool           `json:"posted"`           // a webhook would have got it
	Sound        bool           `json:"sound"`            // and woken somebody
}

func (e Entry) dropped(reason string) Entry {
	e.Kind, e.Reason = KindDropped, reason
	return e
}

func (e Entry) verdict(o schema.Object, r detect.Reason) Entry {
	e.Kind, e.Object, e.Condition, e.Verdict, e.Reason = KindVerdict, &o, r.Condition, r.Verdict, r.Text
	return e
}

func (e Entry) unchanged(c *schema.Conversation, reason string) Entry {
	e.Kind, e.Reason = KindUnchanged, reason
	return e.of(c)
}

func (e Entry) event(c *schema.Conversation, m *schema.Message) Entry {
	e.Kind, e.Text, e.Command = m.Kind, m.Content, m.SuggestedCommand
	if c.Cluster == schema.OwnCluster { // it goes by when snapshots were stored
		e.At = m.At
	}
	return e.of(c)
}

func (e Entry) of(c *schema.Conversation) Entry {
	e.Cluster, e.Conversation, e.Object = c.Cluster, c.ID, &c.Object
	e.Condition, e.Severity, e.Title = c.Condition, c.Severity, c.Title
	return e
}

// String is the entry for people: when, what, how bad, about what and whether anybody was told; below it what was said,
// and the next command. Times are in UTC.
func (e Entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", e.At.UTC().Format("2006-01-02 15:04:05"), e.Kind)
	switch e.Kind {
	case KindDropped:
		fmt.Fprintf(&b, " %s, line %d", clean(e.Cluster), e.Line)
	case KindVerdict:
		fmt.Fprintf(&b, " %s %s", e.Verdict, e.object())
	default:
		fmt.Fprintf(&b, " %s %s%s", e.Severity, e.object(), e.told())
	}
	below := e.Text
	if below == "" {
		below = e.Reason
	}
	for text := range strings.Lines(scrub.Clean(below)) {
		fmt.Fprintf(&b, "\n    %s", strings.TrimRight(text, "\n"))
	}
	if e.Command != "" && !strings.Contains(e.Text, e.Command) {
		fmt.Fprintf(&b, "\n    next: %s", clean(e.Command))
	}
	return b.String()
}

func (e Entry) object() string { return clean(e.Cluster + "/" + e.Object.String()) }

func (e Entry) told() string {
	switch {
	case e.Sound:
		return " [post, sound]"
	case e.Posted:
		return " [post]"
	}
	return ""
}

func clean(s string) string { return strings.ReplaceAll(scrub.Clean(s), "\n", " ") }

// String is the summary for people, in a line.
func (s Summary) String() string {
	text := fmt.Sprintf("%s of %s over %v", count(s.Snapshots, "snapshot"), count(s.Clusters, "cluster"), s.Course.Round(time.Second))
	if s.Dropped > 0 {
		text += fmt.Sprintf(", %d dropped", s.Dropped)
	}
	return text + fmt.Sprintf(": %s, %s, %s to a webhook, %d with a sound; %d open at the end",
		count(s.Conversations, "conversation"), count(s.Events, "event"), count(s.Posts, "post"), s.Sounds, s.Open)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
