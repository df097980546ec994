package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// FindingVersion is the schema of a Finding.
const FindingVersion = "bellbuoy.finding/v1"

// Finding is a condition of an object that somebody else than the rules has found, or that has ended. It counts until
// the same source says something else of the same condition, and for ValidForSeconds after it was stored: what lasts
// has to be said again.
type Finding struct {
	Schema          string    `json:"schema"`
	Cluster         string    `json:"cluster"`
	Object          Object    `json:"object"`
	Condition       string    `json:"condition"`          // letters, digits, - and _
	Severity        string    `json:"severity,omitempty"` // info, warning, critical
	Title           string    `json:"title,omitempty"`    // what is wrong, in a line
	Facts           []string  `json:"facts,omitempty"`
	Since           time.Time `json:"since,omitzero"` // when it began; unknown: when it was first said
	Firing          bool      `json:"firing"`         // false: it is over
	Source          string    `json:"source"`         // who says so
	ValidForSeconds float64   `json:"valid_for_seconds,omitempty"`
	At              time.Time `json:"at,omitzero"` // when it was seen, by the source's clock

	Unknown map[string]json.RawMessage `json:"-"`
}

// Conditions of Bellbuoy itself that several parts know by name.
const (
	ChannelFailing   = "channel_failing"
	DeadLetters      = "dead_letters"
	StoreFull        = "store_full"
	ModelUnavailable = "model_unavailable"
	BudgetSpent      = "budget_spent"
)

// Bounds of a finding.
const (
	MaxFindingBytes = 64 << 10
	MaxFindingText  = 1 << 10 // bytes of the title, and of each fact
	MaxFindingFacts = 20

	DefaultValidFor = 5 * time.Minute
	MinValidFor     = 30 * time.Second
	MaxValidFor     = 24 * time.Hour
)

// ValidFor is how long the finding counts unless it is said again.
func (f *Finding) ValidFor() time.Duration {
	if f.ValidForSeconds <= 0 {
		return DefaultValidFor
	}
	return time.Duration(f.ValidForSeconds * float64(time.Second))
}

// OfSnapshots tells whether objects of the kind are judged by snapshots. Nobody else may say what is true of them: it
// would be contradicted by every snapshot.
func OfSnapshots(kind string) bool {
	return slices.Contains([]string{KindService, KindNode, KindCluster, KindSource, KindCollector, KindClock}, kind)
}

// UnmarshalJSON keeps unknown fields.
func (f *Finding) UnmarshalJSON(b []byte) error {
	type plain Finding
	*f = Finding{}
	if err := json.Unmarshal(b, (*plain)(f)); err != nil {
		return err
	}
	return keepUnknown(b, reflect.ValueOf(f).Elem())
}

// MarshalJSON writes unknown fields back.
func (f Finding) MarshalJSON() ([]byte, error) {
	type plain Finding
	b, err := json.Marshal(plain(f))
	if err != nil {
		return nil, err
	}
	return restoreUnknown(b, reflect.ValueOf(f))
}

// DecodeFinding reads a finding and validates it. Its error lists every mistake.
func DecodeFinding(b []byte) (Finding, error) {
	var f Finding
	if len(b) > MaxFindingBytes {
		return f, fmt.Errorf("decode finding: %d bytes are more than the %d allowed", len(b), MaxFindingBytes)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return Finding{}, fmt.Errorf("decode finding: %w", err)
	}
	var says struct {
		Firing *bool `json:"firing"`
	}
	if err := json.Unmarshal(b, &says); err != nil {
		return Finding{}, fmt.Errorf("decode finding: %w", err)
	}
	var m mistakes
	if says.Firing == nil {
		m.addf("firing: missing; say true, or false when it is over")
	}
	f.validate(&m)
	return f, m.err("finding")
}

// Validate lists every mistake of a finding in one error.
func (f *Finding) Validate() error {
	var m mistakes
	f.validate(&m)
	return m.err("finding")
}

func (f *Finding) validate(m *mistakes) {
	m.check(version(f.Schema, FindingVersion, true))
	m.plain("cluster", f.Cluster)
	m.plain("object.name", f.Object.Name)
	if f.Object.Namespace != "" {
		m.plain("object.namespace", f.Object.Namespace)
	}
	m.plain("source", f.Source)
	m.token("object.kind", f.Object.Kind)
	m.token("condition", f.Condition)
	if OfSnapshots(f.Object.Kind) {
		m.addf("object.kind: what is true of a %s is judged by snapshots alone; take another kind", f.Object.Kind)
	}
	m.oneOf("severity", f.Severity, SeverityInfo, SeverityWarning, SeverityCritical)
	if f.Firing && f.Severity == "" {
		m.addf("severity: missing")
	}
	if f.Firing && strings.TrimSpace(f.Title) == "" {
		m.addf("title: missing")
	}
	m.text("title", f.Title)
	if len(f.Facts) > MaxFindingFacts {
		m.addf("facts: %d are more than the %d allowed", len(f.Facts), MaxFindingFacts)
	}
	for i, fact := range f.Facts {
		m.text(fmt.Sprintf("facts[%d]", i), fact)
	}
	if f.ValidForSeconds != 0 && (f.ValidForSeconds < MinValidFor.Seconds() || f.ValidForSeconds > MaxValidFor.Seconds()) {
		m.addf("valid_for_seconds: %v is not between %v and %v", f.ValidForSeconds, MinValidFor.Seconds(), MaxValidFor.Seconds())
	}
}

// plain is a name without control characters.
func (m *mistakes) plain(field, value string) {
	m.name(field, value)
	if strings.ContainsFunc(value, unicode.IsControl) {
		m.addf("%s: has control characters", field)
	}
}

func (m *mistakes) token(field, value string) {
	m.name(field, value)
	if value != "" && !ValidToken(value) {
		m.addf("%s: %q has other characters than letters, digits, - and _", field, clip(value))
	}
}

func (m *mistakes) text(field, value string) {
	if len(value) > MaxFindingText {
		m.addf("%s: %d bytes are more than the %d allowed", field, len(value), MaxFindingText)
	}
	if !utf8.ValidString(value) {
		m.addf("%s: not UTF-8", field)
	}
}
