package docker_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// place is a home and a file system root of a test's own.
func place(t *testing.T) (docker.Env, map[string]string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // for tests that run as somebody else
		t.Fatal(err)
	}
	vars := map[string]string{}
	return docker.Env{Getenv: func(name string) string { return vars[name] }, Home: dir + "/home", Root: dir}, vars
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// listen has somebody listen at a socket, until the test ends.
func listen(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// addContext writes a context as the docker command does, and gives the directory of its TLS files.
func addContext(t *testing.T, config, name, endpoints string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	write(t, filepath.Join(config, "contexts/meta", id, "meta.json"), `{"Name":"`+name+`","Metadata":{},"Endpoints":`+endpoints+`}`)
	return filepath.Join(config, "contexts/tls", id, "docker")
}

func TestEngineIsFoundAsDockersCommandFindsIt(t *testing.T) {
	env, _ := place(t)
	listen(t, env.Root+"/var/run/docker.sock")
	home := env.Home + "/.docker"
	tls := addContext(t, home, "remote", `{"docker":{"Host":"tcp://10.0.0.7:2376","SkipTLSVerify":false}}`)
	for _, name := range []string{"ca.pem", "cert.pem", "key.pem"} {
		write(t, filepath.Join(tls, name), "")
	}
	addContext(t, home, "careless", `{"docker":{"Host":"tcp://10.0.0.8:2376","SkipTLSVerify":true}}`)
	addContext(t, home, "colima", `{"docker":{"Host":"unix:///home/x/.colima/docker.sock"}}`)
	addContext(t, home, "far", `{"docker":{"Host":"ssh://admin@far"}}`)
	addContext(t, home, "kube", `{"kubernetes":{"Host":"https://k"}}`)
	addContext(t, env.Root+"/elsewhere", "other", `{"docker":{"Host":"unix:///other.sock"}}`)
	usual := docker.Endpoint{Host: "unix://" + env.Root + "/var/run/docker.sock", FoundBy: env.Root + "/var/run/docker.sock"}
	tests := []struct {
		name   string
		vars   map[string]string
		config string // of config.json; empty: there is none
		want   docker.Endpoint
		err    []string
	}{
		{name: "usual-socket", want: usual},
		{"docker-host", map[string]string{"DOCKER_HOST": "tcp://10.0.0.9:2375", "DOCKER_CONTEXT": "colima"}, "", docker.Endpoint{Host: "tcp://10.0.0.9:2375", FoundBy: "DOCKER_HOST"}, nil},
		{"docker-host-without-scheme", map[string]string{"DOCKER_HOST": "10.0.0.9:2375"}, "", docker.Endpoint{Host: "tcp://10.0.0.9:2375", FoundBy: "DOCKER_HOST"}, nil},
		{
			"docker-host-with-tls",
			map[string]string{"DOCKER_HOST": "tcp://a:2376", "DOCKER_CERT_PATH": "/certs", "DOCKER_TLS_VERIFY": "1"},
			"",
			docker.Endpoint{Host: "tcp://a:2376", FoundBy: "DOCKER_HOST", TLS: &docker.TLS{CA: "/certs/ca.pem", Cert: "/certs/cert.pem", Key: "/certs/key.pem"}},
			nil,
		},
		{
			"certificates-where-the-command-keeps-them",
			map[string]string{"DOCKER_HOST": "tcp://a:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CONFIG": "/conf"},
			"",
			docker.Endpoint{Host: "tcp://a:2376", FoundBy: "DOCKER_HOST", TLS: &docker.TLS{CA: "/conf/ca.pem", Cert: "/conf/cert.pem", Key: "/conf/key.pem"}},
			nil,
		},
		{
			"certificates-unverified",
			map[string]string{"DOCKER_HOST": "tcp://a:2376", "DOCKER_CERT_PATH": "/certs"},
			"",
			docker.Endpoint{Host: "tcp://a:2376", FoundBy: "DOCKER_HOST", TLS: &docker.TLS{CA: "/certs/ca.pem", Cert: "/certs/cert.pem", Key: "/certs/key.pem", SkipVerify: true}},
			nil,
		},
		{"docker-host-over-ssh", map[string]string{"DOCKER_HOST": "ssh://admin@far"}, "", docker.Endpoint{}, []string{"ssh://admin@far", "DOCKER_HOST=unix://"}},
		{"docker-context", map[string]string{"DOCKER_CONTEXT": "colima"}, `{"currentContext":"remote"}`, docker.Endpoint{Host: "unix:///home/x/.colima/docker.sock", FoundBy: "context colima"}, nil},
		{
			"current-context",
			nil,
			`{"auths":{},"currentContext":"remote"}`,
			docker.Endpoint{Host: "tcp://10.0.0.7:2376", FoundBy: "context remote", TLS: &docker.TLS{CA: tls + "/ca.pem", Cert: tls + "/cert.pem", Key: tls + "/key.pem"}},
			nil,
		},
		{"context-unverified", nil, `{"currentContext":"careless"}`, docker.Endpoint{Host: "tcp://10.0.0.8:2376", FoundBy: "context careless", TLS: &docker.TLS{SkipVerify: true}}, nil},
		{"context-over-ssh", nil, `{"currentContext":"far"}`, docker.Endpoint{}, []string{"context far", "does not log in over ssh"}},
		{"context-default", nil, `{"currentContext":"default"}`, usual, nil},
		{"no-current-context", nil, `{"auths":{}}`, usual, nil},
		{"context-that-is-gone", nil, `{"currentContext":"gone"}`, docker.Endpoint{}, []string{`context "gone"`, "config.json", "docker context ls"}},
		{"context-without-docker", nil, `{"currentContext":"kube"}`, docker.Endpoint{}, []string{`context "kube"`, "names no Docker engine"}},
		{"config-elsewhere", map[string]string{"DOCKER_CONFIG": env.Root + "/elsewhere", "DOCKER_CONTEXT": "other"}, "", docker.Endpoint{Host: "unix:///other.sock", FoundBy: "context other"}, nil},
		{"broken-config", nil, `{`, docker.Endpoint{}, []string{"config.json", "mend the file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := env
			env.Getenv = func(name string) string { return tt.vars[name] }
			_ = os.Remove(home + "/config.json")
			if tt.config != "" {
				write(t, home+"/config.json", tt.config)
			}
			got, err := docker.Find(t.Context(), env)
			if diff := cmp.Diff(tt.want, got); diff != "" && tt.err == nil {
				t.Errorf("endpoint (-want +got):\n%s", diff)
			}
			says(t, err, tt.err)
		})
	}
}

// says wants an error that holds all the words, or none if there are none.
func says(t *testing.T, err error, words []string) {
	t.Helper()
	if (err != nil) != (len(words) > 0) {
		t.Fatalf("error: %v", err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q lacks %q", err, word)
		}
	}
}

func TestUsualSocketsAreTriedInOrder(t *testing.T) {
	env, vars := place(t)
	vars["XDG_RUNTIME_DIR"] = env.Root + "/run/user/7"
	_, err := docker.Find(t.Context(), env)
	if !errors.Is(err, source.ErrAbsent) || !strings.Contains(err.Error(), "podman.sock") {
		t.Errorf("with no socket: %v", err)
	}
	order := []string{
		env.Root + "/var/run/docker.sock", env.Root + "/run/user/7/docker.sock", env.Home + "/.docker/run/docker.sock",
		env.Home + "/.docker/desktop/docker.sock", env.Root + "/run/podman/podman.sock", env.Root + "/run/user/7/podman/podman.sock",
	}
	for _, path := range slices.Backward(order) { // each is before those that are there already
		listen(t, path)
		got, err := docker.Find(t.Context(), env)
		want := docker.Endpoint{Host: "unix://" + path, FoundBy: path}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v, endpoint (-want +got):\n%s", err, diff)
		}
	}
}

func TestSocketThatCannotBeUsedIsNeverPassedOver(t *testing.T) {
	env, _ := place(t)
	listen(t, env.Root+"/run/podman/podman.sock")
	first := env.Root + "/var/run/docker.sock"
	l := listen(t, first)
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	_, err := docker.Find(t.Context(), env)
	says(t, err, []string{first, "nothing listens there"})
	if errors.Is(err, source.ErrAbsent) {
		t.Error("an engine that has ended is taken for none")
	}
	_ = os.Remove(first)
	if err := os.Mkdir(first, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err = docker.Find(t.Context(), env)
	says(t, err, []string{first, "is a directory"})
}

// asOther is the variable that makes this test's own process look for an engine below its value, for another user.
const asOther = "BELLBUOY_TEST_FIND_BELOW"

func TestSocketOfOthersSaysHowToBeAllowed(t *testing.T) {
	if root := os.Getenv(asOther); root != "" {
		_, err := docker.Find(t.Context(), docker.Env{Getenv: func(string) string { return "" }, Root: root})
		says(t, err, []string{root + "/var/run/docker.sock", "permission denied", "usermod -aG docker", "as root", "DOCKER_HOST"})
		if errors.Is(err, source.ErrAbsent) {
			t.Error("an engine that may not be used is taken for none")
		}
		return
	}
	env, _ := place(t)
	listen(t, env.Root+"/var/run/docker.sock")
	listen(t, env.Root+"/run/podman/podman.sock") // which may be used
	for path, mode := range map[string]os.FileMode{env.Root: 0o755, env.Root + "/var/run/docker.sock": 0, env.Root + "/run/podman/podman.sock": 0o777} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	program := copyOfThisTest(t, env.Root)
	cmd := exec.CommandContext(t.Context(), program, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = env.Root, append(os.Environ(), asOther+"="+env.Root)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("for another user: %v\n%s", err, out)
	}
}

// copyOfThisTest puts the test's program where other users may run it.
func copyOfThisTest(t *testing.T, dir string) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, "program"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return to.Name()
}

func TestSourceFollowsTheContext(t *testing.T) {
	env, _ := place(t)
	socket := env.Root + "/engine.sock"
	newSickEngineAt(t, listen(t, socket))
	addContext(t, env.Root, "mine", `{"docker":{"Host":"unix://`+socket+`"}}`)
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONFIG", env.Root)
	t.Setenv("DOCKER_CONTEXT", "mine")
	s, err := docker.Open(t.Context(), docker.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n := read(t, s).Snapshot.Nodes[0]; n.ID != "sick" || n.MemoryPercent == nil {
		t.Errorf("node %+v", n)
	}
	deserted := listen(t, env.Root+"/deserted.sock")
	deserted.SetUnlinkOnClose(false)
	_ = deserted.Close()
	t.Setenv("DOCKER_CONTEXT", "")
	t.Setenv("DOCKER_HOST", "unix://"+env.Root+"/deserted.sock")
	_, err = docker.Open(t.Context(), docker.Config{}, nil)
	says(t, err, []string{"deserted.sock", "found by DOCKER_HOST", "nothing listens there"})
	t.Setenv("DOCKER_HOST", "unix://"+env.Root+"/no.sock")
	_, err = docker.Open(t.Context(), docker.Config{}, nil)
	says(t, err, []string{"no.sock", "found by DOCKER_HOST", "no such socket"})
	if errors.Is(err, source.ErrAbsent) {
		t.Error("an engine that was named is taken for none")
	}
}
