package host_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

func TestContainerWithoutTheMachinesRootSaysSo(t *testing.T) {
	m := newMachine(t, false)
	t.Setenv("HOST_PROC", "/proc")
	if got := m.read(m.open()).Reads[schema.PartDisks]; !strings.Contains(got, "HOST_ROOT") {
		t.Errorf("reads %q", got)
	}
	t.Setenv("HOST_ROOT", t.TempDir())
	if _, err := host.Open(t.Context(), host.Config{}, nil); err == nil || !strings.Contains(err.Error(), "HOST_ROOT") {
		t.Errorf("error %v", err)
	}
}

func TestContainerIsNoMachineUnlessItIsNamedOrKnowsTheMachinesRoot(t *testing.T) {
	named := t.TempDir()
	if err := os.Mkdir(filepath.Join(named, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(named, "etc", "hostname"), "n1\n")
	tests := []struct {
		name, mark, text string
		names            string // the namespace of the host's name; empty: unknown
		root             string
		asked            bool
		absent           bool
	}{
		{name: "docker", mark: ".dockerenv", absent: true},
		{name: "podman", mark: "run/.containerenv", absent: true},
		{name: "kubernetes", mark: "var/run/secrets/kubernetes.io/namespace", absent: true},
		{name: "control-groups", mark: "proc/1/cgroup", text: "12:cpu:/docker/0123\n0::/\n", absent: true},
		{name: "machine", mark: "proc/1/cgroup", text: "0::/init.scope\n"},
		{name: "system-container", mark: "proc/1/cgroup", text: "12:cpu:/lxc/web\n"},
		{name: "machine-made-from-an-image", mark: ".dockerenv", names: "uts:[4026531838]"},
		{name: "container-with-a-name-of-its-own", mark: ".dockerenv", names: "uts:[4026532178]", absent: true},
		{name: "named", mark: ".dockerenv", asked: true},
		{name: "root-is-mounted", mark: ".dockerenv", root: named},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			own := t.TempDir()
			if err := os.MkdirAll(filepath.Dir(filepath.Join(own, tt.mark)), 0o700); err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(own, tt.mark), tt.text)
			if tt.names != "" {
				if err := os.MkdirAll(filepath.Join(own, "proc/self/ns"), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(tt.names, filepath.Join(own, "proc/self/ns/uts")); err != nil {
					t.Fatal(err)
				}
			}
			m := newMachine(t, false)
			m.config.Own, m.config.Rootfs, m.config.Unasked = own, tt.root, !tt.asked
			s, err := host.Open(t.Context(), m.config, nil)
			if s != nil {
				defer s.Close()
			}
			if errors.Is(err, source.ErrAbsent) != tt.absent || (err != nil) != tt.absent {
				t.Fatalf("error %v", err)
			}
			if tt.absent && !strings.Contains(err.Error(), "HOST_ROOT") {
				t.Errorf("the error %q does not say what to do", err)
			}
		})
	}
}
