package schema

import (
	"encoding/json"
	"time"
)

// Kinds of object.
const (
	KindService   = "service"
	KindNode      = "node"
	KindCluster   = "cluster"
	KindSource    = "source"    // by the name that its collector was configured with
	KindCollector = "collector" // of OwnCluster, by the name of the cluster that it publishes

	// Of OwnCluster too.
	KindClock   = "clock"   // of a collector, by the name of the cluster that it publishes
	KindChannel = "channel" // by its name
	KindDead    = "dead"    // letters of a part or a channel, by its name
	KindStream  = "stream"  // by its name
	KindModel   = "model"   // by its name
	KindBudget  = "budget"  // of the model's use, by its name, such as calls-per-hour
)

// Object is what a conversation is about. One object has one conversation for ever.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String is namespace/name, or the name alone.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Name
	}
	return o.Namespace + "/" + o.Name
}

// Severities, from least to most.
const (
	SeverityInfo     = "info"
	SeverityWarning  = "warning"
	SeverityCritical = "critical"
)

// SeverityRank orders severities: 0 for none or an unknown one, 1 info, 2 warning, 3 critical.
func SeverityRank(s string) int {
	switch s {
	case SeverityInfo:
		return 1
	case SeverityWarning:
		return 2
	case SeverityCritical:
		return 3
	}
	return 0
}

// States of a conversation. The first group is open, the second closed; a closed conversation's state is also its
// ClosedAs.
const (
	StateInvestigating = "investigating" // open, nobody has it, no verdict of a model yet
	StateDiagnosed     = "diagnosed"     // open, nobody has it, a model has said what it thinks
	StateAcknowledged  = "acknowledged"  // open, its owner has it
	StateSilenced      = "silenced"      // open, told to nobody until SilencedUntil
	StateWatching      = "watching"      // a person called it resolved; the rules are checking

	StateCleared   = "cleared"   // by rules
	StateResolved  = "resolved"  // by a person, and the rules agree
	StateDismissed = "dismissed" // by a person: not worth an alert
	StateFolded    = "folded"    // explained by another conversation
	StateRemoved   = "removed"   // the object is gone; never "recovered"
)

// Kinds of message, which are the events of a conversation.
const (
	EventOpened         = "opened"
	EventReopened       = "reopened"
	EventWorsened       = "worsened"
	EventEased          = "eased"
	EventGrown          = "grown"
	EventFolded         = "folded"
	EventCleared        = "cleared"
	EventDiagnosed      = "diagnosed"
	EventAsked          = "asked"
	EventAnswered       = "answered"
	EventAcknowledged   = "acknowledged"
	EventUnacknowledged = "unacknowledged"
	EventSilenced       = "silenced"
	EventUnsilenced     = "unsilenced"
	EventResolved       = "resolved"
	EventDismissed      = "dismissed"
	EventEscalated      = "escalated"
	EventStillFiring    = "still_firing"
	EventJudged         = "judged"
	EventRefused        = "refused"
)

// Senders of a message.
const (
	SenderSystem    = "system"    // the rules
	SenderAssistant = "assistant" // a model, or the rules answering a question
	SenderOperator  = "operator"  // a person
)

// Conversation is the lasting thread about one object. Only package conversation changes one.
type Conversation struct {
	Schema        string            `json:"schema"`
	ID            string            `json:"id"`
	Cluster       string            `json:"cluster"`
	Object        Object            `json:"object"`
	Conditions    []Condition       `json:"conditions"`
	Condition     string            `json:"condition"` // Condition, Severity and Title are those of the worst one still true
	Severity      string            `json:"severity"`
	Title         string            `json:"title"`
	State         string            `json:"state"`
	Episode       int               `json:"episode"`
	StartedAt     time.Time         `json:"started_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
	CriticalSince time.Time         `json:"critical_since,omitzero"` // when the snapshot was stored that made the worst condition critical; zero: it is not
	ClosedAt      time.Time         `json:"closed_at,omitzero"`
	ClosedAs      string            `json:"closed_as,omitempty"`
	Owner         string            `json:"owner,omitempty"`
	SilencedUntil time.Time         `json:"silenced_until,omitzero"`
	SilencedBy    string            `json:"silenced_by,omitempty"` // the newest silence by scope that covered it; without silenced_until it no longer does
	Affected      []Affected        `json:"affected,omitempty"`    // ranked, at most 200
	AffectedCount int               `json:"affected_count,omitempty"`
	FoldedInto    string            `json:"folded_into,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	Links         []Link            `json:"links,omitempty"`    // at most 8, as of the newest opened, reopened or worsened
	Evidence      []Evidence        `json:"evidence,omitempty"` // frozen with opened and worsened
	Diagnosis     *Diagnosis        `json:"diagnosis,omitempty"`
	Episodes      []Episode         `json:"episodes,omitempty"` // the last ten before this one
	Messages      []Message         `json:"messages"`
	Revision      int               `json:"revision"`     // of the newest message
	SnapshotSeq   uint64            `json:"snapshot_seq"` // the newest snapshot folded in, by its sequence in CONTEXT
	SnapshotEpoch time.Time         `json:"snapshot_epoch,omitzero"`
	HeardSeq      uint64            `json:"heard_seq"` // the newest reply folded in, by its sequence in REPLIES
	HeardEpoch    time.Time         `json:"heard_epoch,omitzero"`
	WakeAt        time.Time         `json:"wake_at,omitzero"` // the next deadline; zero: none
	Interval      float64           `json:"interval_seconds,omitempty"`
	Source        string            `json:"source,omitempty"` // of the snapshots: which tools the commands are for
	Usage         Usage             `json:"usage,omitzero"`
	TraceID       string            `json:"trace_id,omitempty"`

	Unknown map[string]json.RawMessage `json:"-"`
}

// Closed tells whether the conversation is over. A dismissed one is closed though its condition may still be true.
func (c *Conversation) Closed() bool { return c.ClosedAs != "" }

// Condition is one thing that is, or in this episode was, true of the object.
type Condition struct {
	Name     string    `json:"name"`
	Severity string    `json:"severity"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until,omitzero"` // zero: still true
	Title    string    `json:"title,omitempty"`
	Facts    []string  `json:"facts,omitempty"` // what the rule saw, most telling first

	Unknown map[string]json.RawMessage `json:"-"`
}

// AffectedRunning is the Condition of an affected object of which nothing is known but that it runs and depends on
// what does not.
const AffectedRunning = "running"

// Affected is another object that suffers from the same cause, or that declares to depend on what failed.
type Affected struct {
	Object    Object    `json:"object"`
	Condition string    `json:"condition"` // what the snapshot shows of it
	Since     time.Time `json:"since,omitzero"`

	Unknown map[string]json.RawMessage `json:"-"`
}

// Link is a web address that goes with a conversation.
type Link struct {
	Title string `json:"title"`
	URL   string `json:"url"`

	Unknown map[string]json.RawMessage `json:"-"`
}

// Evidence is one fact that the rules, the prompts and the citations refer to by ID (E1, E2, …). Text is redacted.
type Evidence struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"` // condition, failure, event, log, change, node, neighbour
	Object string    `json:"object,omitempty"`
	At     time.Time `json:"at,omitzero"`
	Text   string    `json:"text"`
	Count  int       `json:"count,omitempty"` // how often it was seen; 0 means once

	Unknown map[string]json.RawMessage `json:"-"`
}

// Episode is one earlier stretch of a conversation, opened to closed.
type Episode struct {
	Number    int       `json:"number"`
	StartedAt time.Time `json:"started_at"`
	ClosedAt  time.Time `json:"closed_at"`
	ClosedAs  string    `json:"closed_as"`
	Condition string    `json:"condition"`
	Severity  string    `json:"severity"`
	Diagnosis string    `json:"diagnosis,omitempty"`
	EndedBy   string    `json:"ended_by,omitempty"`

	Unknown map[string]json.RawMessage `json:"-"`
}

// Message is one stored step of a conversation: an event. Its ID is <conversation>-<revision>.
type Message struct {
	ID               string    `json:"id"`
	At               time.Time `json:"at"`
	Kind             string    `json:"kind"`
	Sender           string    `json:"sender"`
	Author           *Author   `json:"author,omitempty"`
	Content          string    `json:"content"`
	SuggestedCommand string    `json:"suggested_command,omitempty"`
	Settles          string    `json:"settles,omitempty"`  // the message whose task this is the result of
	ReplyID          string    `json:"reply_id,omitempty"` // of the reply that this records
	Silent           bool      `json:"silent,omitempty"`   // nobody need look up: it opens or goes on as part of what they heard

	Unknown map[string]json.RawMessage `json:"-"`
}

// Author is who said something and how far that identity can be relied on.
type Author struct {
	Name     string `json:"name"`
	ID       string `json:"id,omitempty"`      // by which the channel knows them, and can call them
	Channel  string `json:"channel,omitempty"` // where it was said: nats, cli, a channel's name
	Verified bool   `json:"verified"`
}

// Confidence of a diagnosis.
const (
	ConfidenceLow    = "low"
	ConfidenceMedium = "medium"
	ConfidenceHigh   = "high"
)

// SourceRules is a Diagnosis's Source when no model was asked or none gave a usable verdict.
const SourceRules = "rules"

// Diagnosis is a verdict on the cause and the one next step.
type Diagnosis struct {
	Summary          string        `json:"summary"`
	RootCause        RootCause     `json:"root_cause"`
	Confidence       string        `json:"confidence"`
	ConfidenceWhy    string        `json:"confidence_why,omitempty"`
	Evidence         []Citation    `json:"evidence,omitempty"`
	Alternatives     []Alternative `json:"alternatives,omitempty"`
	Action           Action        `json:"action"`
	Command          string        `json:"command,omitempty"` // Action as a command line, rendered by code
	SelfResolving    bool          `json:"self_resolving,omitempty"`
	InsufficientData bool          `json:"insufficient_data,omitempty"`
	Source           string        `json:"source"` // a model's name, or "rules"

	Unknown map[string]json.RawMessage `json:"-"`
}

// RootCause is what is to blame. Component is an object of the snapshot, as Object.String prints it.
type RootCause struct {
	Component string `json:"component"`
	Category  string `json:"category"`
	Statement string `json:"statement"`
}

// Citation ties a claim to a piece of evidence.
type Citation struct {
	ID  string `json:"id"`
	Why string `json:"why,omitempty"`
}

// Alternative is another explanation and how to tell.
type Alternative struct {
	Statement string `json:"statement"`
	Check     string `json:"check,omitempty"`
}

// Action is a step by name: a verb from a closed list and a target that exists. Code renders the command.
type Action struct {
	Verb     string `json:"verb"`
	Target   string `json:"target,omitempty"`
	Replicas *int   `json:"replicas,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// Usage is what the models have cost this conversation.
type Usage struct {
	Calls    int     `json:"calls"`
	Tokens   int     `json:"tokens"`
	Cost     float64 `json:"cost,omitempty"`
	Currency string  `json:"currency,omitempty"` // that the cost is in, as it is configured
}

// Reply is what a person says to a conversation. On bellbuoy.replies.<id> it may also be plain text.
type Reply struct {
	Schema       string    `json:"schema,omitempty"`
	Conversation string    `json:"conversation,omitempty"`
	Text         string    `json:"text,omitempty"`
	Verb         string    `json:"verb,omitempty"`
	Until        time.Time `json:"until,omitzero"`
	Author       Author    `json:"author,omitzero"`
	ID           string    `json:"id,omitempty"`
	Episode      int       `json:"episode,omitempty"` // that was shown where it was said: its verb is refused once there is a newer one
}

// SignedReply is the body of a reply that another program signs and posts to /in/webhook. Who speaks follows from the key.
type SignedReply struct {
	Conversation string    `json:"conversation"`    // its id, or the first four digits of it or more
	Text         string    `json:"text,omitempty"`  // a question, a verb, or the reason for Verb
	Verb         string    `json:"verb,omitempty"`  // such as ack; without it Text is read
	Until        time.Time `json:"until,omitzero"`  // of a silence
	Actor        string    `json:"actor,omitempty"` // who it was there; shown with the name of the key, and not relied on
}

// Alert is the body of an ALERTS message: the event that just happened and the whole conversation after it.
type Alert struct {
	Event        Message      `json:"event"`
	Conversation Conversation `json:"conversation"`

	Unknown map[string]json.RawMessage `json:"-"`
}
