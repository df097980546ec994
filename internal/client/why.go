package client

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// WhyRequest asks why something is, or is not, alerting. Ref is a conversation or the name of any object; empty asks
// for an overview of each cluster.
type WhyRequest struct {
	Ref string `json:"ref"`
}

// WhyResponse lists, for each object that Ref names, the reasons for its being, or not being, alerted; or, without a
// Ref, what is seen of each cluster and what of it is not alerted on.
type WhyResponse struct {
	Objects  []Explained `json:"objects"`
	Clusters []Overview  `json:"clusters,omitempty"`
}

// Explained is one object and the decisions about it.
type Explained struct {
	Cluster      string        `json:"cluster"`
	Object       schema.Object `json:"object"`
	Conversation string        `json:"conversation,omitempty"` // id, if it has one
	State        string        `json:"state,omitempty"`        // of that conversation
	Silenced     string        `json:"silenced,omitempty"`     // who silenced that conversation until when, and why

	Silences []silence.Silence `json:"silences,omitempty"` // by scope, which cover it now or will
	Reasons  []Reason          `json:"reasons"`
}

// VerdictSilenced is that of an object of which nobody is told now, because of a silence or a weekly window.
const VerdictSilenced = "silenced"

// Reason is one decision: the condition, the verdict by name, and what it rests on.
type Reason struct {
	Condition string    `json:"condition,omitempty"`
	Verdict   string    `json:"verdict"`
	Text      string    `json:"text"`
	Since     time.Time `json:"since,omitzero"`
	Until     time.Time `json:"until,omitzero"`
}

// Overview is what the newest snapshot of one cluster shows, and what of it does not alert.
type Overview struct {
	Cluster    string             `json:"cluster"`
	Source     string             `json:"source,omitempty"` // kinds of source, comma separated
	TakenAt    time.Time          `json:"taken_at,omitzero"`
	StoredAt   time.Time          `json:"stored_at,omitzero"`
	Services   map[string]int     `json:"services"`   // by runtime; a service without one counts as "service"
	Instances  map[string]int     `json:"instances"`  // by runtime: containers, units
	Namespaces int                `json:"namespaces"` // that services are in
	Nodes      int                `json:"nodes"`
	Disks      int                `json:"disks"`
	Firing     int                `json:"firing"`           // objects that are alerting, also those that are well but not yet called so
	Groups     []Group            `json:"groups,omitempty"` // what is not alerted on, by verdict and condition
	Off        []Off              `json:"off,omitempty"`    // conditions that nothing can raise here
	Stale      []schema.StalePart `json:"stale,omitempty"`
	Omitted    map[string]int     `json:"omitted,omitempty"`
}

// Group is what does not alert for one reason. Objects are at most MaxQuiet of Count.
type Group struct {
	Verdict   string  `json:"verdict"`
	Condition string  `json:"condition,omitempty"` // empty where the verdict is about all conditions
	Count     int     `json:"count"`
	Objects   []Quiet `json:"objects"`

	Instances map[string]int `json:"instances,omitempty"` // of all Count objects, by runtime, as in Overview
}

// MaxQuiet bounds the objects that a Group names.
const MaxQuiet = 200

// Quiet is one object that does not alert.
type Quiet struct {
	Object  schema.Object `json:"object"`
	Runtime string        `json:"runtime,omitempty"`
	Text    string        `json:"text"`
	Until   time.Time     `json:"until,omitzero"` // when a hold is over if nothing changes
}

// Off is a condition, or a part of the snapshot, that is not judged, and why.
type Off struct {
	Condition string `json:"condition"`
	Reason    string `json:"reason"`
}
