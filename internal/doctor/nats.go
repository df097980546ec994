package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

const (
	fixSetup    = "run `bellbuoy setup`, which creates and updates them; it may run at any time"
	maxSkew     = 30 * time.Second
	fullPercent = 80
)

// nats looks at the server and at all that is on it, from the bottom up.
func (d *doctor) nats(ctx context.Context) []Finding {
	b, err := bus.Connect(ctx, d.NATS)
	if err != nil {
		return []Finding{d.unreached(err)}
	}
	defer b.Close()
	i, err := b.Inspect(ctx, d.Setup)
	all := server(i)
	if count(all, Fault) > 0 {
		return append(all, Finding{AreaNATS, "streams", Off, "not looked at before the server is put right", ""})
	}
	if err != nil {
		what, fix := apart(err, fixSetup)
		return append(all, Finding{AreaNATS, "JetStream", Fault, what, fix})
	}
	all = slices.Concat(all, d.clock(i), denials(i), d.streams(i), consumers(i))
	return append(all, d.parts(ctx, b, i)...)
}

func (d *doctor) unreached(err error) Finding {
	what, fix := apart(err, "set BELLBUOY_NATS_URL right")
	if !d.Named && errors.Is(err, bus.ErrUnreachable) {
		return Finding{
			AreaNATS, "server", Warn, "`bellbuoy up` is not running: " + what + "; streams, parts and snapshots are not looked at",
			"start `bellbuoy up`, or set BELLBUOY_NATS_URL to a server that runs",
		}
	}
	return Finding{AreaNATS, "server", Fault, what, fix}
}

func server(i bus.Inspection) []Finding {
	var all []Finding
	add := func(name, what, fix string) { all = append(all, Finding{AreaNATS, name, Fault, what, fix}) }
	if i.Outdated() {
		add("version", fmt.Sprintf("%s is NATS %s, which has no atomic batches", i.URL, i.Version), "update nats-server to 2.12 or newer")
	}
	if i.MaxPayload < bus.MinPayload {
		add("max_payload", fmt.Sprintf("%s takes messages up to %s, a snapshot may have %s", i.URL, size(i.MaxPayload), size(bus.MinPayload)),
			"set max_payload: 8MB in the configuration of nats-server, and reload it")
	}
	if len(all) > 0 {
		return all
	}
	what := fmt.Sprintf("%s at %s, NATS %s, takes messages up to %s", cmp.Or(i.Server, "a server"), i.URL, i.Version, size(i.MaxPayload))
	return []Finding{{AreaNATS, "server", OK, what, ""}}
}

func (d *doctor) clock(i bus.Inspection) []Finding {
	if !i.Asked {
		return nil
	}
	skew := i.Skew - time.Until(d.Now()) // of the server's clock before the one that Now reads
	what := "the NATS server's and this machine's agree within " + maxSkew.String()
	if skew.Abs() <= maxSkew {
		return []Finding{{AreaNATS, "clock", OK, what, ""}}
	}
	return []Finding{{AreaNATS, "clock", Fault, fmt.Sprintf("the NATS server's is %s this machine's", apartBy(skew)), fixClock}}
}

const fixClock = "let both machines keep time by NTP: timedatectl set-ntp true"

func apartBy(skew time.Duration) string {
	if skew > 0 {
		return skew.Round(time.Second).String() + " ahead of"
	}
	return skew.Abs().Round(time.Second).String() + " behind"
}

// denials is what the server would not let this user look at, in one finding.
func denials(i bus.Inspection) []Finding {
	var subjects, fixes []string
	note := func(err error) {
		if t, ok := errors.AsType[*bus.Trouble](err); ok && errors.Is(err, bus.ErrDenied) && !slices.Contains(subjects, t.Doing) {
			subjects, fixes = append(subjects, t.Doing), append(fixes, t.Fix)
		}
	}
	for _, s := range i.Streams {
		note(s.Err)
	}
	for _, c := range i.Consumers {
		note(c.Err)
	}
	if len(subjects) == 0 {
		return nil
	}
	what := "this user may not " + subjects[0]
	if n := len(subjects) - 1; n > 0 {
		what += fmt.Sprintf(", nor use %d other subjects", n)
	}
	return []Finding{{AreaNATS, "permissions", Fault, what, fixes[0]}}
}

func (d *doctor) streams(i bus.Inspection) []Finding {
	var all []Finding
	var missing []string
	well := 0
	for _, s := range i.Streams {
		name := "stream " + s.Name
		switch {
		case errors.Is(s.Err, bus.ErrDenied):
		case s.Err != nil:
			all = append(all, Finding{AreaNATS, name, Fault, s.Err.Error(), "look at the server's log: `nats stream info " + s.Name + "` should answer"})
		case s.Missing:
			missing = append(missing, s.Name)
		case len(s.Foreign) > 0:
			all = append(all, Finding{
				AreaNATS, name, Fault, "is not Bellbuoy's: it keeps " + strings.Join(s.Foreign, ", "),
				"give Bellbuoy a NATS account of its own, and run `bellbuoy setup` there",
			})
		case len(s.Drift) > 0:
			all = append(all, Finding{AreaNATS, name, Fault, words(s.Drift), fixDrift(s)})
		default:
			well++
		}
		if s.MaxBytes > 0 && s.Bytes > s.MaxBytes/100*fullPercent {
			all = append(all, Finding{
				AreaNATS, name, Warn, fmt.Sprintf("holds %s of at most %s; what is oldest goes first", size(s.Bytes), size(s.MaxBytes)),
				"look what fills it: nats stream subjects " + s.Name,
			})
		}
	}
	if len(missing) > 0 {
		all = append(all, Finding{AreaNATS, "streams", Fault, "there is no stream " + strings.Join(missing, ", "), fixSetup})
	}
	if well > 0 {
		all = append(all, Finding{AreaNATS, "streams", OK, fmt.Sprintf("%d of %d are there as declared", well, len(i.Streams)), ""})
	}
	return all
}

func words(drift []bus.Drift) string {
	var all []string
	for _, d := range drift {
		all = append(all, d.String())
	}
	return strings.Join(all, "; ")
}

// fixDrift says what brings a stream back. Two settings stay for a stream's life.
func fixDrift(s bus.StreamState) string {
	for _, d := range s.Drift {
		switch d.Setting {
		case "storage", "retention", "sealed":
			return "this cannot be changed: keep what is in it (nats stream backup " + s.Name + " DIR), delete it (nats stream rm " + s.Name + "), and run `bellbuoy setup`"
		case "replicas":
			return "run `bellbuoy setup --replicas " + d.Want + "`"
		}
	}
	if s.Replicas > 1 {
		return fmt.Sprintf("run `bellbuoy setup --replicas %d`", s.Replicas)
	}
	return "run `bellbuoy setup`"
}

func consumers(i bus.Inspection) []Finding {
	var all []Finding
	declared, well := 0, 0
	for _, c := range i.Consumers {
		if c.Declared {
			declared++
		}
		f := consumer(c)
		switch {
		case f.Level != "":
			f.Area, f.Name = AreaNATS, "consumer "+c.Name
			all = append(all, f)
		case c.Declared && c.Err == nil:
			well++
		}
	}
	if well > 0 {
		all = append(all, Finding{AreaNATS, "consumers", OK, fmt.Sprintf("%d of %d are there as declared", well, declared), ""})
	}
	return all
}

// consumer is what is wrong with c; a zero Finding: nothing.
func consumer(c bus.ConsumerState) Finding {
	switch {
	case errors.Is(c.Err, bus.ErrDenied):
		return Finding{}
	case c.Err != nil:
		return Finding{Level: Fault, What: c.Err.Error(), Fix: "look at the server's log: `nats consumer info " + c.Stream + " " + c.Name + "` should answer"}
	case c.Missing:
		return Finding{Level: Fault, What: "is missing", Fix: "run `bellbuoy setup`"}
	case c.Paused:
		return Finding{Level: Fault, What: "is paused: nothing is delivered", Fix: "nats consumer resume " + c.Stream + " " + c.Name}
	case !c.Declared && !c.Read() && c.Pending > 0:
		return Finding{
			Level: Warn, What: fmt.Sprintf("has %d messages waiting, and nobody reads it", c.Pending),
			Fix: "configure and start the notifier of that channel, or delete it: nats consumer rm " + c.Stream + " " + c.Name,
		}
	case len(c.Drift) == 1 && c.Drift[0].Setting == bus.AtOnce && (c.Name == bus.Diagnose || c.Name == bus.Answer):
		return Finding{
			Level: Warn, What: words(c.Drift) + " as this configuration has it",
			Fix: "set BELLBUOY_LLM_CONCURRENCY to the same number wherever it is read, and run `bellbuoy setup`",
		}
	case len(c.Drift) > 0:
		return Finding{Level: Fault, What: words(c.Drift), Fix: "run `bellbuoy setup`"}
	}
	return Finding{}
}

// size is n bytes in words.
func size(n int64) string {
	for _, unit := range []struct {
		name  string
		bytes int64
	}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}} {
		if n >= unit.bytes {
			return fmt.Sprintf("%.4g %s", float64(n)/float64(unit.bytes), unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
