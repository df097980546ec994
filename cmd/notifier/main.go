// Command notifier tells the conversations to people, over every configured channel.
package main

import (
	"context"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/daemon"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

func main() { process.Main("notifier", run) }

func run(ctx context.Context, args []string) error {
	var cfg notifier.Config
	return daemon.Daemon{
		Name: "notifier", Addr: "127.0.0.1:8474", Config: &cfg,
		Needs: func() []string {
			var consumers []string
			for _, name := range notifier.Channels(cfg) {
				consumers = append(consumers, bus.Notify(name))
			}
			return consumers
		},
		Part: func(e daemon.Env) (process.Part, error) {
			n, err := notifier.New(cfg, e.Bus, e.Log, e.Registry)
			if err != nil {
				return process.Part{}, err
			}
			return n.Part(), nil
		},
	}.Run(ctx, args)
}
