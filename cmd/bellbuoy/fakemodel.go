package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
	"github.com/bellbuoy/bellbuoy/internal/process"
)

// scriptedModel is the one that fakemodel has. Its name is in every diagnosis that comes of it.
const scriptedModel = "scripted"

func fakemodelCommand() command {
	listen := "127.0.0.1:11435"
	return command{
		name: "fakemodel", args: "[--listen HOST:PORT]", about: "a scripted model to try things with: OpenAI-compatible, no model behind it, and it says so",
		flags: func(f *flag.FlagSet) {
			f.StringVar(&listen, "listen", listen, "where it listens; port 0 takes any that is free")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("fakemodel", "[--listen HOST:PORT]")
			}
			return fakemodel(ctx, out, listen)
		},
	}
}

func fakemodel(ctx context.Context, out io.Writer, listen string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen for requests to the scripted model: %w: --listen HOST:PORT says where", err)
	}
	fmt.Fprintf(out, `A scripted model listens. Its answers come from a script, and every one says so. To use it:
  export BELLBUOY_LLM_BASE_URL=http://%s/v1
  export BELLBUOY_LLM_MODEL=%s
`, l.Addr(), scriptedModel)
	handler := fake.New(fake.Options{Models: []string{scriptedModel}})
	return process.Run(ctx, process.Options{
		Name: "fakemodel", Listener: l, Log: process.Logger(os.Stderr, process.LogConfig{Level: "warn", Format: "text"}),
		Parts: []process.Part{{
			Name: "model", Handle: func(mux *http.ServeMux) { mux.Handle("/v1/", handler) },
			Run: func(ctx context.Context) error { <-ctx.Done(); return nil },
		}},
	})
}
