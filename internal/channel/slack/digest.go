package slack

import (
	"fmt"
	"time"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

const (
	maxEntry   = 300  // characters
	maxEntries = 25   // that are named
	maxDigest  = 8000 // characters
)

// Digest tells of several conversations in one message of its own, which calls nobody.
func (ch *Channel) Digest(d channel.Digest) (channel.Post, bool) {
	if len(d.Entries) == 0 {
		return channel.Post{}, false
	}
	text := digestTitle(d)
	items, left := []api.RichTextElement{}, maxDigest
	for _, e := range d.Entries[:min(len(d.Entries), maxEntries)] {
		line := entryMark(e) + " " + short(e.Line, maxEntry)
		if left -= counted(line); left < 0 {
			break
		}
		items = append(items, row(plain(line+"  "), code(shortID(e.ID))))
	}
	blocks := []api.Block{section("📋 *" + mrkdwn(text, maxDetail) + "*"), api.NewRichTextBlock("", api.NewRichTextList(api.RTEListBullet, 0, items...))}
	if n := len(d.Entries) + d.More - len(items); n > 0 {
		blocks = append(blocks, contextOf(fmt.Sprintf("and %d more; `bellbuoy list --all` has all of them", n)))
	}
	return filled(channel.Post{Key: d.Key, Kind: "digest", Sound: channel.Loud}, call{
		Method: methodPost, Text: escaped.Replace(cut("📋 "+text, maxLock)), Blocks: api.Blocks{BlockSet: blocks},
		Metadata: api.SlackMetadata{EventType: eventType, EventPayload: map[string]any{"key": d.Key}}, Since: d.Until.Add(-10 * time.Minute).Unix(),
	})
}

func digestTitle(d channel.Digest) string {
	n := len(d.Entries) + d.More
	what := fmt.Sprintf("%d conversations", n)
	if n == 1 {
		what = "1 conversation"
	}
	span := d.Since.UTC().Format("2 Jan 15:04") + " to " + d.Until.UTC().Format("2 Jan 15:04 UTC")
	if d.Reason == channel.AfterOutage {
		return what + " came and went while Slack could not be reached, " + span
	}
	return what + ", " + span
}

func entryMark(e channel.Entry) string {
	if e.ClosedAs != "" {
		return "✅"
	}
	return severityMark(e.Severity)
}

var _ channel.Digester = (*Channel)(nil)
