package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/rules"
)

// replayOptions is what can be said of a replay.
type replayOptions struct {
	speed                     float64
	as                        string
	dry, all, skipBad, asJSON bool
}

func replayCommand() command {
	const args = "FILE [--dry] [--speed N] [--json]"
	var o replayOptions
	return command{
		name: "replay", args: args, about: "play a recording into what runs, as a cluster of its own; --dry: print what would come of it",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&o.dry, "dry", false, "decide here, on no server, and print every decision with its reason")
			f.BoolVar(&o.all, "all", false, "with --dry: also what is dropped, held, and changes nothing")
			f.Float64Var(&o.speed, "speed", 1, "how many times as fast as it was recorded")
			f.StringVar(&o.as, "as", "", "the cluster's name (without it: its own with -replay behind it)")
			f.BoolVar(&o.skipBad, "skip-bad", false, "leave out lines that are no snapshots, instead of ending with an error")
			f.BoolVar(&o.asJSON, "json", false, "print each step as a line of JSON")
		},
		run: func(ctx context.Context, out io.Writer, words []string) error {
			if len(words) != 1 {
				return usage("replay", args)
			}
			if err := o.mistake(); err != nil {
				return process.Usage{Err: fmt.Errorf("replay: %w", err)}
			}
			if o.dry {
				return o.decide(ctx, out, words[0])
			}
			return onBus(ctx, func(ctx context.Context, b *bus.Bus, log *slog.Logger) error {
				return replayLive(ctx, out, b, replay.Live{Recording: o.recording(words[0], log), Speed: o.speed, As: o.as}, o.asJSON)
			})
		},
	}
}

// decide replays a file by the rules that an analyzer would have here.
func (o replayOptions) decide(ctx context.Context, out io.Writer, path string) error {
	var file rules.File
	if err := config.Load(process.Prefix, &file); err != nil {
		return err
	}
	judged, err := file.Contents()
	if err != nil {
		return err
	}
	log := process.Logger(os.Stderr, process.LogConfig{Level: "info", Format: "text"})
	return replayDry(ctx, out, replay.Dry{Recording: o.recording(path, log), Rules: &judged.Rules, Windows: judged.Windows, Links: judged.Links, All: o.all}, o.asJSON)
}

func (o replayOptions) mistake() error {
	switch {
	case o.speed <= 0 || math.IsInf(o.speed, 0) || math.IsNaN(o.speed):
		return errors.New("--speed is a number above 0: 2 is twice as fast")
	case o.dry && (o.as != "" || o.speed != 1):
		return errors.New("--dry publishes nothing and waits for nothing: leave --as and --speed out")
	case o.all && !o.dry:
		return errors.New("--all goes with --dry")
	}
	return nil
}

func (o replayOptions) recording(path string, log *slog.Logger) replay.Recording {
	r := replay.Recording{Path: path, Start: time.Now().UTC()}
	if o.skipBad {
		r.SkipBad = func(err error) { log.Warn("line left out", "err", plain(err.Error())) }
	}
	return r
}

// replayDry prints the timeline and then the summary; with an error, the timeline as far as it came.
func replayDry(ctx context.Context, out io.Writer, d replay.Dry, asJSON bool) error {
	sum, err := d.Run(ctx, func(e replay.Entry) {
		if asJSON {
			_ = printJSONLine(out, e) // of strings and numbers only: it has a form
			return
		}
		fmt.Fprintln(out, e)
	})
	switch {
	case err != nil:
	case asJSON:
		err = printJSONLine(out, map[string]replay.Summary{"summary": sum})
	default:
		fmt.Fprintln(out, sum)
	}
	return err
}

// replayLive says what is going to be published, and how much that was.
func replayLive(ctx context.Context, out io.Writer, b *bus.Bus, l replay.Live, asJSON bool) error {
	n := 0
	planned := func(p replay.Plan) {
		if asJSON {
			_ = printJSONLine(out, map[string]replay.Plan{"plan": p})
			return
		}
		fmt.Fprintf(out, "playing %s as %s, %v long, in %v; Ctrl-C ends it\n", console.Count(p.Snapshots, "snapshot"), plain(strings.Join(p.Clusters, ", ")),
			p.Course.Round(time.Second), p.Takes.Round(time.Second))
		fmt.Fprintln(out, "whoever is told of alerts is told of these too")
	}
	err := l.Run(ctx, b, planned, func(p replay.Published) {
		if p.Line > 0 {
			n++
		}
		if asJSON {
			_ = printJSONLine(out, p)
		}
	})
	if n > 0 && !asJSON {
		fmt.Fprintf(out, "published %s and a goodbye; what is open stays open: bellbuoy list\n", console.Count(n, "snapshot"))
	}
	return err
}
