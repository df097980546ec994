package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const routeArgs = "CLUSTER/NAMESPACE/NAME SEVERITY [--label K=V] [--condition C] [--at TIME] [--file FILE] [--json]"

// routeFlags are what is asked about beside the object and the severity.
type routeFlags struct {
	request  client.RouteRequest
	at, file string
	asJSON   bool
}

func routeCommand() command {
	o := routeFlags{request: client.RouteRequest{Labels: map[string]string{}}}
	return command{
		name: "route", args: routeArgs, about: "who would be told of it, on which terms and why, who not, and when that changes",
		flags: func(f *flag.FlagSet) {
			f.Func("label", "a label of the object, such as team=shop; any number of them", o.label)
			f.StringVar(&o.request.Condition, "condition", "", "the condition, such as service_down")
			f.StringVar(&o.at, "at", "", `as of this time, such as 2026-11-24T22:00:00+01:00, or "2026-11-24 22:00" by this machine's clock`)
			f.StringVar(&o.file, "file", "", "ask this file of channels, and no notifier")
			f.BoolVar(&o.asJSON, "json", false, "print JSON")
		},
		run: func(ctx context.Context, out io.Writer, args []string) error {
			if len(args) != 2 {
				return usage("route", routeArgs)
			}
			return o.route(ctx, out, args[0], args[1])
		},
	}
}

func (o *routeFlags) label(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("a label is written NAME=VALUE")
	}
	o.request.Labels[name] = value
	return nil
}

func (o *routeFlags) route(ctx context.Context, out io.Writer, object, severity string) error {
	var err error
	if o.request.Cluster, o.request.Object, err = place(object); err != nil {
		return process.Usage{Err: err}
	}
	if o.request.Severity = severity; schema.SeverityRank(severity) == 0 {
		return process.Usage{Err: fmt.Errorf("route: %q is no severity: write info, warning or critical", severity)}
	}
	if o.request.At, err = moment(o.at); err != nil {
		return process.Usage{Err: err}
	}
	if o.file != "" {
		routes, err := notifier.Routes(notifier.Config{ChannelsFile: o.file})
		if err != nil {
			return process.Usage{Err: fmt.Errorf("route: read %s: %w", o.file, err)}
		}
		return o.print(out, notifier.WouldTell(&routes, o.request, time.Now()))
	}
	return connected(ctx, out, formOf(o.asJSON), func(ctx context.Context, c *client.Client, out io.Writer) error {
		response, err := c.Route(ctx, o.request)
		if err != nil {
			return err
		}
		return o.print(out, response)
	})
}

// place reads CLUSTER/NAMESPACE/NAME, CLUSTER/NAME of a service in no namespace, and CLUSTER/node/NAME or another kind.
func place(text string) (cluster string, o schema.Object, err error) {
	parts := strings.SplitN(text, "/", 3)
	for _, part := range parts {
		if part == "" || len(parts) < 2 {
			return "", o, fmt.Errorf("route: %q names no object: write CLUSTER/NAMESPACE/NAME, CLUSTER/NAME or CLUSTER/node/NAME", text)
		}
	}
	o = schema.Object{Kind: schema.KindService, Name: parts[len(parts)-1]}
	if len(parts) == 3 {
		switch parts[1] {
		case schema.KindNode, schema.KindCluster, schema.KindSource, schema.KindChannel:
			o.Kind = parts[1]
		default:
			o.Namespace = parts[1]
		}
	}
	return parts[0], o, nil
}

// moment reads a time with its zone, or one of this machine's; zero where there is none.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", text, time.Local)
	if err != nil {
		return at, fmt.Errorf(`route: --at %q is no time: write it like 2026-11-24T22:00:00+01:00 or "2026-11-24 22:00"`, text)
	}
	return at, nil
}

func (o *routeFlags) print(out io.Writer, r client.RouteResponse) error {
	if o.asJSON {
		return printJSON(out, r)
	}
	zone := time.Local
	if !o.request.At.IsZero() {
		zone = o.request.At.Location()
	}
	at := func(t time.Time) string { return t.In(zone).Format("Mon 2006-01-02 15:04 MST") }
	fmt.Fprintf(out, "%s %s/%s as of %s\n", o.request.Severity, plain(o.request.Cluster), plain(o.request.Object.String()), at(r.At))
	if len(r.Channels) == 0 {
		_, err := fmt.Fprintln(out, "no channel is configured, so nobody is told: set BELLBUOY_WEBHOOK_URL or BELLBUOY_CHANNELS_FILE")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, x := range r.Channels {
		fmt.Fprintf(w, "%s\t%s\t%s%s\n", plain(x.Channel), toldWord(x), plain(x.Why), terms(x, at))
	}
	return w.Flush()
}

func toldWord(x client.Routed) string {
	switch {
	case x.Tell && x.Digest != "":
		return "told " + plain(x.Digest)
	case x.Tell:
		return "told"
	case !x.Again.IsZero():
		return "not yet"
	}
	return "not told"
}

// terms is what is to be said of a channel beside why it is told or not.
func terms(x client.Routed, at func(time.Time) string) string {
	text := ""
	if x.Mention != "" {
		text += "; mentions " + plain(x.Mention)
	}
	if x.Again.IsZero() {
		return text
	}
	if x.Tell {
		return text + "; of what begins before " + at(x.Again) // what it was told of, it is told to its end
	}
	return text + "; from " + at(x.Again) + " on, if it is still open then"
}
