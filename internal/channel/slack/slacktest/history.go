package slacktest

import (
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"
)

// reads finds a channel that the caller may read.
func (c call) reads() (*conversation, *refusal) {
	ch := c.byID(c.args["channel"])
	if !ch.visible() {
		return nil, refuse("channel_not_found")
	}
	if bad := c.token.needs(ch.history()); bad != nil {
		return nil, bad
	}
	if ch.Outside {
		return nil, refuse("not_in_channel")
	}
	return ch, nil
}

func (c call) history() (answer, *refusal) {
	ch, bad := c.reads()
	if bad != nil {
		return nil, bad
	}
	var all []*Message
	for _, m := range slices.Backward(ch.messages) {
		if m.Only == "" && (!m.reply() || m.Broadcast) {
			all = append(all, m)
		}
	}
	return c.page(ch, all)
}

func (c call) threadReplies() (answer, *refusal) {
	ch, bad := c.reads()
	if bad != nil {
		return nil, bad
	}
	m := ch.message(c.args["ts"])
	if m == nil {
		return nil, refuse("thread_not_found")
	}
	if m.reply() {
		m = ch.message(m.ThreadTS)
	}
	return c.page(ch, append([]*Message{m}, ch.replies(m)...))
}

// page tells the messages within the bounds that the call gives, one page of them.
func (c call) page(ch *conversation, all []*Message) (answer, *refusal) {
	within, bad := c.bounds()
	if bad != nil {
		return nil, bad
	}
	limit, from, bad := c.at()
	if bad != nil {
		return nil, bad
	}
	all = slices.DeleteFunc(all, func(m *Message) bool { return !within(m.TS) })
	told := []map[string]any{}
	next := ""
	for i, m := range all {
		if i < from {
			continue
		}
		if len(told) == limit {
			next = base64.StdEncoding.EncodeToString([]byte("next_at:" + strconv.Itoa(i)))
			break
		}
		told = append(told, c.wire(ch, m, c.args.flag("include_all_metadata")))
	}
	return answer{"messages": told, "has_more": next != "", "response_metadata": map[string]string{"next_cursor": next}}, nil
}

// bounds reads oldest and latest, which are left out themselves unless inclusive.
func (c call) bounds() (func(ts string) bool, *refusal) {
	oldest, latest := int64(-1), int64(math.MaxInt64)
	if s := c.args["oldest"]; s != "" && s != "0" {
		var ok bool
		if oldest, ok = micros(s); !ok {
			return nil, refuse("invalid_ts_oldest")
		}
	}
	if s := c.args["latest"]; s != "" && s != "now" {
		var ok bool
		if latest, ok = micros(s); !ok {
			return nil, refuse("invalid_ts_latest")
		}
	}
	inclusive := c.args.flag("inclusive")
	return func(ts string) bool {
		at, _ := micros(ts)
		return oldest < at && at < latest || inclusive && (at == oldest || at == latest)
	}, nil
}

// at reads how many messages the call wants and from which on.
func (c call) at() (limit, from int, bad *refusal) {
	limit = 100
	if s := c.args["limit"]; s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 999 {
			return 0, 0, refuse("invalid_limit")
		}
		limit = n
	}
	if s := c.args["cursor"]; s != "" {
		text, err := base64.StdEncoding.DecodeString(s)
		at, ok := strings.CutPrefix(string(text), "next_at:")
		n, bad := strconv.Atoi(at)
		if err != nil || !ok || bad != nil || n < 0 {
			return 0, 0, refuse("invalid_cursor")
		}
		from = n
	}
	return limit, from, nil
}
