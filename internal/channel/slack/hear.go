package slack

import (
	"cmp"
	"context"
	"errors"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Reasons to refuse what was meant for us.
const refusedButton = "button"

// heardMark is put below what was heard.
const heardMark = "eyes"

// take hears a deed: ack tells whether Slack need not send it again, and aside, unless it is nil, tells the person what
// became of it.
func (l *listener) take(ctx context.Context, d deed) (ack bool, aside func(context.Context)) {
	o, err := l.ch.origin(ctx, d.channel, d.on)
	if err != nil {
		return l.failed(ctx, d, err)
	}
	r, what, why := l.reply(ctx, d, o)
	if why != "" {
		l.ch.report.Count(what, why)
		return true, nil
	}
	err = l.hear(ctx, r)
	if denied, ok := errors.AsType[channel.Denied](err); ok {
		if !l.ch.denials.put(d.id, true) { // a mention comes twice
			return true, nil
		}
		return true, func(ctx context.Context) { _ = l.whisper(ctx, d, denied.Text) }
	}
	if err != nil {
		return l.failed(ctx, d, err)
	}
	if d.ts == "" {
		return true, nil // the card changes, or the judgement is told
	}
	return true, func(ctx context.Context) {
		_ = l.ch.api.AddReactionContext(ctx, heardMark, api.NewRefToMessage(d.channel, d.ts))
	}
}

// failed is for a deed that could not be stored. Slack sends events again, but no buttons: their people are told.
func (l *listener) failed(ctx context.Context, d deed, err error) (ack bool, aside func(context.Context)) {
	if ctx.Err() == nil || d.kind == deedButton {
		l.ch.report.Log.Warn("what was said in Slack could not be stored", "kind", d.kind, "error", err)
	}
	if d.kind != deedButton {
		return false, nil
	}
	return false, func(ctx context.Context) {
		_ = l.whisper(ctx, d, "That was not stored, so nothing has changed. Please press it again in a minute.")
	}
}

// whisper tells the person alone, where they did it.
func (l *listener) whisper(ctx context.Context, d deed, text string) error {
	options := []api.MsgOption{
		api.MsgOptionText(escaped.Replace(short(text, maxPlain)), false), api.MsgOptionParse(false), api.MsgOptionLinkNames(false),
	}
	if thread := cmp.Or(d.thread, d.on); d.kind != deedReaction {
		options = append(options, api.MsgOptionTS(thread))
	}
	_, err := l.ch.api.PostEphemeralContext(ctx, d.channel, d.user, options...)
	return err
}

// reply is what a deed says to which conversation. If it says nothing, why is the reason.
func (l *listener) reply(ctx context.Context, d deed, o origin) (r schema.Reply, what channel.What, why string) {
	if o.conversation == "" {
		return r, channel.Ignored, ignoredForeign
	}
	who := l.ch.person(ctx, d.user)
	switch d.kind {
	case deedMessage:
		if !o.card {
			return r, channel.Ignored, ignoredForeign
		}
		if r.Text = typed(d.text, l.me, l.name(ctx)); r.Text == "" {
			if d.text == "" {
				return r, channel.Ignored, ignoredEmpty // a picture without a word
			}
			r.Verb = verbHelp
		}
	case deedButton:
		p, ok := readPressed(d.value)
		if !ok || !o.card || p.conversation != o.conversation || p.episode != o.episode {
			return r, channel.Refused, refusedButton
		}
		if r, ok = p.asks(d.text, l.ch.now(), who.zone); !ok {
			return r, channel.Refused, refusedButton
		}
		r.Episode = p.episode
	case deedReaction:
		if !o.judges {
			return r, channel.Ignored, ignoredEmoji
		}
		r.Verb = verdict(d.text)
	}
	r.Schema, r.Conversation, r.ID = schema.ReplyVersion, o.conversation, o.channel+"-"+d.id
	r.Author = schema.Author{Name: who.name, ID: d.user, Channel: o.channel, Verified: true}
	return r, "", ""
}
