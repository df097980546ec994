package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	mobycontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

const (
	lookContainers = 4                      // of one service that one look-up is about, the newest
	lookTail       = 2 * schema.MaxLogLines // lines asked for of each, so that what is left out can be counted
	lookOutput     = 300                    // bytes of what a health check printed
	lookChecks     = 3                      // its newest runs
)

var _ source.Inspector = (*Source)(nil)

// Inspect looks a service up on the engine, which is asked anew. It changes nothing and keeps nothing.
func (s *Source) Inspect(ctx context.Context, i schema.Inspection) (schema.InspectionResult, error) {
	if i.Kind == schema.LookEvents {
		return s.lookEvents(ctx, i.Object)
	}
	all, err := s.engine.list(ctx)
	if err != nil {
		return schema.InspectionResult{}, fmt.Errorf("list containers: %w", err)
	}
	all = slices.DeleteFunc(all, func(l listed) bool { return l.Object != i.Object })
	var r schema.InspectionResult
	if len(all) == 0 {
		r.Note = "no container of it is there any more, and the engine keeps nothing of one that was removed"
		return r, nil
	}
	slices.SortFunc(all, func(a, b listed) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	source.LeaveOut(&r, len(all)-lookContainers)
	all = all[:min(len(all), lookContainers)]
	if i.Kind == schema.LookLogs {
		return r, s.lookLogs(ctx, all, &r)
	}
	return r, s.lookStatus(ctx, all, &r)
}

// lookLogs shows the newest lines of containers, but for those whose owner does not want that.
func (s *Source) lookLogs(ctx context.Context, all []listed, r *schema.InspectionResult) error {
	var errs []error
	off := 0
	for _, l := range all {
		if silent(l) {
			off++
			continue
		}
		lines, err := s.engine.stampedLogs(ctx, l.ID)
		if err != nil {
			errs = append(errs, err)
		}
		source.Show(r, l.Name, lines)
	}
	source.Newest(r)
	switch {
	case off == len(all):
		r.Note = "its owner has switched the reading of its logs off, by the label " + labelLogs + "=off"
	case off > 0:
		r.Note = fmt.Sprintf("the logs of %d more of its containers are switched off, by the label %s=off", off, labelLogs)
	case len(r.Lines) == 0 && len(errs) == 0:
		r.Note = "it has logged nothing"
	}
	if len(r.Lines) == 0 && len(errs) > 0 {
		return errors.Join(errs...)
	}
	return nil
}

func silent(l listed) bool { return l.Labels[labelLogs] == "off" }

// stampedLogs gives a container's newest lines as they are, with their times. It always asks for a tail: without one the
// engine reads the whole file.
func (e *engine) stampedLogs(ctx context.Context, id string) ([]source.RawLine, error) {
	body, err := e.client.Load().ContainerLogs(ctx, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: strconv.Itoa(lookTail),
	})
	if err != nil {
		return nil, fmt.Errorf("ask for logs of %s: %w", short(id), err)
	}
	defer body.Close()
	var t tail
	split := splitter{take: t.add}
	split.read(io.LimitReader(body, maxLog))
	split.end()
	var lines []source.RawLine
	for _, line := range t.lines {
		lines = append(lines, unstamped(line))
	}
	return lines, nil
}

// unstamped takes the time off a line; one without is shown whole.
func unstamped(line string) source.RawLine {
	stamp, text, _ := strings.Cut(line, " ")
	if at, err := time.Parse(time.RFC3339Nano, stamp); err == nil {
		return source.RawLine{At: at, Text: text}
	}
	return source.RawLine{Text: line}
}

// lookStatus says how each container is now, from an inspection of its own.
func (s *Source) lookStatus(ctx context.Context, all []listed, r *schema.InspectionResult) error {
	var errs []error
	for _, l := range all {
		got, err := s.engine.client.Load().ContainerInspect(ctx, l.ID, client.ContainerInspectOptions{})
		if err != nil {
			errs = append(errs, fmt.Errorf("inspect container %s: %w", short(l.ID), err))
			continue
		}
		lines := []source.RawLine{{Text: stateWords(fromInspection(got.Container))}, {Text: "image " + cmp.Or(l.Image, "unknown")}}
		source.Show(r, l.Name, append(lines, checks(got.Container, silent(l))...))
	}
	r.Lines = r.Lines[:min(len(r.Lines), schema.MaxInspectedLines)]
	if len(r.Lines) == 0 {
		return errors.Join(errs...)
	}
	return nil
}

// stateWords tells of an inspection what a person would look for first.
func stateWords(d *details) string {
	words := []string{"state " + cmp.Or(d.State, "unknown")}
	switch {
	case d.State == stateRunning || d.State == statePaused:
		words = append(words, "started "+moment(d.StartedAt))
	case d.State != stateCreated:
		words = append(words, fmt.Sprintf("ended %s with exit code %d", moment(d.FinishedAt), d.ExitCode))
	}
	if d.OOMKilled {
		words = append(words, "killed for want of memory")
	}
	if d.Error != "" {
		words = append(words, "the engine's error: "+d.Error)
	}
	return strings.Join(append(words, fmt.Sprintf("restarts by the engine: %d", d.RestartCount), "restart policy: "+cmp.Or(d.Policy, "no")), "; ")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return "at " + t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// checks tells of the health check's newest runs. What they printed is a log as any other.
func checks(c mobycontainer.InspectResponse, quiet bool) []source.RawLine {
	if c.State == nil || c.State.Health == nil {
		return nil
	}
	h := c.State.Health
	lines := []source.RawLine{{Text: fmt.Sprintf("health check: %s, failed %d times in a row", h.Status, h.FailingStreak)}}
	for _, run := range h.Log[max(0, len(h.Log)-lookChecks):] {
		if run == nil {
			continue
		}
		text := fmt.Sprintf("health check ended with %d", run.ExitCode)
		if out := scrub.Line(run.Output, lookOutput); out != "" && !quiet {
			text += ": " + out
		}
		lines = append(lines, source.RawLine{At: run.End, Text: text})
	}
	return lines
}

// lookEvents asks the engine what it remembers of the service.
func (s *Source) lookEvents(ctx context.Context, o schema.Object) (schema.InspectionResult, error) {
	now := s.now()
	past, err := s.engine.replay(ctx, now.Add(-schema.EventWindow), now)
	if err != nil {
		return schema.InspectionResult{}, err
	}
	var r schema.InspectionResult
	for _, m := range past {
		e, ours := parseEvent(m)
		if !ours || e.Object != o {
			continue
		}
		source.Show(&r, e.Name, []source.RawLine{{At: e.At, Text: eventWords(e)}})
	}
	source.Newest(&r)
	switch {
	case len(past) >= ringSize:
		r.Note = fmt.Sprintf("the engine remembers its newest %d events of all kinds and containers, so that older ones may be missing", ringSize)
	case len(r.Lines) == 0:
		r.Note = "nothing happened to it in the last 15 minutes"
	}
	return r, nil
}

func eventWords(e event) string {
	switch e.Action {
	case actDie:
		return fmt.Sprintf("%s: exit %d", e.Action, e.Exit)
	case actHealth:
		return e.Action + ": " + e.Health
	case actCreate:
		return e.Action + ": image " + e.Image
	}
	return e.Action
}
