package host

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// hostname is the machine's name, which is also what its Docker engine calls itself. In a container it is in the
// machine's own root.
func hostname(root string) (string, error) {
	if root == "" {
		name, err := os.Hostname()
		if err != nil {
			return "", fmt.Errorf("ask for the name of this machine: %w", err)
		}
		return name, nil
	}
	text, err := os.ReadFile(filepath.Join(root, "etc", "hostname"))
	if err != nil {
		return "", fmt.Errorf("read the name of the machine whose root HOST_ROOT names: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			return line, nil
		}
	}
	return "", fmt.Errorf("read the name of the machine whose root HOST_ROOT names: %s/etc/hostname is empty", root)
}

// address is the first address by which others may reach this machine, of version 4 if there is one; empty: none is
// known. Bridges and other interfaces that only containers and virtual machines use are passed over.
func address() string {
	interfaces, err := net.Interfaces()
	if err != nil {
		return ""
	}
	best := ""
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || inner(i.Name) {
			continue
		}
		for _, a := range addresses(i) {
			if a.Is4() {
				return a.String()
			}
			if best == "" {
				best = a.String()
			}
		}
	}
	return best
}

func addresses(i net.Interface) []netip.Addr {
	all, err := i.Addrs()
	if err != nil {
		return nil
	}
	var reachable []netip.Addr
	for _, a := range all {
		prefix, err := netip.ParsePrefix(a.String())
		if addr := prefix.Addr().Unmap(); err == nil && addr.IsGlobalUnicast() {
			reachable = append(reachable, addr)
		}
	}
	return reachable
}

func inner(name string) bool {
	for prefix := range strings.FieldsSeq("docker br- veth virbr lxc lxd cni flannel cali podman") {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// tenth rounds to one decimal.
func tenth(f *float64) *float64 {
	if f == nil {
		return nil
	}
	return new(math.Round(*f*10) / 10)
}
