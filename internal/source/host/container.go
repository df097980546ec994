package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/source"
)

// contained tells by what mark this process is in a container; empty: it is not, as far as one can see. own is where its
// root is. A container that runs a system of its own, such as LXC's, is a machine to everybody who uses it. So is one
// that bears the machine's own name, and a virtual machine whose files were made from a container's image.
func contained(own string) string {
	if names, err := os.Readlink(filepath.Join(own, "/proc/self/ns/uts")); err == nil && names == machineNames {
		return ""
	}
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io"} {
		if _, err := os.Stat(filepath.Join(own, mark)); err == nil {
			return mark
		}
	}
	const groups = "/proc/1/cgroup"
	text, err := os.ReadFile(filepath.Join(own, groups))
	named := func(engine string) bool { return strings.Contains(string(text), engine) }
	if err == nil && slices.ContainsFunc([]string{"docker", "containerd", "kubepods", "libpod"}, named) {
		return groups
	}
	return ""
}

// machineNames is the namespace in which a host has the name that it was started with: PROC_UTS_INIT_INO of the kernel's
// include/linux/proc_ns.h, the same on every machine.
const machineNames = "uts:[4026531838]"

// unnamed is why the machine is not read by a process in a container that nobody told to: all that it sees is the
// container, whose name is made up and another one tomorrow.
func unnamed(mark string) error {
	return fmt.Errorf("read this machine: %w: this is a container, as %s shows; mount the machine's root and say where in HOST_ROOT, "+
		"or name host in BELLBUOY_SOURCE", source.ErrAbsent, mark)
}
