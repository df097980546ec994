package host

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
)

const (
	maxMounts     = 16 << 10
	maxDisks      = 64
	maxMountBytes = 1 << 10 // of a mount point that is shown
)

// mount is one line of mountinfo.
type mount struct {
	Device   string // major:minor
	Point    string // where it is mounted, as the machine sees it
	Type     string
	Source   string
	ReadOnly bool
}

// parseMounts reads the text of a mountinfo file. A line that makes no sense is left out.
func parseMounts(text io.Reader) ([]mount, error) {
	var all []mount
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20) // overlay mounts list all their layers
	for lines.Scan() && len(all) < maxMounts {
		if m, ok := parseMount(lines.Text()); ok {
			all = append(all, m)
		}
	}
	return all, lines.Err()
}

// parseMount reads "36 35 98:0 /root /point rw,noatime shared:1 - ext3 /dev/root rw,errors=continue". The optional
// fields before the dash vary in number.
func parseMount(line string) (mount, bool) {
	before, after, found := strings.Cut(line, " - ")
	left, right := strings.Fields(before), strings.Fields(after)
	if !found || len(left) < 6 || len(right) < 2 {
		return mount{}, false
	}
	m := mount{Device: left[2], Point: unescape(left[4]), Type: right[0], Source: unescape(right[1])}
	m.ReadOnly = readOnly(left[5])
	if len(right) > 2 {
		m.ReadOnly = m.ReadOnly || readOnly(right[2])
	}
	return m, strings.HasPrefix(m.Point, "/")
}

func readOnly(options string) bool {
	return slices.Contains(strings.Split(options, ","), "ro")
}

// unescape undoes the kernel's octal escapes of space, tab, newline, # and backslash.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// onDisk are the kinds of file system that keep data on a disk of this machine. Remote ones are not among them, because
// asking one whose server is away hangs; nor are those of WSL, which show another system's disks.
func onDisk() []string {
	return []string{"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "nilfs2", "vfat", "exfat", "ntfs3"}
}

// inside are places below which container engines and package managers mount their own; they themselves may well be
// disks.
func inside() []string {
	return []string{"/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/var/lib/kubelet", "/var/lib/rancher", "/var/lib/lxd", "/var/lib/snapd", "/snap", "/run", "/proc", "/sys", "/dev"}
}

// pinned are files that container engines mount from the machine's disk into every container.
func pinned() []string { return []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"} }

// worthShowing picks the file systems to show: real, writable, each once under its shortest mount point, in order,
// and at most 64. It counts those beyond.
func worthShowing(all []mount) (shown []mount, more int) {
	newest := map[string]mount{}
	for _, m := range all {
		newest[m.Point] = m // a later mount covers an earlier one
	}
	of := map[string]mount{}
	for _, m := range newest {
		have, known := of[m.Device]
		if m.worthShowing() && (!known || shorter(m, have) < 0) {
			of[m.Device] = m
		}
	}
	for _, m := range of {
		shown = append(shown, m)
	}
	slices.SortFunc(shown, func(a, b mount) int { return cmp.Compare(a.Point, b.Point) })
	more = max(0, len(shown)-maxDisks)
	return shown[:len(shown)-more], more
}

func shorter(a, b mount) int {
	return cmp.Or(cmp.Compare(len(a.Point), len(b.Point)), cmp.Compare(a.Point, b.Point))
}

func (m mount) worthShowing() bool {
	below := func(place string) bool { return strings.HasPrefix(m.Point, place+"/") }
	return slices.Contains(onDisk(), m.Type) && !m.ReadOnly && len(m.Point) <= maxMountBytes &&
		!strings.HasPrefix(m.Source, "/dev/loop") && !slices.Contains(pinned(), m.Point) && !slices.ContainsFunc(inside(), below)
}
