package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// IDLength is the number of hex digits of a conversation's id.
const IDLength = 16

// ConversationID is the identity of the conversation about o in cluster: the first 16 hex digits of SHA-256 over
// (cluster, kind, namespace, name), each followed by a zero byte. It depends on nothing else, ever.
func ConversationID(cluster string, o Object) string {
	h := sha256.New()
	for _, part := range []string{cluster, o.Kind, o.Namespace, o.Name} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:IDLength]
}

// Token makes a subject token of a cluster's or channel's name: every character outside [A-Za-z0-9_-] becomes "-".
// Two names may meet there; whoever stores by token has to refuse the second.
func Token(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
}

// ValidToken tells whether s can stand in a subject as it is.
func ValidToken(s string) bool { return s != "" && s == Token(s) }

// Subjects builds and reads Bellbuoy's subjects below one root. Its zero value has the root "bellbuoy".
type Subjects struct{ Root string }

// DefaultRoot is the first token of every subject.
const DefaultRoot = "bellbuoy"

// OwnCluster is the name of the cluster that conversations about Bellbuoy itself are in. No snapshot may claim it.
const OwnCluster = "bellbuoy"

// TestCluster begins the names of the clusters that `bellbuoy test` makes up.
const TestCluster = "bellbuoy-test-"

func (s Subjects) root() string {
	if s.Root == "" {
		return DefaultRoot
	}
	return s.Root
}

func (s Subjects) join(parts ...string) string { return s.root() + "." + strings.Join(parts, ".") }

// Context is where the snapshots of a cluster are published.
func (s Subjects) Context(cluster string) string { return s.join("context", Token(cluster)) }

// Finding is where others say what they have found in a cluster.
func (s Subjects) Finding(cluster string) string { return s.join("findings", Token(cluster)) }

// Alert is where an event of a conversation is stored.
func (s Subjects) Alert(cluster, severity, id string) string {
	return s.join("alerts", Token(cluster), severity, id)
}

// Conversation is the filter that matches every message of one conversation whatever its severity. Every write
// expects the last sequence of this one filter.
func (s Subjects) Conversation(cluster, id string) string {
	return s.join("alerts", Token(cluster), "*", id)
}

// Alerts matches every event of every conversation.
func (s Subjects) Alerts() string { return s.join("alerts", ">") }

// Replies is where anybody may reply to a conversation.
func (s Subjects) Replies(id string) string { return s.join("replies", id) }

// Heard is where a gateway stores a reply whose author it vouches for.
func (s Subjects) Heard(channel, id string) string { return s.join("heard", Token(channel), id) }

// API is a request subject of the micro service.
func (s Subjects) API(verb string) string { return s.join("api", verb) }

// Inspect is where a collector is asked to look an object of its cluster up.
func (s Subjects) Inspect(cluster, kind string) string {
	return s.join("inspect", Token(cluster), kind)
}

// Dead is where who stores what it gave up.
func (s Subjects) Dead(who string) string { return s.join("dead", Token(who)) }

// Kept is where a part keeps one of its own small records. Tokens of key are separated by dots.
func (s Subjects) Kept(part, key string) string { return s.join("kept", part, key) }

// ParseAlert reads cluster token, severity and id from the subject of an ALERTS message.
func (s Subjects) ParseAlert(subject string) (cluster, severity, id string, err error) {
	t, ok := s.tokens(subject, "alerts", 3)
	if !ok || SeverityRank(t[1]) == 0 || !ValidID(t[2]) {
		return "", "", "", fmt.Errorf("subject %q is not %s", subject, s.join("alerts", "<cluster>", "<severity>", "<id>"))
	}
	return t[0], t[1], t[2], nil
}

// ParseContext reads the cluster token from the subject of a snapshot.
func (s Subjects) ParseContext(subject string) (cluster string, err error) {
	t, ok := s.tokens(subject, "context", 1)
	if !ok {
		return "", fmt.Errorf("subject %q is not %s", subject, s.join("context", "<cluster>"))
	}
	return t[0], nil
}

// ParseFinding reads the cluster token from the subject of a finding.
func (s Subjects) ParseFinding(subject string) (cluster string, err error) {
	t, ok := s.tokens(subject, "findings", 1)
	if !ok {
		return "", fmt.Errorf("subject %q is not %s", subject, s.join("findings", "<cluster>"))
	}
	return t[0], nil
}

// ParseInspect reads the cluster token and the kind from the subject of a look-up.
func (s Subjects) ParseInspect(subject string) (cluster, kind string, err error) {
	t, ok := s.tokens(subject, "inspect", 2)
	if !ok {
		return "", "", fmt.Errorf("subject %q is not %s", subject, s.join("inspect", "<cluster>", "<kind>"))
	}
	return t[0], t[1], nil
}

// ParseReply reads the conversation's id, or a prefix of it, from the subject of a reply. The channel is empty for
// replies whose author nobody vouches for.
func (s Subjects) ParseReply(subject string) (channel, id string, err error) {
	if t, ok := s.tokens(subject, "replies", 1); ok {
		return "", t[0], nil
	}
	if t, ok := s.tokens(subject, "heard", 2); ok {
		return t[0], t[1], nil
	}
	return "", "", fmt.Errorf("subject %q is not %s or %s", subject, s.join("replies", "<id>"), s.join("heard", "<channel>", "<id>"))
}

func (s Subjects) tokens(subject, kind string, n int) ([]string, bool) {
	rest, ok := strings.CutPrefix(subject, s.root()+"."+kind+".")
	if !ok {
		return nil, false
	}
	t := strings.Split(rest, ".")
	if len(t) != n {
		return nil, false
	}
	if slices.Contains(t, "") {
		return nil, false
	}
	return t, true
}

// ValidID tells whether s is a whole conversation id: 16 lower-case hex digits.
func ValidID(s string) bool { return len(s) == IDLength && hexDigits(s) }

// ValidIDPrefix tells whether s can be the beginning of a conversation id, at least n digits of it.
func ValidIDPrefix(s string, n int) bool { return len(s) >= n && len(s) <= IDLength && hexDigits(s) }

func hexDigits(s string) bool {
	return strings.Trim(s, "0123456789abcdef") == ""
}
