package console_test

import (
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/console"
)

func TestDeadLettersAsATableOneWholeAndWhatCameOfIt(t *testing.T) {
	body := "{\"text\":\"checkout down\"}\n\x1b[31mred\x1b[0m and \u202eback"
	letters := []client.Letter{
		{
			ID: 1207, Kind: client.DeadPost, About: "post to webhook about prod/shop/checkout", Who: "webhook", At: at, Channel: "webhook", Conversation: "9f2c51d012345678",
			Reason: "gave up post 9f2c51d012345678-3 to channel webhook: answered 422 Unprocessable Entity: the receiver refuses this body and always will",
			Size:   70_000, Subject: "bellbuoy.alerts.prod.critical.9f2c51d012345678", Seq: 12, SHA256: "13b3c73f118b79df758e01871aa7841cc5f2ff65b0e15efe6e1b2201891dbb8e", Body: &body,
		},
		{ID: 3, Kind: client.DeadReply, About: "reply to prod/shop/checkout", Who: "analyzer", Consumer: "hear", At: at.Add(-26 * time.Hour), Reason: "decode \x1b[31mreply", Size: 52},
	}
	everyLook(t, "dead", func(p *console.Printer) {
		p.Shadow([]string{"webhook", "ops"})
		p.Dead(client.DeadResponse{}, at)
		p.Dead(client.DeadResponse{Letters: letters, Total: 40, More: true}, at.Add(time.Hour))
		p.Letter(letters[0], at.Add(time.Hour))
		p.Retried(client.Retried{Letter: letters[0], Outcome: client.RetryPosted, Kinds: "opened"})
		p.Retried(client.Retried{Letter: letters[0], Outcome: client.RetryNothing, Reason: "the conversation is gone"})
		p.Retried(client.Retried{Letter: letters[1], Outcome: client.RetryStored, Kept: "permission denied"})
	})
}
