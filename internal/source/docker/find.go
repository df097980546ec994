package docker

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/source"
)

// Endpoint is where an engine listens and how it was found.
type Endpoint struct {
	Host    string // like unix:///var/run/docker.sock or tcp://10.0.0.7:2376
	FoundBy string // what named it: DOCKER_HOST, "context colima", or the socket's own path
	TLS     *TLS   // nil: none
}

// TLS is how to speak to an engine over TLS. A file that is empty is not used.
type TLS struct {
	CA, Cert, Key string // paths of PEM files
	SkipVerify    bool   // the engine's certificate is not checked
}

// Env is what the search for an engine looks at.
type Env struct {
	Getenv func(name string) string
	Home   string // of the user; empty: unknown
	Root   string // stands before the paths of the usual sockets, for tests
}

// Here is the environment of this process.
func Here() Env {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // then there is nothing of the user's to look at
	}
	return Env{Getenv: os.Getenv, Home: home}
}

// Find looks for the engine as Docker's own command does, and then at the sockets where other installations listen:
// DOCKER_HOST, DOCKER_CONTEXT, the current context of the configuration, and the usual sockets in the order of
// Sockets. What is named is taken, whether it answers or not. Of the usual sockets the first that exists is taken, and
// one that may not be used or that nobody listens on is an error that says what to do, never passed over for the next.
// Where there is none the error is source.ErrAbsent.
func Find(ctx context.Context, env Env) (Endpoint, error) {
	if host := env.Getenv("DOCKER_HOST"); host != "" {
		if !strings.Contains(host, "://") {
			host = "tcp://" + host // as the docker command reads it
		}
		return named(Endpoint{Host: host, FoundBy: "DOCKER_HOST", TLS: env.tls()})
	}
	name, from, err := env.context()
	if err != nil {
		return Endpoint{}, err
	}
	if name != "" && name != "default" {
		return env.ofContext(name, from)
	}
	return env.firstSocket(ctx)
}

// named refuses an address that this package cannot speak to.
func named(e Endpoint) (Endpoint, error) {
	if strings.HasPrefix(e.Host, "unix://") {
		e.TLS = nil
	}
	if machine, ssh := strings.CutPrefix(e.Host, "ssh://"); ssh {
		return Endpoint{}, fmt.Errorf("use the Docker engine at %s, named by %s: Bellbuoy does not log in over ssh; run it on that machine, "+
			"or forward the socket (ssh -N -L /tmp/docker-remote.sock:/var/run/docker.sock %s) and set DOCKER_HOST=unix:///tmp/docker-remote.sock",
			e.Host, e.FoundBy, machine)
	}
	return e, nil
}

// tls is what DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for; nil: nothing.
func (env Env) tls() *TLS {
	dir, verify := env.Getenv("DOCKER_CERT_PATH"), env.Getenv("DOCKER_TLS_VERIFY") != ""
	if dir == "" && !verify {
		return nil
	}
	dir = cmp.Or(dir, env.configDir())
	return &TLS{
		CA: filepath.Join(dir, "ca.pem"), Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"), SkipVerify: !verify,
	}
}

// configDir is where the docker command keeps its configuration; empty: unknown.
func (env Env) configDir() string {
	if dir := env.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir
	}
	return env.ofHome(".docker")
}

func (env Env) ofHome(path string) string {
	if env.Home == "" {
		return ""
	}
	return filepath.Join(env.Home, path)
}

// context gives the name of the context in use, and what says so; empty: none.
func (env Env) context() (name, from string, err error) {
	if name := env.Getenv("DOCKER_CONTEXT"); name != "" {
		return name, "DOCKER_CONTEXT", nil
	}
	dir := env.configDir()
	if dir == "" {
		return "", "", nil
	}
	path := filepath.Join(dir, "config.json")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	if err != nil {
		return "", "", fmt.Errorf("look up Docker's current context: %w; make the file readable, or set DOCKER_HOST", err)
	}
	var config struct{ CurrentContext string }
	if err := json.Unmarshal(b, &config); err != nil {
		return "", "", fmt.Errorf("look up Docker's current context in %s: %w; mend the file, or set DOCKER_HOST", path, err)
	}
	return config.CurrentContext, path, nil
}

// ofContext reads where a context's engine is. from is what named the context.
func (env Env) ofContext(name, from string) (Endpoint, error) {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	const fix = "; see docker context ls, and choose one with docker context use or DOCKER_CONTEXT, or set DOCKER_HOST"
	path := filepath.Join(env.configDir(), "contexts", "meta", id, "meta.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return Endpoint{}, fmt.Errorf("read Docker's context %q, named by %s: %w"+fix, name, from, err)
	}
	var meta struct {
		Endpoints map[string]struct {
			Host          string
			SkipTLSVerify bool
		}
	}
	if err := json.Unmarshal(b, &meta); err != nil {
		return Endpoint{}, fmt.Errorf("read Docker's context %q in %s: %w"+fix, name, path, err)
	}
	e := meta.Endpoints["docker"]
	if e.Host == "" {
		return Endpoint{}, fmt.Errorf("read Docker's context %q in %s: it names no Docker engine"+fix, name, path)
	}
	files := filepath.Join(env.configDir(), "contexts", "tls", id, "docker")
	return named(Endpoint{Host: e.Host, FoundBy: "context " + name, TLS: contextTLS(files, e.SkipTLSVerify)})
}

// contextTLS is what a context's files in dir ask for; nil: nothing.
func contextTLS(dir string, skipVerify bool) *TLS {
	t := TLS{SkipVerify: skipVerify}
	for name, field := range map[string]*string{"ca.pem": &t.CA, "cert.pem": &t.Cert, "key.pem": &t.Key} {
		if path := filepath.Join(dir, name); exists(path) {
			*field = path
		}
	}
	if t == (TLS{}) {
		return nil
	}
	return &t
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Sockets lists the sockets where engines usually listen, in the order in which Find looks: Docker's, that of a
// rootless Docker, Docker Desktop's, and Podman's.
func (env Env) Sockets() []string {
	runtime := env.Getenv("XDG_RUNTIME_DIR")
	all := []string{filepath.Join(env.Root, defaultSocket)}
	if runtime != "" {
		all = append(all, filepath.Join(runtime, "docker.sock"))
	}
	for _, path := range []string{".docker/run/docker.sock", ".docker/desktop/docker.sock"} {
		if path := env.ofHome(path); path != "" {
			all = append(all, path)
		}
	}
	all = append(all, filepath.Join(env.Root, "/run/podman/podman.sock"))
	if runtime != "" {
		all = append(all, filepath.Join(runtime, "podman/podman.sock"))
	}
	return all
}

// firstSocket gives the first usual socket that exists. One in a directory that may not be looked into cannot be seen
// to exist, and does not count.
func (env Env) firstSocket(ctx context.Context) (Endpoint, error) {
	sockets := env.Sockets()
	for _, path := range sockets {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		e := Endpoint{Host: "unix://" + path, FoundBy: path}
		if info.IsDir() {
			return Endpoint{}, fmt.Errorf("use the Docker engine at %s: that is a directory; Docker makes one where a socket is mounted that "+
				"is not there. Remove it, start the engine, and then mount the socket", path)
		}
		return e, listening(ctx, e)
	}
	return Endpoint{}, fmt.Errorf("find a Docker engine: %w: no socket at %s; start Docker or Podman's socket, mount the socket "+
		"into this container, or set DOCKER_HOST", source.ErrAbsent, strings.Join(sockets, ", "))
}

// listening tells whether the socket of e may be used and somebody listens there. The client library's own errors do not
// say which of them fails. An engine that is not at a socket is not looked at.
func listening(ctx context.Context, e Endpoint) error {
	path, local := strings.CutPrefix(e.Host, "unix://")
	if !local {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, time.Second) // a queue that is full makes one wait
	defer stop()
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return explain(e, err)
	}
	_ = c.Close() // nothing was said
	return nil
}
