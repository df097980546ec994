package slack

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Colours of a card's bar.
const (
	red   = "#a30200" // failing, and nobody has it
	amber = "#daa038" // somebody has it
	green = "#2eb886" // over
	grey  = "#dddddd" // silenced, or ended without being well
)

// Bounds of what a card shows, in characters.
const (
	maxLock    = 110
	maxName    = 80
	maxWhere   = 80
	maxDetail  = 200
	maxCause   = 400
	maxWhy     = 160
	maxChange  = 200
	maxCommand = 500 // a longer one is left out: a part of it may do something else
	maxLogLine = 300
	maxLogs    = 1500
	maxLogRows = 10
	maxOwner   = 60
)

// view is a conversation on the terms of one channel.
type view struct {
	c     schema.Conversation
	terms channel.Terms
	name  string // of the channel

	listens bool // what is pressed is heard
}

// view is c with as much of its log lines as the terms allow.
func (ch *Channel) view(c schema.Conversation, terms channel.Terms) view {
	return view{c: channel.Shown(c, terms.Logs), terms: terms, name: ch.name, listens: ch.app != ""}
}

// card is the message of an episode: what is wrong stands in the channel, all else beside a bar in the state's colour.
func (v view) card(key string) call {
	beside := v.closedBlocks
	if !v.c.Closed() {
		beside = v.openBlocks
	}
	line := v.lockScreen()
	return call{
		Text: line, Blocks: api.Blocks{BlockSet: []api.Block{section(v.title())}},
		Attachments: []api.Attachment{{Color: v.colour(), Fallback: line, Blocks: api.Blocks{BlockSet: beside()}}},
		Metadata:    v.metadata(key), Since: since(v.c),
	}
}

// since is a time before which nothing can have been posted of c as it is. Clocks may differ.
func since(c schema.Conversation) int64 { return c.UpdatedAt.Add(-10 * time.Minute).Unix() }

func (v view) colour() string {
	switch v.c.State {
	case schema.StateAcknowledged, schema.StateWatching:
		return amber
	case schema.StateCleared, schema.StateResolved:
		return green
	case schema.StateSilenced, schema.StateDismissed, schema.StateFolded, schema.StateRemoved:
		return grey
	}
	return red
}

// mark is the severity of what is open, and how it is with what is not.
func (v view) mark() string {
	switch {
	case v.c.State == schema.StateCleared || v.c.State == schema.StateResolved:
		return "✅"
	case v.c.Closed():
		return "⚪"
	case v.c.State == schema.StateSilenced:
		return "🔇"
	}
	return severityMark(v.c.Severity)
}

func severityMark(severity string) string {
	switch severity {
	case schema.SeverityCritical:
		return "🔴"
	case schema.SeverityInfo:
		return "🔵"
	}
	return "🟠"
}

// what is the object and what is wrong with it, or how it ended.
func (v view) what() string {
	name := cmp.Or(short(v.c.Object.Name, maxName), "something")
	if v.c.ClosedAs == schema.StateFolded {
		return short(channel.PartOf(v.c), maxDetail)
	}
	if v.c.Closed() {
		return name + " " + map[string]string{
			schema.StateCleared: "is well again", schema.StateResolved: "is resolved", schema.StateDismissed: "was dismissed", schema.StateRemoved: "is gone",
		}[v.c.ClosedAs]
	}
	switch wrong := channel.Wrong(v.c); {
	case wrong == "" && v.c.Condition == "storm":
		return "many things fail on " + name
	case wrong == "":
		return cmp.Or(name+": "+short(channel.Detail(v.c), maxDetail), name)
	case wrong == "failed" || wrong == "rebooted":
		return name + " " + wrong
	default:
		return name + " is " + wrong
	}
}

// where is the cluster, and the namespace if there is one.
func (v view) where() string {
	where := short(v.c.Cluster, maxWhere)
	if v.c.Object.Namespace != "" {
		where += "/" + short(v.c.Object.Namespace, maxWhere)
	}
	return where
}

func (v view) title() string {
	text := v.mark() + " *" + mrkdwn(v.what(), maxName+maxDetail) + "* · " + mrkdwn(v.where(), maxWhere)
	if m := v.calls(); m != "" {
		text += " " + m
	}
	return text
}

// calls is whom the card calls.
func (v view) calls() string {
	if !v.urgent() {
		return ""
	}
	return v.terms.Mention
}

// urgent tells whether what is critical is nobody's.
func (v view) urgent() bool {
	return v.c.Severity == schema.SeverityCritical && (v.c.State == schema.StateInvestigating || v.c.State == schema.StateDiagnosed)
}

// lockScreen says all of it in one short line: what, where, how bad, likely why.
func (v view) lockScreen() string {
	parts := []string{v.mark() + " " + cut(v.what(), 56), cut(v.where(), 28)}
	if v.c.Closed() {
		parts = append(parts, v.lasted())
	} else {
		if channel.Wrong(v.c) != "" || v.c.Condition == "storm" {
			parts = append(parts, cut(short(channel.Detail(v.c), maxDetail), 30))
		}
		if _, count := v.c.Victims(); count > 0 && v.c.Condition != "storm" { // of which the title counts them
			parts = append(parts, fmt.Sprintf("%d affected", count))
		}
		parts = append(parts, v.cause(maxDetail))
	}
	return escaped.Replace(cut(joined(parts...), maxLock))
}

// openBlocks are what is known, what probably is the reason, what to do, and who is at it.
func (v view) openBlocks() []api.Block {
	blocks := []api.Block{section(v.facts())}
	if rows := v.rows(); len(rows) > 0 {
		blocks = append(blocks, api.NewRichTextBlock("", rows...))
	}
	return append(append(blocks, contextOf(v.foot(v.whose()))), v.actions()...)
}

// closedBlocks are two lines: how long it lasted and what it was, and where it can be read.
func (v view) closedBlocks() []api.Block {
	parts := []string{v.lasted()}
	if was := channel.Detail(v.c); was != "" {
		parts = append(parts, "was: "+mrkdwn(was, maxDetail))
	}
	if v.c.Owner != "" {
		parts = append(parts, v.spelled()+" had it")
	}
	return append([]api.Block{section(joined(parts...)), contextOf(v.foot("over at " + date(v.c.ClosedAt, v.c.UpdatedAt)))}, v.actions()...)
}

// lasted says how long the episode was, if that is known.
func (v view) lasted() string {
	d := v.c.ClosedAt.Sub(v.c.StartedAt)
	if v.c.StartedAt.IsZero() || d <= 0 {
		return ""
	}
	return "after " + span(d)
}

// joined puts what is not empty into one line.
func joined(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return cmp.Or(strings.Join(parts, " · "), "–")
}

// facts are what the rules saw of the worst condition, and since when.
func (v view) facts() string {
	var parts []string
	detail := channel.Detail(v.c)
	if channel.Wrong(v.c) != "" || v.c.Condition == "storm" { // else it is the title already
		parts = append(parts, mrkdwn(detail, maxDetail))
	}
	from := v.c.StartedAt
	for _, x := range v.c.Conditions {
		if x.Name != v.c.Condition {
			continue
		}
		for _, fact := range x.Facts[:min(len(x.Facts), 2)] {
			if !strings.Contains(detail, fact) {
				parts = append(parts, mrkdwn(fact, maxDetail))
			}
		}
		if !x.Since.IsZero() {
			from = x.Since
		}
	}
	if !from.IsZero() {
		parts = append(parts, "since "+date(from, v.c.UpdatedAt))
	}
	return joined(parts...)
}

// whose is who has it.
func (v view) whose() string {
	owner := v.spelled()
	switch v.c.State {
	case schema.StateAcknowledged:
		if at := v.acknowledged(); !at.IsZero() {
			return "*" + owner + " has it* since " + date(at, v.c.UpdatedAt)
		}
		return "*" + owner + " has it*"
	case schema.StateWatching:
		return "called resolved; it is being watched"
	case schema.StateSilenced:
		if v.c.SilencedUntil.IsZero() {
			return "silenced"
		}
		return "silenced until " + date(v.c.SilencedUntil, v.c.UpdatedAt)
	}
	return "nobody has it"
}

// acknowledged is when whoever has it took it.
func (v view) acknowledged() time.Time {
	for _, m := range slices.Backward(v.c.Messages) {
		if m.Kind == schema.EventAcknowledged {
			return m.At
		}
	}
	return time.Time{}
}

// foot is the last line of a card.
func (v view) foot(first string) string {
	parts := []string{first, "`" + shortID(v.c.ID) + "`"}
	for _, l := range channel.Links(v.c) {
		parts = append(parts, link(l.Title, l.URL))
	}
	if v.terms.StandsInFor != "" {
		parts = append(parts, fmt.Sprintf("told here because the channel %s cannot be reached", mrkdwn(v.terms.StandsInFor, maxOwner)))
	}
	return joined(parts...)
}

// shortID is how people name a conversation.
func shortID(id string) string { return mrkdwn(id[:min(len(id), 8)], 8) }
