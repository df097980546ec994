package slacktest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	maxAttachments = 100
	maxMetadata    = 16_384 // bytes; Slack does not say how many it takes
)

var attachmentKeys = strings.Fields("actions author_icon author_link author_name blocks callback_id color fallback fields footer footer_icon " +
	"id image_url mrkdwn_in pretext text thumb_url title title_link ts")

// attachmentsArg judges the attachments of a message; nil if the call gives none.
func (v *inspector) attachmentsArg(a args) (json.RawMessage, *refusal) {
	text, given := a["attachments"]
	if !given || text == "" {
		return nil, nil
	}
	all, ok := list(text)
	if !ok {
		return nil, refuse("invalid_attachments")
	}
	if len(all) > maxAttachments {
		return nil, refuse("too_many_attachments")
	}
	v.attachments = len(all)
	for i, x := range all {
		o, ok := x.(map[string]any)
		if !ok {
			return nil, refuse("invalid_attachments")
		}
		if bad := v.attachment(fmt.Sprintf("/attachments/%d", i), o); bad != nil {
			return nil, bad
		}
	}
	stored, err := json.Marshal(all)
	if err != nil {
		return nil, refuse("internal_error")
	}
	return stored, nil
}

var colour = regexp.MustCompile(`^(#[0-9a-fA-F]{6}|good|warning|danger)$`)

func (v *inspector) attachment(at string, o map[string]any) *refusal {
	for name := range o {
		if !slices.Contains(attachmentKeys, name) {
			return refuse("invalid_attachments", "invalid_keys")
		}
	}
	if c, given := o["color"]; given {
		if s, ok := c.(string); !ok || !colour.MatchString(s) {
			return refuse("invalid_attachments", "invalid_color [json-pointer:"+at+"/color]")
		}
	}
	if x, given := o["blocks"]; given {
		all, ok := x.([]any)
		if !ok {
			return refuse("invalid_attachments", "must provide an array [json-pointer:"+at+"/blocks]")
		}
		if _, bad := v.judged(all, at+"/blocks", "invalid_attachments"); bad != nil {
			return bad
		}
	}
	v.legacy(o)
	return nil
}

// legacy reads what an attachment says outside of blocks. Its title is plain, all else is markup.
func (v *inspector) legacy(o map[string]any) {
	for _, name := range []string{"pretext", "text", "footer", "author_name"} {
		if s, ok := o[name].(string); ok {
			v.parsed.add(parseMarkup(s, true))
		}
	}
	for _, name := range []string{"title_link", "author_link", "image_url", "thumb_url"} {
		if s, ok := o[name].(string); ok && s != "" {
			v.parsed.link(s)
		}
	}
	if s, ok := o["title"].(string); ok {
		v.parsed.add(parseMarkup(s, false))
	}
	fields, _ := o["fields"].([]any)
	for _, f := range fields {
		pair, _ := f.(map[string]any)
		for _, name := range []string{"title", "value"} {
			if s, ok := pair[name].(string); ok {
				v.parsed.add(parseMarkup(s, true))
			}
		}
	}
}

var eventType = regexp.MustCompile(`^[A-Za-z0-9_.]{1,255}$`)

// metadataArg judges the metadata of a message: an event's type and a flat payload; nil if the call gives none.
func metadataArg(a args) (json.RawMessage, *refusal) {
	text, given := a["metadata"]
	if !given || text == "" {
		return nil, nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &m) != nil {
		return nil, refuse("invalid_metadata_format")
	}
	if len(m) == 0 {
		return json.RawMessage("{}"), nil
	}
	if len(text) > maxMetadata {
		return nil, refuse("metadata_too_large")
	}
	var kind string
	var payload map[string]any
	known := len(m) == 2 && m["event_type"] != nil && m["event_payload"] != nil
	if !known || json.Unmarshal(m["event_type"], &kind) != nil || json.Unmarshal(m["event_payload"], &payload) != nil {
		return nil, refuse("invalid_metadata_format")
	}
	if !eventType.MatchString(kind) || payload == nil {
		return nil, refuse("invalid_metadata_schema")
	}
	for _, value := range payload {
		switch value.(type) {
		case string, float64, bool:
		default:
			return nil, refuse("invalid_metadata_schema")
		}
	}
	return json.RawMessage(text), nil
}
