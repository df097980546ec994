package webhook

import (
	"errors"
	"net/url"
	"path"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// maxNtfy bounds a body of the ntfy format, in bytes: a longer message becomes a file.
const maxNtfy = 4000

// push is what ntfy takes at its root. The topic, which on a public server is all that keeps others from it, is added
// when it is posted.
type push struct {
	Title    string   `json:"title"`
	Message  string   `json:"message"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags"`
	Click    string   `json:"click,omitempty"`
}

func ntfy(s step, limit int) any {
	p := push{Title: title(s.conv), Priority: priority(s), Tags: tags(s.conv)}
	if s.conv.Closed() {
		p.Title = plain(p.Title+" "+s.conv.State, 160)
	}
	p.Message = strings.Join(append([]string{s.line()}, paragraphs(s, limit/2)...), "\n\n")
	if links := channel.Links(s.conv); len(links) > 0 {
		p.Click = links[0].URL
	}
	return p
}

func ntfyDigest(d channel.Digest) any {
	p := push{Title: digestLine(d), Message: strings.Join(digestLines(d), "\n"), Priority: 2, Tags: []string{"white_check_mark"}}
	if digestTone(d) == firing {
		p.Tags[0] = "warning"
	}
	return p
}

// priority is 2, which makes no sound, up to 5, which goes on until somebody looks.
func priority(s step) int {
	critical := 0
	if s.conv.Severity == schema.SeverityCritical {
		critical = 1
	}
	switch s.sound {
	case channel.Calling:
		return 4 + critical
	case channel.Loud:
		return 3 + critical
	case channel.Quietly:
	}
	return 2
}

// tags are names of emoji, which ntfy puts before the title, and words below the message.
func tags(c schema.Conversation) []string {
	mark := map[tone]string{owned: "eyes", over: "white_check_mark", hushed: "mute"}[toneOf(c)]
	if mark == "" {
		mark = map[string]string{schema.SeverityCritical: "rotating_light", schema.SeverityWarning: "warning"}[c.Severity]
	}
	all := []string{}
	for _, tag := range []string{mark, plain(c.Severity, 40), plain(c.Cluster, 40)} {
		if tag != "" {
			all = append(all, tag)
		}
	}
	return all
}

// topicOf is the topic and where it is posted to: the root of the server, which may lie below a path.
func topicOf(c Config, u *url.URL) (topic string, root *url.URL, err error) {
	base := *u
	base.RawPath = ""
	if topic = strings.TrimSpace(c.Topic.Reveal()); topic == "" {
		topic = path.Base(strings.TrimSuffix(u.Path, "/"))
		base.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), topic)
	}
	if topic == "" || topic == "." || topic == "/" {
		return "", nil, errors.New("names no topic; set it to one such as https://host/topic, or set WEBHOOK_TOPIC")
	}
	if base.Path == "" {
		base.Path = "/"
	}
	return topic, &base, nil
}

// addressed adds the topic.
func addressed(c Config, u *url.URL, body []byte) ([]byte, error) {
	topic, _, err := topicOf(c, u)
	if err != nil {
		return nil, err
	}
	return with(body, "topic", topic)
}
