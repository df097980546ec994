package diagnose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Budgets of a prompt, in tokens as Tokens counts them: of system and user text together. The room for the answer comes
// on top.
const (
	MaxPromptTokens   = 6000
	SmallPromptTokens = 3000 // for models that are small, or not known: see PromptTokens
	maxVerdictTokens  = 4000 // of the answer, thinking included
	maxAnswerTokens   = 1500
)

// VerdictSchemaName is the name that the verdict's JSON schema goes by.
const VerdictSchemaName = "verdict"

// Prompt is one question to a model. System never changes between prompts of the same kind, so that a server can keep
// what it made of it. With a Schema the answer has to be one JSON object of that shape, otherwise it is free text.
type Prompt struct {
	System     string
	User       string
	Schema     json.RawMessage // nil: free text
	SchemaName string
	MaxTokens  int // of the answer
	// Estimate is about how many tokens System and User are; 0: nobody has estimated it. A repair is estimated as what
	// it repairs. Least is what of that is no evidence.
	Estimate, Least int
}

// Halved is the budget of a prompt like p with half the evidence.
func (p Prompt) Halved() int { return p.Least + (p.Estimate-p.Least)/2 }

// Completion is a model's answer. Usage is what the model's server says it cost.
type Completion struct {
	Text         string
	Model        string
	Usage        schema.Usage
	PromptTokens int // of Usage.Tokens, those of the prompt
}

// VerdictPrompt asks for a verdict on c, from its frozen evidence. The snapshot says which objects exist; it may be
// nil when there is none any more. Identical input gives an identical prompt. Of evidence that does not fit the budget
// the least telling is left out, and the prompt says how much of which kind that is.
func VerdictPrompt(c schema.Conversation, s *schema.ClusterContext) Prompt {
	return VerdictPromptWithin(c, s, MaxPromptTokens)
}

// VerdictPromptWithin is VerdictPrompt for a model that reads fewer tokens.
func VerdictPromptWithin(c schema.Conversation, s *schema.ClusterContext, tokens int) Prompt {
	system := verdictSystem()
	request := "\nGive the verdict on " + quote(c.Object.String()) + " as one JSON object, and nothing else."
	p := page{View: NewView(s), conversation: c, blame: true}
	p.after = decisions(c, threadRoom(tokens, system)/2)
	around := Tokens(system) + Tokens(request) + 1
	data, least := p.fenced(tokens - around)
	return Prompt{
		System: system, User: data + request, Schema: VerdictSchema(), SchemaName: VerdictSchemaName, MaxTokens: maxVerdictTokens,
		Estimate: Tokens(system) + Tokens(data+request), Least: around + least,
	}
}

// RepairPrompt asks again after an answer that CheckVerdict refused, naming its mistakes. Everything before that stays
// as it was.
func RepairPrompt(p Prompt, answer string, problem error) Prompt {
	p.User += "\n\nYour previous answer was not accepted. It began (a JSON string): " + quote(cut(answer, 1200)) +
		"\nWhat is wrong with it (a JSON string): " + quote(cut(problem.Error(), 2000)) +
		"\nAnswer again with one JSON object in which all of this is put right, and nothing else."
	return p
}

// subject tells the model what the incident is.
type subject struct {
	Cluster  string `json:"cluster"`
	Kind     string `json:"object_kind"`
	Object   string `json:"object"`
	Title    string `json:"title"`
	Severity string `json:"severity"`
	Source   string `json:"source,omitempty"`
}

func about(c schema.Conversation) subject {
	return subject{
		Cluster: c.Cluster, Kind: c.Object.Kind, Object: c.Object.String(),
		Title: c.Title, Severity: c.Severity, Source: c.Source,
	}
}

// nonce is derived from everything inside the fence, so that it is stable for a conversation's evidence and cannot be
// written into that evidence.
func nonce(c schema.Conversation) string {
	sum := sha256.Sum256([]byte(c.ID + "\x00" + compact(c.Evidence)))
	return hex.EncodeToString(sum[:8])
}

// compact is v as JSON on one line, without the escapes that only matter inside HTML.
func compact(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "null" // a time that JSON has no form for
	}
	return strings.TrimSpace(b.String())
}

func quote(s string) string { return compact(s) }
