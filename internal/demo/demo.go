// Package demo is the whole loop of Bellbuoy on a made-up shop: a service stops, one incident is told and diagnosed,
// somebody asks, somebody has it, and it is over. Everything but the shop and the model is what runs elsewhere too: the
// embedded server, the analyzer, the notifier, a webhook over HTTP, and the model's client over HTTP. It has its own
// ports and directory, and leaves nothing behind.
//
// Every step waits for the event that it tells of. If that does not come, the demonstration fails and says which.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/embed"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

// Options of a demonstration. The zero value plays it by itself, to nobody.
type Options struct {
	Say func(Step) // gets every step as it has happened; may be nil
	// Ask gives the question of step 4, and whether it was preset rather than asked by somebody; nil: Preset.
	Ask      func(ctx context.Context) (question string, preset bool)
	Interval time.Duration                   // between snapshots; 0: a second
	Within   time.Duration                   // how long each event may take that a step waits for; 0: 15 s
	Wrap     func(process.Part) process.Part // what each part is run through; nil: as it is
	Log      *slog.Logger                    // of the parts; nil: silent
}

// Preset is the question that is asked if nobody asks another.
const Preset = "What does its log say, and who depends on it?"

// Step is one of the five steps.
type Step struct {
	Step         int      `json:"step"`
	Title        string   `json:"title"`
	Lines        []string `json:"lines"`        // what there is to say, for people
	Millis       float64  `json:"ms,omitempty"` // step 2: from the snapshot that proved it to the webhook; 3: to the diagnosis
	Server       string   `json:"server,omitempty"`
	Conversation string   `json:"conversation,omitempty"`
	Question     string   `json:"question,omitempty"`
	Preset       bool     `json:"preset,omitempty"` // nobody asked; it is the question that is asked then
	Posts        int      `json:"posts,omitempty"`  // that the webhook got
	Sounds       int      `json:"sounds,omitempty"` // of them: those that call a person
}

const defaultWithin = 15 * time.Second

func (o Options) withDefaults() Options {
	if o.Say == nil {
		o.Say = func(Step) {}
	}
	if o.Ask == nil {
		o.Ask = func(context.Context) (string, bool) { return Preset, true }
	}
	if o.Wrap == nil {
		o.Wrap = func(p process.Part) process.Part { return p }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Interval, o.Within = cmp.Or(o.Interval, time.Second), cmp.Or(o.Within, defaultWithin)
	return o
}

var (
	errOver    = errors.New("the demonstration is over")
	errStopped = errors.New("stopped")
)

// Run plays the demonstration to its end. Its error says in which step what did not happen; it is also an error to be
// stopped by ctx. Whatever it returns, everything is stopped and removed.
func Run(ctx context.Context, o Options) (err error) {
	o = o.withDefaults()
	dir, err := os.MkdirTemp("", "bellbuoy-demo-")
	if err != nil {
		return fmt.Errorf("make a directory for the demonstration: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := embed.Start(ctx, embed.Options{Listen: "127.0.0.1:0", Dir: dir, Log: o.Log})
	if err != nil {
		return err
	}
	defer server.Close()
	b, err := bus.Connect(ctx, bus.Options{InProcess: server, Name: "demo", Log: o.Log})
	if err != nil {
		return err
	}
	defer b.Close()
	if err := b.Setup(ctx, bus.Setup{Channels: []string{webhook.Name}}); err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the model and the webhook of the demonstration: %w", err)
	}
	return o.play(ctx, b, server.ClientURL(), listener)
}

// play runs all parts until the story has ended, or one of them has.
func (o Options) play(ctx context.Context, b *bus.Bus, url string, listener net.Listener) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	hook, registry := newHook(), prometheus.NewRegistry()
	base := "http://" + listener.Addr().String()
	n, err := notifier.New(notifier.Config{
		Notify: notifier.NotifyOn, Webhook: webhook.Config{URL: config.Secret(base + hookPath), Format: webhook.FormatNative},
	}, b, o.Log, registry)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	a, err := analyzer.New(analyzer.Config{LLM: llm.Config{BaseURL: base, Model: scripted}, Calls: analyzer.Calls{Concurrency: 4}}, b, o.Log, registry)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s := newStory(o, b, hook, url)
	story := process.Part{Name: "demo", Run: func(ctx context.Context) error {
		err := s.run(ctx)
		stop(errOver)
		<-ctx.Done() // a part ends when it is told to
		return err
	}}
	parts := []process.Part{hook.part(), model(), n.Part(), a.Part(), story}
	for i := range parts {
		parts[i] = o.Wrap(parts[i])
	}
	err = process.Run(running, process.Options{Name: "demo", Log: o.Log, Listener: listener, Registry: registry, Parts: parts})
	if ctx.Err() != nil {
		return fmt.Errorf("the demonstration was %w in step %d (%w); everything is cleaned up", errStopped, s.step, context.Cause(ctx))
	}
	return err
}
