package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/moby/client"
)

// About is an engine as Inspect found it.
type About struct {
	Where   string // such as unix:///var/run/docker.sock
	FoundBy string // what named it, as in Endpoint
	Name    string // its host's
	API     string // the newest version that it speaks
	Ours    int    // containers that are not left out
}

// ErrTooOld says that the engine's API is older than what is read of it.
var ErrTooOld = errors.New("its API is too old")

const minMinor = 41 // of API 1

// Inspect reads the engine once, as Open and a reading would, and changes nothing. Its error says what to do, and is
// source.ErrAbsent where there is no engine.
func Inspect(ctx context.Context, c Config) (About, error) {
	at, err := c.endpoint(ctx)
	a := About{Where: at.Host, FoundBy: at.FoundBy}
	if err != nil {
		return a, err
	}
	e := &engine{at: at}
	if err := e.redial(); err != nil {
		return a, err
	}
	defer func() { _ = e.close() }() // its idle connections only
	ping, err := e.client.Load().Ping(ctx, client.PingOptions{})
	if err != nil {
		return a, cmp.Or(listening(ctx, at), e.explain(err))
	}
	if a.API = ping.APIVersion; tooOld(a.API) {
		return a, fmt.Errorf("use the Docker engine at %s: %w: it speaks %s, 1.%d is needed; update Docker to 20.10 or newer", a.Where, ErrTooOld, a.API, minMinor)
	}
	about, err := e.about(ctx)
	if err != nil {
		return a, err
	}
	a.Name = about.Name
	all, err := e.list(ctx)
	a.Ours = len(all)
	return a, err
}

// tooOld takes a version that says nothing for new enough.
func tooOld(version string) bool {
	major, minor, _ := strings.Cut(version, ".")
	m, err := strconv.Atoi(major)
	n, err2 := strconv.Atoi(minor)
	return err == nil && err2 == nil && (m < 1 || m == 1 && n < minMinor)
}
