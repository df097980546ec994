package schema

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Schemas of a look-up and of what it gives.
const (
	InspectionVersion       = "bellbuoy.inspection/v1"
	InspectionResultVersion = "bellbuoy.inspection-result/v1"
)

// Kinds of look-up.
const (
	LookLogs   = "logs"   // the newest lines
	LookStatus = "status" // how it is now
	LookEvents = "events" // what happened to it within EventWindow
)

// Looks is every kind of look-up.
func Looks() []string { return []string{LookLogs, LookStatus, LookEvents} }

// Bounds of a look-up.
const (
	InspectWithin      = 3 * time.Second // from the question to the result
	MaxInspectionBytes = 4 << 10
	MaxInspectedLines  = MaxLogLines // each of at most MaxLogLineBytes
	MaxInspectedNote   = 400         // bytes
	MaxResultBytes     = 64 << 10
)

// Inspection asks a collector to look one object of its cluster up. It names what to look at, never how: nothing of it
// becomes a path, a pattern or an argument of a command but the name of an object that the collector watches.
type Inspection struct {
	Schema  string `json:"schema"`
	Cluster string `json:"cluster"`
	Kind    string `json:"kind"` // logs, status, events
	Object  Object `json:"object"`
}

// InspectionResult is what a collector saw. Its texts are redacted, and untrusted all the same.
type InspectionResult struct {
	Schema    string          `json:"schema"`
	Cluster   string          `json:"cluster"`
	Kind      string          `json:"kind"`
	Object    Object          `json:"object"`
	At        time.Time       `json:"at"` // when it was looked up, by the collector's clock
	Collector string          `json:"collector,omitempty"`
	Source    string          `json:"source,omitempty"` // which source looked: docker, host
	Lines     []InspectedLine `json:"lines"`            // oldest first
	Omitted   map[string]int  `json:"omitted,omitempty"`
	Note      string          `json:"note,omitempty"` // what is to be known of the lines, or why there are none, in words for people
}

// What InspectionResult.Omitted counts.
const (
	OmittedLines     = "lines"     // older ones that were read and left out; there may be more that were not
	OmittedCut       = "cut"       // lines of which the end is missing
	OmittedInstances = "instances" // containers that were not looked at
)

// InspectedLine is one line of a log, one fact of a status, or one event.
type InspectedLine struct {
	At   time.Time `json:"at,omitzero"`
	From string    `json:"from,omitempty"` // the container or unit
	Text string    `json:"text"`
}

// DecodeInspection reads a look-up that was asked for under the given cluster token and kind, and validates it.
func DecodeInspection(b []byte, cluster, kind string) (Inspection, error) {
	var i Inspection
	if len(b) > MaxInspectionBytes {
		return i, fmt.Errorf("decode inspection: %d bytes are more than the %d allowed", len(b), MaxInspectionBytes)
	}
	if err := json.Unmarshal(b, &i); err != nil {
		return Inspection{}, fmt.Errorf("decode inspection: %w", err)
	}
	if err := i.Validate(); err != nil {
		return Inspection{}, err
	}
	if Token(i.Cluster) != cluster || i.Kind != kind {
		return Inspection{}, fmt.Errorf("decode inspection: body asks for %s in %q, its subject says %q in %q", i.Kind, clip(i.Cluster), clip(kind), clip(cluster))
	}
	return i, nil
}

// Validate lists every mistake of a look-up in one error.
func (i *Inspection) Validate() error {
	var m mistakes
	m.check(version(i.Schema, InspectionVersion, true))
	m.plain("cluster", i.Cluster)
	m.look(i.Kind)
	m.token("object.kind", i.Object.Kind)
	m.plain("object.name", i.Object.Name)
	if i.Object.Namespace != "" {
		m.plain("object.namespace", i.Object.Namespace)
	}
	return m.err("inspection")
}

// DecodeInspectionResult reads what a collector gave for i. It refuses the result of another look-up, and one that is out
// of bounds.
func DecodeInspectionResult(b []byte, i Inspection) (InspectionResult, error) {
	var r InspectionResult
	if len(b) > MaxResultBytes {
		return r, fmt.Errorf("decode result of inspection: %d bytes are more than the %d allowed", len(b), MaxResultBytes)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return InspectionResult{}, fmt.Errorf("decode result of inspection: %w", err)
	}
	if r.Cluster != i.Cluster || r.Kind != i.Kind || r.Object != i.Object {
		return InspectionResult{}, fmt.Errorf("decode result of inspection: it is about the %s of %q in %q, asked was for the %s of %q in %q",
			clip(r.Kind), clip(r.Object.String()), clip(r.Cluster), i.Kind, clip(i.Object.String()), clip(i.Cluster))
	}
	return r, r.Validate()
}

// Validate lists every mistake of a result in one error.
func (r *InspectionResult) Validate() error {
	var m mistakes
	m.check(version(r.Schema, InspectionResultVersion, true))
	m.plain("cluster", r.Cluster)
	m.look(r.Kind)
	if r.At.IsZero() {
		m.addf("at: missing")
	}
	if len(r.Lines) > MaxInspectedLines {
		m.addf("lines: %d are more than the %d allowed", len(r.Lines), MaxInspectedLines)
	}
	for n, line := range r.Lines {
		at := fmt.Sprintf("lines[%d]", n)
		if len(line.Text) > MaxLogLineBytes || len(line.From) > MaxName || !utf8.ValidString(line.Text+line.From) {
			m.addf("%s: text longer than %d bytes, from longer than %d, or not UTF-8", at, MaxLogLineBytes, MaxName)
		}
		if strings.ContainsAny(line.Text+line.From, "\r\n") {
			m.addf("%s: more than one line", at)
		}
	}
	for what, n := range r.Omitted {
		m.count("omitted."+clip(what), &n)
	}
	if len(r.Note) > MaxInspectedNote || len(r.Source) > MaxName || len(r.Collector) > MaxName || len(r.Omitted) > 16 {
		m.addf("note, source, collector or omitted: longer than allowed")
	}
	return m.err("result of inspection")
}

func (m *mistakes) look(kind string) {
	m.name("kind", kind)
	m.oneOf("kind", kind, Looks()...)
}
