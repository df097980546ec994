package notifier

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channelfile"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	steadyEar = 5 * time.Minute // how long a channel has to have listened for its end to be the first one again
	maxDeaf   = time.Minute     // at most, before it listens again
)

// ear is a channel that brings replies back.
type ear struct {
	name     string // of the channel
	kind     string
	key      string // those with the same one hear the same
	listener channel.Listener
}

// hearing takes note of a channel that brings replies back, if no other one hears for it. In shadow nobody can be told
// anything, so nobody is heard.
func (n *Notifier) hearing(d channelfile.Channel, ch channel.Channel, shadowed bool) {
	l, ok := ch.(channel.Listener)
	log := n.log.With("channel", d.Name)
	switch {
	case !ok:
		return
	case shadowed:
		log.Info("shadow: replies are not listened to")
		return
	}
	e := ear{name: d.Name, kind: d.Kind, key: d.Name, listener: l}
	if shares, ok := ch.(channel.Eared); ok {
		e.key = shares.Ear()
	}
	if slices.ContainsFunc(n.ears, func(x ear) bool { return x.key == e.key }) {
		return
	}
	if r, ok := ch.(channel.Reporter); ok {
		r.Report(channel.Report{Log: log, Count: func(what channel.What, why string) { n.metrics.came(d.Name, what, why) }})
	}
	n.ears = append(n.ears, e)
}

// listen listens until ctx is done, and again when that ends with an error.
func (n *Notifier) listen(ctx context.Context, e ear) error {
	for failed := 0; ; {
		since := time.Now()
		err := e.listener.Listen(ctx, func(ctx context.Context, r schema.Reply) error { return n.hear(ctx, e, r) })
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if failed++; time.Since(since) > steadyEar {
			failed = 1
		}
		n.log.Error("replies are not heard; it is tried again", "channel", e.name, "error", err)
		if !n.rest(ctx, min(backoff(failed), maxDeaf)) {
			return nil
		}
	}
}

// hear stores a reply, if whoever said it may.
func (n *Notifier) hear(ctx context.Context, e ear, r schema.Reply) error {
	in := r.Author.Channel
	if !slices.ContainsFunc(n.loops, func(l *loop) bool { return l.name == in }) {
		in = e.name // the channel that posted the card has another name by now
	}
	author, role := n.who.Who(e.kind, r.Author.ID, r.Author.Name)
	author.ID, author.Channel = r.Author.ID, in
	r.Author = author
	verb, known := conversation.Intent(r)
	if !known {
		n.metrics.reply(in, "verb")
		return channel.Denied{Text: "Bellbuoy does not know that."}
	}
	if !n.who.May(role, verb) {
		n.metrics.reply(in, "role")
		return channel.Denied{Text: n.who.Refusal(author.Name, verb)}
	}
	if err := r.Validate(); err != nil {
		n.metrics.reply(in, "malformed")
		return channel.Denied{Text: "Bellbuoy cannot take that: it is too long, or not text."}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a reply: %w", err)
	}
	repeated, err := n.bus.PublishOnce(ctx, n.bus.Subjects().Heard(in, r.Conversation), body, r.ID)
	switch {
	case err != nil:
		n.metrics.reply(in, "unstored")
		return err
	case repeated:
		n.metrics.reply(in, "repeated")
	default:
		n.metrics.reply(in, "")
		n.metrics.heard.WithLabelValues(in, cmp.Or(verb, "question")).Inc()
	}
	return nil
}

// came counts what came in and was not stored.
func (m metrics) came(name string, what channel.What, why string) {
	switch what {
	case channel.Ignored:
		m.ignored.WithLabelValues(name, why).Inc()
	case channel.Refused:
		m.refused.WithLabelValues(name, why).Inc()
	case channel.Reconnect:
		m.reconnects.WithLabelValues(name).Inc()
	}
}

// rest tells whether the time passed before ctx was done.
func (n *Notifier) rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(jittered(verdict{again, d}))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
