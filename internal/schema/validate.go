package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of the wire types. They are part of the contract.
const (
	MaxContextBytes      = 4 << 20
	MaxAlertBytes        = 1 << 20
	MaxConversationBytes = 512 << 10
	MaxMessages          = 200
	MaxMessageBytes      = 16 << 10
	MaxEvidenceBytes     = 16 << 10
	MaxReplyBytes        = 64 << 10
	MaxAffected          = 200
	MaxEpisodes          = 10
	MaxLinks             = 8
	MaxLinkBytes         = 2 << 10
	MaxLogLines          = 40
	MaxLogLineBytes      = 400
	MaxEvents            = 200
	MaxName              = 256
	MaxServices          = 20000
	MaxNodes             = 5000
)

// EventWindow is how far back RecentEvents reach.
const EventWindow = 15 * time.Minute

// ErrVersion is in the error of a body whose schema this version cannot read.
var ErrVersion = errors.New("schema version is not one this version reads")

// DecodeContext reads a snapshot and validates it. Its error lists every mistake.
func DecodeContext(b []byte) (ClusterContext, error) {
	var c ClusterContext
	if len(b) > MaxContextBytes {
		return c, fmt.Errorf("decode snapshot: %d bytes are more than the %d allowed", len(b), MaxContextBytes)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return ClusterContext{}, fmt.Errorf("decode snapshot: %w", err)
	}
	c.markStale()
	return c, c.Validate()
}

// markStale marks every object of a snapshot whose stale part does not say which parts it concerns, if none is marked:
// that is what a collector publishes that knows neither.
func (c *ClusterContext) markStale() {
	says := func(p StalePart) bool { return len(p.Parts) > 0 }
	if len(c.Stale) == 0 || slices.ContainsFunc(c.Stale, says) || c.marksStale() {
		return
	}
	for i := range c.Services {
		c.Services[i].Stale = true
	}
	for i := range c.Nodes {
		c.Nodes[i].Stale = true
	}
}

func (c *ClusterContext) marksStale() bool {
	return slices.ContainsFunc(c.Services, func(s ServiceSummary) bool { return s.Stale }) ||
		slices.ContainsFunc(c.Nodes, func(n NodeSummary) bool { return n.Stale })
}

// DecodeAlert reads the body of an ALERTS message that was found under the given cluster token and id, and refuses
// one that is not about them.
func DecodeAlert(b []byte, cluster, id string) (Alert, error) {
	var a Alert
	if err := a.UnmarshalJSON(b); err != nil { // not through json.Unmarshal, which would read it once more
		return Alert{}, fmt.Errorf("decode alert: %w", err)
	}
	if err := version(a.Conversation.Schema, ConversationVersion, true); err != nil {
		return Alert{}, fmt.Errorf("decode alert: %w", err)
	}
	c := a.Conversation
	if c.ID != id || Token(c.Cluster) != cluster {
		return Alert{}, fmt.Errorf("decode alert: body is of conversation %q in cluster %q, its subject says %q in %q", clip(c.ID), clip(c.Cluster), id, cluster)
	}
	if want := ConversationID(c.Cluster, c.Object); c.ID != want {
		return Alert{}, fmt.Errorf("decode alert: id %q is not that of its object, %q", clip(c.ID), want)
	}
	return a, nil
}

// DecodeReply reads a reply: a JSON object with Reply's fields, or else plain text. It fails on a body that is
// neither, that is empty, or too large.
func DecodeReply(b []byte) (Reply, error) {
	var r Reply
	if len(b) > MaxReplyBytes {
		return r, fmt.Errorf("decode reply: %d bytes are more than the %d allowed", len(b), MaxReplyBytes)
	}
	text := strings.TrimSpace(string(b))
	if strings.HasPrefix(text, "{") {
		if err := json.Unmarshal(b, &r); err != nil {
			return Reply{}, fmt.Errorf("decode reply: starts like JSON, but %w", err)
		}
	} else {
		r.Text = text
	}
	return r, r.Validate()
}

// Validate lists every mistake of a snapshot in one error. Only cluster_name is required; what is missing is unknown.
func (c *ClusterContext) Validate() error {
	var m mistakes
	m.check(version(c.Schema, ContextVersion, false))
	m.name("cluster_name", c.ClusterName)
	if c.IntervalSeconds < 0 || c.IntervalSeconds > 86400 {
		m.addf("interval_seconds: %v is not between 0 and 86400", c.IntervalSeconds)
	}
	if len(c.Services) > MaxServices {
		m.addf("services: %d are more than the %d allowed", len(c.Services), MaxServices)
	}
	if len(c.Nodes) > MaxNodes {
		m.addf("nodes: %d are more than the %d allowed", len(c.Nodes), MaxNodes)
	}
	seen := map[Object]bool{}
	for i := range c.Services {
		c.Services[i].validate(&m, i, seen)
	}
	for i := range c.Nodes {
		c.Nodes[i].validate(&m, i, seen)
	}
	return m.err("snapshot")
}

func (s *ServiceSummary) validate(m *mistakes, i int, seen map[Object]bool) {
	at := fmt.Sprintf("services[%d]", i)
	m.name(at+".name", s.Name)
	if len(s.Namespace) > MaxName || !utf8.ValidString(s.Namespace) {
		m.addf("%s.namespace: longer than %d bytes or not UTF-8", at, MaxName)
	}
	if o := s.Object(); seen[o] {
		m.addf("%s: a second service %q", at, o)
	} else {
		seen[o] = true
	}
	m.oneOf(at+".status", s.Status, ServiceHealthy, ServiceDegraded, ServiceStopped)
	m.oneOf(at+".health", s.Health, HealthStarting, HealthHealthy, HealthUnhealthy)
	m.count(at+".replicas_running", s.ReplicasRunning)
	m.count(at+".replicas_desired", s.ReplicasDesired)
}

func (n *NodeSummary) validate(m *mistakes, i int, seen map[Object]bool) {
	at := fmt.Sprintf("nodes[%d]", i)
	m.name(at+".id", n.ID)
	if o := (Object{Kind: KindNode, Name: n.ID}); seen[o] {
		m.addf("%s: a second node %q", at, n.ID)
	} else {
		seen[o] = true
	}
	m.oneOf(at+".status", n.Status, NodeHealthy, NodeDraining, NodeDown)
}

// Validate lists every mistake of a reply in one error.
func (r *Reply) Validate() error {
	var m mistakes
	m.check(version(r.Schema, ReplyVersion, false))
	if strings.TrimSpace(r.Text) == "" && r.Verb == "" {
		m.addf("text: empty, and there is no verb either")
	}
	if len(r.Text) > MaxMessageBytes {
		m.addf("text: %d bytes are more than the %d allowed", len(r.Text), MaxMessageBytes)
	}
	if !utf8.ValidString(r.Text) || !utf8.ValidString(r.Verb) {
		m.addf("text: not UTF-8")
	}
	if max(len(r.ID), len(r.Verb), len(r.Author.Name), len(r.Author.ID), len(r.Conversation)) > MaxName {
		m.addf("conversation, id, verb, author.name or author.id: longer than %d bytes", MaxName)
	}
	return m.err("reply")
}

// version accepts the wanted major version; an empty one only where none is required.
func version(got, want string, required bool) error {
	if got == "" && !required || got == want || strings.HasPrefix(got, want+".") {
		return nil
	}
	return fmt.Errorf("schema: %q, want %q: %w", clip(got), want, ErrVersion)
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}

// mistakes gathers at most 20 mistakes and counts the rest, so that a hostile body cannot make a huge error.
type mistakes struct {
	errs []error
	more int
}

const maxMistakes = 20

func (m *mistakes) addf(format string, args ...any) { m.check(fmt.Errorf(format, args...)) }

func (m *mistakes) check(err error) {
	switch {
	case err == nil:
	case len(m.errs) < maxMistakes:
		m.errs = append(m.errs, err)
	default:
		m.more++
	}
}

func (m *mistakes) name(field, value string) {
	switch {
	case value == "":
		m.addf("%s: missing", field)
	case len(value) > MaxName:
		m.addf("%s: %d bytes are more than the %d allowed", field, len(value), MaxName)
	case !utf8.ValidString(value):
		m.addf("%s: not UTF-8", field)
	}
}

func (m *mistakes) count(field string, n *int) {
	if n != nil && *n < 0 {
		m.addf("%s: %d is below 0", field, *n)
	}
}

func (m *mistakes) oneOf(field, value string, allowed ...string) {
	if value == "" {
		return
	}
	if slices.Contains(allowed, value) {
		return
	}
	m.addf("%s: %q is not one of %s", field, clip(value), strings.Join(allowed, ", "))
}

func (m *mistakes) err(what string) error {
	if len(m.errs) == 0 {
		return nil
	}
	if m.more > 0 {
		m.errs = append(m.errs, fmt.Errorf("and %d more", m.more))
	}
	return fmt.Errorf("validate %s: %w", what, errors.Join(m.errs...))
}
