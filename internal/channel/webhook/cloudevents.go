package webhook

import (
	"net/url"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
)

// envelope is a CloudEvents 1.0 event in structured mode.
type envelope struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"` // the post's key
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject"` // the conversation's id
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            any       `json:"data"` // as in the native body
}

func cloudEvent(s step, limit int) ([]byte, bool) {
	source := "/bellbuoy/" + url.PathEscape(channel.Line(s.conv.Cluster, 160))
	return shrink(s, limit, func(b body) any {
		return envelope{
			SpecVersion: "1.0", ID: s.key, Source: source, Type: "bellbuoy." + b.Type, Subject: s.conv.ID,
			Time: b.Timestamp, DataContentType: "application/json", Data: b.Data,
		}
	})
}
