package analyzer

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// previewer is a model that can say what it would be sent.
type previewer interface {
	Preview(ctx context.Context, p diagnose.Prompt) (system, user string, room int)
	Names() (model, host string)
}

// preview shows the prompt of a diagnosis, built as verdict builds it, and sends it nowhere.
func (a *Analyzer) preview(ctx context.Context, r client.PreviewRequest) (client.PreviewResponse, error) {
	c, err := a.conversation(ctx, r.Ref)
	if err != nil {
		return client.PreviewResponse{}, err
	}
	s, err := a.newest(ctx, c.Cluster)
	if err != nil {
		return client.PreviewResponse{}, err
	}
	budget := diagnose.MaxPromptTokens
	if a.length != nil {
		budget = a.length.tokens()
	}
	p := diagnose.VerdictPromptWithin(c, s, budget)
	response := client.PreviewResponse{Conversation: c.ID, Budget: budget, Evidence: len(c.Evidence), Waiting: waits(c)}
	response.System, response.User = p.System, p.User
	if a.previews != nil {
		var room int
		response.Model, response.Host = a.previews.Names()
		if response.System, response.User, room = a.previews.Preview(ctx, p); room > 0 && p.Estimate > room {
			p, response.Budget = diagnose.VerdictPromptWithin(c, s, room), room
			response.System, response.User, _ = a.previews.Preview(ctx, p)
		}
	}
	response.Schema, response.MaxTokens, response.Tokens = p.Schema, p.MaxTokens, diagnose.Tokens(response.System)+diagnose.Tokens(response.User)
	response.LeftOut, response.Suspicious = counted(p.User)
	response.Redacted = scrub.Found(p.User)
	return response, nil
}

func waits(c schema.Conversation) bool {
	for _, t := range conversation.Owed(c) {
		if t.Kind == conversation.TaskDiagnose {
			return true
		}
	}
	return false
}

// counted reads from a prompt what it says of itself.
func counted(user string) (leftOut map[string]int, suspicious int) {
	var said struct {
		LeftOut    map[string]int `json:"evidence_left_out"`
		Suspicious int            `json:"suspicious_lines"`
	}
	for line := range strings.Lines(user) {
		if strings.HasPrefix(line, `{"evidence_left_out":`) || strings.HasPrefix(line, `{"suspicious_lines":`) {
			_ = json.Unmarshal([]byte(line), &said) // what is no such line says nothing
		}
	}
	return said.LeftOut, said.Suspicious
}
