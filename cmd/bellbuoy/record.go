package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/replay"
)

func recordCommand() command {
	const args = "FILE [--cluster NAME] [--force] [--json]"
	var record replay.Record
	var asJSON bool
	return command{
		name: "record", args: args, about: "write every snapshot into a file, one a line, until Ctrl-C: the newest ones first",
		flags: func(f *flag.FlagSet) {
			f.StringVar(&record.Cluster, "cluster", "", "only the snapshots of this one")
			f.BoolVar(&record.Overwrite, "force", false, "overwrite the file if it is there")
			f.BoolVar(&asJSON, "json", false, "print nothing but what was recorded, as JSON, at the end")
		},
		run: func(ctx context.Context, out io.Writer, words []string) error {
			if len(words) != 1 {
				return usage("record", args)
			}
			record.Path = words[0]
			return onBus(ctx, func(ctx context.Context, b *bus.Bus, log *slog.Logger) error {
				return recordOn(ctx, out, b, log, record, asJSON)
			})
		},
	}
}

// recordOn says at once that it records, and what of it is secret, and at the end how much that was.
func recordOn(ctx context.Context, out io.Writer, b *bus.Bus, log *slog.Logger, r replay.Record, asJSON bool) error {
	ready := func() {
		if !asJSON {
			fmt.Fprintf(out, "recording into %s until Ctrl-C\n", plain(r.Path))
			fmt.Fprintln(out, "what looked like a secret was taken out by the collector; what others publish is recorded as they published it")
		}
	}
	done, err := r.Run(ctx, b, ready, func(err error) { log.Warn("not recorded", "err", plain(err.Error())) })
	if err != nil && done.Snapshots == 0 {
		return err
	}
	if asJSON {
		_ = printJSONLine(out, done) // of numbers and names only: it has a form
		return err
	}
	fmt.Fprintf(out, "recorded %s, %d KB in %s\n", recorded(done), (done.Bytes+999)/1000, plain(r.Path))
	return err
}

// recorded says how many snapshots of which clusters.
func recorded(done replay.Recorded) string {
	var each []string
	for _, name := range slices.Sorted(maps.Keys(done.Clusters)) {
		each = append(each, fmt.Sprintf("%d of %s", done.Clusters[name], plain(name)))
	}
	text := console.Count(done.Snapshots, "snapshot")
	if len(each) > 0 {
		text += " (" + strings.Join(each, ", ") + ")"
	}
	if done.LeftOut > 0 {
		text += fmt.Sprintf(", %d left out", done.LeftOut)
	}
	return text
}
