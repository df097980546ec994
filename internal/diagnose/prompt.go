package diagnose

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Budgets of a prompt. A token is taken to be three bytes, which is on the safe side for log lines.
const (
	MaxPromptTokens  = 6000 // of system and user text together
	maxVerdictTokens = 4000 // of the answer, thinking included
	maxAnswerTokens  = 1500
	bytesPerToken    = 3
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
}

// Completion is a model's answer. Usage is what the model's server says it cost.
type Completion struct {
	Text  string
	Model string
	Usage schema.Usage
}

// estimate is about how many tokens n bytes are, rounded up.
func estimate(n int) int { return (n + bytesPerToken - 1) / bytesPerToken }

// VerdictPrompt asks for a verdict on c, from its frozen evidence. The snapshot says which objects exist; it may be
// nil when there is none any more. Identical input gives an identical prompt. What does not fit the budget is left out
// from the end of the evidence, and the prompt says how much that is.
func VerdictPrompt(c schema.Conversation, s *schema.ClusterContext) Prompt {
	system := verdictSystem()
	objects := allowed(NewView(s), c)
	head := []any{
		about(c),
		map[string][]string{"allowed_components": objects},
		map[string][]string{"allowed_targets": objects},
	}
	user := fenced(c, head, MaxPromptTokens-estimate(len(system))) +
		"\nGive the verdict on " + quote(c.Object.String()) + " as one JSON object, and nothing else."
	return Prompt{System: system, User: user, Schema: VerdictSchema(), SchemaName: VerdictSchemaName, MaxTokens: maxVerdictTokens}
}

// RepairPrompt asks again after an answer that CheckVerdict refused, naming its mistakes. Everything before that stays
// as it was.
func RepairPrompt(p Prompt, answer string, problem error) Prompt {
	p.User += "\n\nYour previous answer was not accepted. It began (a JSON string): " + quote(cut(answer, 1200)) +
		"\nWhat is wrong with it (a JSON string): " + quote(cut(problem.Error(), 2000)) +
		"\nAnswer again with one JSON object in which all of this is put right, and nothing else."
	return p
}

// allowed lists what a verdict may blame or act on: the object, and what the evidence speaks of, as far as it exists.
func allowed(v *View, c schema.Conversation) []string {
	objects := []string{c.Object.String()}
	for _, e := range c.Evidence {
		if v.exists(e.Object) && !slices.Contains(objects, e.Object) {
			objects = append(objects, e.Object)
		}
	}
	return objects
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

// fenced writes head and the evidence of c as JSON, one value a line, between two lines that bear a nonce. Nothing in
// a JSON string can begin a line, and nobody who writes into the evidence can know the nonce. The result is at most
// about limit tokens.
func fenced(c schema.Conversation, head []any, limit int) string {
	mark := nonce(c)
	var b strings.Builder
	fmt.Fprintf(&b, "DATA %s\n", mark)
	for _, h := range head {
		b.WriteString(compact(h) + "\n")
	}
	room := limit*bytesPerToken - b.Len() - 400 // the closing lines and the request
	left := 0
	for _, e := range c.Evidence {
		text := compact(e) + "\n"
		if len(text) > room {
			left++
			continue
		}
		room -= len(text)
		b.WriteString(text)
	}
	if left > 0 {
		b.WriteString(compact(map[string]int{"evidence_left_out": left}) + "\n")
	}
	fmt.Fprintf(&b, "END %s\n", mark)
	return b.String()
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
	return strings.TrimSpace(string(scrub.JSON(b.Bytes())))
}

func quote(s string) string { return compact(s) }
