package slacktest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// answer is what a method tells beside ok.
type answer map[string]any

// refusal is what a method says instead.
type refusal struct {
	name             string   // Slack's name for it
	problems         []string // of blocks, each with its JSON pointer
	needed, provided string   // scopes
	status           int      // of HTTP; 0 is 200
	after            time.Duration
}

func refuse(name string, problems ...string) *refusal {
	return &refusal{name: name, problems: problems}
}

// call is one call of a method that is allowed.
type call struct {
	*Server
	args  args
	token *token
	now   time.Time
}

// method is one method of the API.
type method struct {
	run   func(call) (answer, *refusal)
	scope string
	app   bool   // is called with the app's own token
	knows string // its arguments
	tier  tier
}

const posted = "channel text blocks attachments metadata markdown_text thread_ts parse link_names mrkdwn unfurl_links unfurl_media username icon_emoji icon_url as_user "

func methods() map[string]method {
	return map[string]method{
		"auth.test":             {run: call.authTest},
		"chat.postMessage":      {run: call.postMessage, scope: "chat:write", knows: posted + "reply_broadcast client_msg_id", tier: perChannel},
		"chat.postEphemeral":    {run: call.postEphemeral, scope: "chat:write", knows: posted + "user", tier: tier4},
		"chat.update":           {run: call.update, scope: "chat:write", knows: "channel ts text blocks attachments metadata markdown_text parse link_names as_user reply_broadcast file_ids unfurl_links unfurl_media", tier: tier3},
		"chat.delete":           {run: call.remove, scope: "chat:write", knows: "channel ts as_user", tier: tier3},
		"conversations.history": {run: call.history, knows: "channel cursor include_all_metadata inclusive latest limit oldest", tier: tier3},
		"conversations.replies": {run: call.threadReplies, knows: "channel ts cursor include_all_metadata inclusive latest limit oldest", tier: tier3},
		"conversations.info":    {run: call.info, knows: "channel include_locale include_num_members", tier: tier3},
		"users.info":            {run: call.userInfo, scope: "users:read", knows: "user include_locale", tier: tier4},
		"reactions.add":         {run: call.addReaction, scope: "reactions:write", knows: "channel timestamp name", tier: tier3},
		"reactions.get":         {run: call.getReactions, scope: "reactions:read", knows: "channel timestamp full file file_comment", tier: tier3},
		"views.open":            {run: call.openView, knows: "trigger_id interactivity_pointer view", tier: tier4},
		"apps.connections.open": {run: call.openConnection, scope: "connections:write", app: true},
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		return
	}
	defer s.serves.Done()
	name := r.PathValue("method")
	a, secret, bad := readArgs(r)
	s.mu.Lock()
	at := len(s.calls)
	s.calls = append(s.calls, Call{Method: name, Args: maps.Clone(a)})
	f := s.faults.take(name)
	s.change()
	s.mu.Unlock()

	var done answer
	if bad == nil && f.does() {
		done, bad = s.do(name, a, secret)
	}
	if f.instead() {
		done, bad = nil, f.refusal()
	}
	if !s.holds(r, f) {
		panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to break a connection off without an answer
	}
	status, body := render(done, bad)
	s.mu.Lock()
	s.calls[at].Status = status
	if bad != nil {
		s.calls[at].Error = bad.name
	}
	s.change()
	s.mu.Unlock()
	write(w, status, bad, body)
}

// do does what a call asks for, if it may.
func (s *Server) do(name string, a args, secret string) (answer, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := methods()[name]
	if !ok {
		return nil, refuse("unknown_method")
	}
	t, bad := s.admit(m, secret)
	if bad != nil {
		return nil, bad
	}
	if m.knows != "" {
		if odd := a.unknown(m.knows); len(odd) > 0 {
			slices.Sort(odd)
			return nil, refuse("invalid_arguments", "unknown argument: "+strings.Join(odd, ", "))
		}
	}
	c := call{Server: s, args: a, token: t, now: s.now()}
	if wait := s.rates.over(m.tier, name, secret, c.rateKey(), c.now); wait > 0 {
		return nil, &refusal{name: "ratelimited", status: http.StatusTooManyRequests, after: wait}
	}
	defer s.change()
	return m.run(c)
}

// admit tells whether the token may call the method.
func (s *Server) admit(m method, secret string) (*token, *refusal) {
	if secret == "" {
		return nil, refuse("not_authed")
	}
	t := s.tokens[secret]
	switch {
	case t == nil:
		return nil, refuse("invalid_auth")
	case t.revoked:
		return nil, refuse("token_revoked")
	case t.app() != m.app:
		return nil, refuse("not_allowed_token_type")
	}
	return t, t.needs(m.scope)
}

// needs refuses what the token has no scope for.
func (t *token) needs(scope string) *refusal {
	if t.may(scope) {
		return nil
	}
	return &refusal{name: "missing_scope", needed: scope, provided: strings.Join(t.Scopes, ",")}
}

func render(done answer, bad *refusal) (int, []byte) {
	all := answer{"ok": bad == nil}
	maps.Copy(all, done)
	status := http.StatusOK
	if bad != nil {
		all["error"] = bad.name
		if bad.status != 0 {
			status = bad.status
		}
		if bad.needed != "" {
			all["needed"], all["provided"] = bad.needed, bad.provided
		}
		if bad.problems != nil {
			var told []string
			for _, p := range bad.problems {
				told = append(told, "[ERROR] "+p)
			}
			all["errors"], all["response_metadata"] = bad.problems, map[string]any{"messages": told}
		}
	}
	body, err := json.Marshal(all)
	if err != nil {
		return http.StatusInternalServerError, []byte(err.Error())
	}
	return status, body
}

func write(w http.ResponseWriter, status int, bad *refusal, body []byte) {
	if bad != nil && bad.after > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(math.Ceil(bad.after.Seconds()))))
	}
	if status >= http.StatusInternalServerError {
		http.Error(w, "upstream connect error or disconnect/reset before headers", status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
