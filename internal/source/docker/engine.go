package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	mobycontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const defaultSocket = "/var/run/docker.sock"

// engine is the Docker engine as this package asks it: with dial the only place that knows the client library. Its
// methods may be called from any goroutine.
type engine struct {
	at     Endpoint
	client atomic.Pointer[client.Client]
}

// about is what the engine says of itself.
type about struct {
	ID, Name string
	Kernel   string // its release; empty: unknown
	Major    int    // of its version; 0 unknown
	Memory   int64
	Now      time.Time // by its own clock
}

// redial makes a new client, so that the version is negotiated anew: the engine may be another one after a break.
func (e *engine) redial() error {
	c, err := dial(e.at)
	if err != nil {
		return err
	}
	if old := e.client.Swap(c); old != nil {
		_ = old.Close() // its idle connections only
	}
	return nil
}

func (e *engine) close() error { return e.client.Load().Close() }

// local tells whether the engine is on this machine, so that this machine's /proc is the engine's: it listens on a
// socket, and its kernel is ours. Docker Desktop's engine is in a virtual machine.
func (e *engine) local(a about, proc string) bool {
	if !strings.HasPrefix(e.at.Host, "unix://") {
		return false
	}
	ours, err := os.ReadFile(filepath.Join(proc, "sys/kernel/osrelease"))
	return err != nil || a.Kernel == "" || a.Kernel == strings.TrimSpace(string(ours))
}

// explain says what to do about an engine that cannot be reached.
func (e *engine) explain(err error) error { return explain(e.at, err) }

func (e *engine) about(ctx context.Context) (about, error) {
	got, err := e.client.Load().Info(ctx, client.InfoOptions{})
	if err != nil {
		return about{}, cmp.Or(listening(ctx, e.at), e.explain(err))
	}
	a := about{ID: got.Info.ID, Name: bounded(got.Info.Name), Kernel: got.Info.KernelVersion, Memory: got.Info.MemTotal}
	major, _, _ := strings.Cut(got.Info.ServerVersion, ".")
	a.Major, _ = strconv.Atoi(major)
	a.Now, err = time.Parse(time.RFC3339Nano, got.Info.SystemTime)
	if err != nil {
		a.Now = time.Now()
	}
	a.Now = a.Now.UTC()
	return a, nil
}

// list gives all containers that concern us.
func (e *engine) list(ctx context.Context) ([]listed, error) {
	got, err := e.client.Load().ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return nil, e.explain(err)
	}
	var all []listed
	for _, c := range got.Items {
		if !dropped(c.Labels) {
			all = append(all, fromSummary(c))
		}
	}
	return all, nil
}

func fromSummary(c mobycontainer.Summary) listed {
	name := ownName(c.Names)
	return listed{
		ID: c.ID, Name: name, Object: objectOf(name, c.Labels), State: string(c.State), Health: healthOf(c),
		Labels: c.Labels, Image: c.Image, ImageID: c.ImageID, Created: time.Unix(c.Created, 0).UTC(),
	}
}

// ownName is the container's own name among those that links have given it.
func ownName(names []string) string {
	for _, name := range names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

// healthOf reads the state of the health check, which older engines only tell in words.
func healthOf(c mobycontainer.Summary) string {
	if c.Health != nil && c.Health.Status != mobycontainer.NoHealthcheck {
		return string(c.Health.Status)
	}
	switch {
	case strings.HasSuffix(c.Status, "(healthy)"):
		return schema.HealthHealthy
	case strings.HasSuffix(c.Status, "(unhealthy)"):
		return schema.HealthUnhealthy
	case strings.HasSuffix(c.Status, "(health: starting)"):
		return schema.HealthStarting
	}
	return ""
}

// inspect asks for one mobycontainer. Its environment is dropped here.
func (e *engine) inspect(ctx context.Context, id string) (*details, error) {
	got, err := e.client.Load().ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return nil, fmt.Errorf("inspect container %s: %w", short(id), err)
	}
	return fromInspection(got.Container), nil
}

func fromInspection(c mobycontainer.InspectResponse) *details {
	d := &details{RestartCount: c.RestartCount, Created: engineTime(c.Created)}
	if s := c.State; s != nil {
		d.ExitCode, d.OOMKilled, d.Error = s.ExitCode, s.OOMKilled, scrub.Line(s.Error, schema.MaxLogLineBytes)
		d.State, d.StartedAt, d.FinishedAt = string(s.Status), engineTime(s.StartedAt), engineTime(s.FinishedAt)
		d.Serves = s.Health != nil
	}
	if h := c.HostConfig; h != nil {
		d.Policy, d.MaxRetries = string(h.RestartPolicy.Name), h.RestartPolicy.MaximumRetryCount
		d.AutoRemove, d.NoLogs = h.AutoRemove, h.LogConfig.Type == "none"
		d.Serves = d.Serves || h.PublishAllPorts || len(h.PortBindings) > 0
		d.GPU = usesGPU(h)
	}
	if c.Config != nil {
		d.Image = c.Config.Image
		check := c.Config.Healthcheck
		d.Serves = d.Serves || check != nil && len(check.Test) > 0 && check.Test[0] != "NONE"
	}
	return d
}

func usesGPU(h *mobycontainer.HostConfig) bool {
	for _, r := range h.DeviceRequests {
		for _, all := range r.Capabilities {
			if strings.Contains(strings.Join(all, ","), "gpu") {
				return true
			}
		}
		if r.Driver == "nvidia" {
			return true
		}
	}
	for _, d := range h.Devices {
		for _, prefix := range []string{"/dev/nvidia", "/dev/dri", "/dev/kfd"} {
			if strings.HasPrefix(d.PathOnHost, prefix) {
				return true
			}
		}
	}
	return h.Runtime == "nvidia"
}

// engineTime reads a time of the engine, whose "never" is the first of January of the year 1.
func engineTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}

func (e *engine) stats(ctx context.Context, id string) (sample, bool, error) {
	got, err := e.client.Load().ContainerStats(ctx, id, client.ContainerStatsOptions{})
	if err != nil {
		return sample{}, false, fmt.Errorf("ask for stats of %s: %w", short(id), err)
	}
	defer got.Body.Close()
	return readSample(got.Body)
}

// logs gives a container's newest lines, redacted. It always asks for a tail: without one the engine reads the
// whole file.
func (e *engine) logs(ctx context.Context, id string) ([]string, error) {
	body, err := e.client.Load().ContainerLogs(ctx, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(schema.MaxLogLines),
	})
	if err != nil {
		return nil, fmt.Errorf("ask for logs of %s: %w", short(id), err)
	}
	defer body.Close()
	return readLogs(body), nil
}

// countErrors counts a container's lines at error level after since. Without a tail the engine would read the whole
// file for them.
func (e *engine) countErrors(ctx context.Context, id string, since time.Time) (counted, error) {
	body, err := e.client.Load().ContainerLogs(ctx, id, client.ContainerLogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Since: stamp(since), Tail: strconv.Itoa(countLines),
	})
	if err != nil {
		return counted{}, fmt.Errorf("ask for new log lines of %s: %w", short(id), err)
	}
	defer body.Close()
	return countErrors(body, since), nil
}

// replay gives all the engine remembers of everything between two times, how many those were, and the first.
func (e *engine) replay(ctx context.Context, since, until time.Time) ([]events.Message, error) {
	stream := e.client.Load().Events(ctx, client.EventsListOptions{Since: stamp(since), Until: stamp(until)})
	var all []events.Message
	for {
		select {
		case m := <-stream.Messages:
			all = append(all, m)
		case err := <-stream.Err:
			if err == nil || errors.Is(err, io.EOF) {
				return all, nil
			}
			return all, fmt.Errorf("ask for past events: %w", err)
		}
	}
}

// follow asks for events of containers from since on, without an end.
func (e *engine) follow(ctx context.Context, since time.Time) client.EventsResult {
	filters := make(client.Filters).Add("type", string(events.ContainerEventType)).Add("event", followed()...)
	return e.client.Load().Events(ctx, client.EventsListOptions{Since: stamp(since), Filters: filters})
}

func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }
