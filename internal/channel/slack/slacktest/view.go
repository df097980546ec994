package slacktest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	triggerFor   = 3 * time.Second
	respondFor   = 30 * time.Minute
	respondTimes = 5
	maxModal     = 100 // blocks
)

// trigger is the right to open one view for a person who has just pressed something.
type trigger struct {
	user  string
	until time.Time
	used  bool
}

// View is a dialogue that is open before a person.
type View struct {
	ID, User string
	JSON     json.RawMessage
}

// trigger gives a new right. Called with the lock held.
func (s *Server) trigger(user string, now time.Time) string {
	id := fmt.Sprintf("trigger-%d", s.number())
	s.triggers[id] = &trigger{user: user, until: now.Add(triggerFor)}
	return id
}

func (c call) openView() (answer, *refusal) {
	t := c.triggers[c.args["trigger_id"]]
	switch {
	case t == nil:
		return nil, refuse("invalid_trigger_id")
	case t.used:
		return nil, refuse("exchanged_trigger_id")
	case c.now.After(t.until):
		return nil, refuse("expired_trigger_id")
	}
	if problems := viewProblems(c.args["view"]); problems != nil {
		return nil, refuse("invalid_arguments", problems...)
	}
	t.used = true
	v := View{ID: fmt.Sprintf("V%d", c.number()), User: t.user, JSON: json.RawMessage(c.args["view"])}
	c.views = append(c.views, v)
	var told map[string]any
	if json.Unmarshal(v.JSON, &told) != nil {
		return nil, refuse("internal_error")
	}
	told["id"], told["app_id"], told["team_id"] = v.ID, appID, Team
	return answer{"view": told}, nil
}

// viewProblems judges a view from outside; the blocks in it are not looked into.
func viewProblems(text string) []string {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var view any
	if d.Decode(&view) != nil {
		return []string{"must provide an object [json-pointer:/view]"}
	}
	v := newInspector(func() int { return 0 })
	oneOf(map[string]shape{"modal": {
		"title": must(plainText(24)), "submit": may(plainText(24)), "close": may(plainText(24)),
		"blocks": must(items(1, maxModal, anything)), "callback_id": may(characters(0, 255)), "external_id": may(characters(0, 255)),
		"private_metadata": may(characters(0, 3000)), "clear_on_close": may(boolean), "notify_on_close": may(boolean), "submit_disabled": may(boolean),
	}})(v, "/view", view)
	return v.problems
}

// Views are the dialogues that were opened before a person, the oldest first.
func (s *Server) Views(user string) []View {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.views), func(v View) bool { return v.User != user })
}

// Submit sends a view back as the person before whom it is open. values has a value for each block and action.
func (s *Server) Submit(v View, values map[string]map[string]any) (*Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var told map[string]any
	if err := json.Unmarshal(v.JSON, &told); err != nil {
		return nil, fmt.Errorf("submit a view: %w", err)
	}
	told["id"], told["app_id"], told["team_id"] = v.ID, appID, Team
	told["state"] = map[string]any{"values": values}
	p := s.person(v.User)
	p["type"], p["view"], p["trigger_id"], p["response_urls"] = "view_submission", told, s.trigger(v.User, s.now()), []any{}
	return s.deliver(interactive, p), nil
}

// response is the right to answer a person's deed a few times at an address of its own.
type response struct {
	channel *conversation
	user    string
	ts      string // of the message that was pressed on
	until   time.Time
	left    int
}

// responseURL gives a new right. Called with the lock held.
func (s *Server) responseURL(c *conversation, user, ts string, now time.Time) string {
	id := fmt.Sprintf("r%d", s.number())
	s.responses[id] = &response{channel: c, user: user, ts: ts, until: now.Add(respondFor), left: respondTimes}
	return "http://" + s.listen.Addr().String() + "/actions/" + id
}

// serveResponse takes an answer: shown to the person alone, to all of the channel, or in place of what was pressed on.
func (s *Server) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest))
	a, bad := fromJSON(body)
	if err != nil || bad != nil {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	status, said := s.respond(r.PathValue("id"), a)
	s.change()
	s.mu.Unlock()
	if status != http.StatusOK {
		http.Error(w, said, status)
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func (s *Server) respond(id string, a args) (int, string) {
	now := s.now()
	right := s.responses[id]
	if right == nil || right.left == 0 || now.After(right.until) {
		return http.StatusNotFound, "used_url"
	}
	c := call{Server: s, args: maps.Clone(a), token: &token{Token: Token{User: Bot}}, now: now}
	full, bad := c.content()
	m := right.channel.message(right.ts)
	switch {
	case bad != nil:
		return http.StatusBadRequest, bad.name
	case a.flag("delete_original") || a.flag("replace_original") && m == nil:
		return http.StatusNotFound, "message_not_found"
	case full.blank:
		return http.StatusBadRequest, "no_text"
	case a.flag("replace_original"):
		m.change(full, now, right.channel)
	default:
		m := full.message(right.channel, Bot, right.channel.stamp(now))
		if a["response_type"] != "in_channel" {
			m.Only = right.user
		}
		right.channel.messages = append(right.channel.messages, m)
		if m.Only == "" {
			right.channel.sounds.hear(m)
		}
	}
	right.left--
	return http.StatusOK, "ok"
}
