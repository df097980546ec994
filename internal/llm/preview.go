package llm

import (
	"context"

	"github.com/sashabaranov/go-openai"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
)

// Preview is what Complete would say of p at first, by what is known of the server now; nothing is sent. System is empty
// where the server takes no such message. Room is how many tokens of a prompt the server reads; 0: any.
func (c *Client) Preview(ctx context.Context, p diagnose.Prompt) (system, user string, room int) {
	known := c.ability(ctx)
	for _, m := range request(c.model, p, known).Messages {
		if m.Role == openai.ChatMessageRoleSystem {
			system = m.Content
		} else {
			user = m.Content
		}
	}
	return system, user, known.Room
}

// Names are those of the model and of the host that it is asked at.
func (c *Client) Names() (model, host string) { return c.model, c.host }
