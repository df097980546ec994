package host_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/host"
)

func TestRealWritableFileSystemsAreShownOnce(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"debian-docker", []string{"/", "/boot/efi", "/var/lib/docker"}},
		{"fedora-btrfs", []string{"/", "/boot", "/boot/efi"}},
		{"ubuntu-zfs", []string{"/", "/boot", "/boot/efi", "/var/log"}},
		{"rhel-lvm", []string{"/", "/boot", "/home", "/srv/data", "/srv/data/below", "/srv/with space\\and\ttab"}},
		{"wsl", []string{"/"}},
		{"container", []string{"/var/lib/bellbuoy"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, more, err := host.Shown(recorded(t, "mounts-"+tt.name))
			if err != nil || more != 0 {
				t.Errorf("%d more, error %v", more, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("mount points (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFileSystemsBeyondTheBoundAreCounted(t *testing.T) {
	var text strings.Builder
	for i := range host.MaxDisks + 3 {
		fmt.Fprintf(&text, "%d 1 8:%d / /srv/%03d rw - ext4 /dev/sda%d rw\n", i, i, i, i)
	}
	got, more, err := host.Shown(text.String())
	if err != nil || len(got) != host.MaxDisks || more != 3 {
		t.Errorf("%d shown, %d more, error %v", len(got), more, err)
	}
}

func TestDiskIsReckonedAsDfDoes(t *testing.T) {
	tests := []struct {
		name  string
		space host.Space
		want  schema.DiskSummary
	}{
		{
			"kept-back-for-root-is-not-free",
			host.Space{Total: 1000, Free: 100, Available: 50, Inodes: 100, InodesFree: 25},
			schema.DiskSummary{Mount: "/", UsedPercent: new(94.7), InodesPercent: new(75.0), FreeBytes: new(int64(50))},
		},
		{
			"full-for-ordinary-users",
			host.Space{Total: 1000, Free: 50, Inodes: 3, InodesFree: 2},
			schema.DiskSummary{Mount: "/", UsedPercent: new(100.0), InodesPercent: new(33.3), FreeBytes: new(int64(0))},
		},
		{
			"no-inodes",
			host.Space{Total: 1000, Free: 500, Available: 500},
			schema.DiskSummary{Mount: "/", UsedPercent: new(50.0), FreeBytes: new(int64(500))},
		},
		{"of-no-size", host.Space{}, schema.DiskSummary{Mount: "/"}},
		{"more-free-than-there-is", host.Space{Total: 1, Free: 2}, schema.DiskSummary{Mount: "/"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, host.Summary("/", tt.space)); diff != "" {
				t.Errorf("disk (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzMountsAreAbsoluteAndFew(f *testing.F) {
	for _, name := range []string{"debian-docker", "rhel-lvm", "wsl"} {
		f.Add(recorded(f, "mounts-"+name))
	}
	f.Add(`1 2 8:1 / /a\04 rw - ext4 /dev/a rw`)
	f.Fuzz(func(t *testing.T, text string) {
		points, _, err := host.Shown(text)
		if err != nil {
			return
		}
		for _, p := range points {
			if !strings.HasPrefix(p, "/") {
				t.Errorf("mount point %q", p)
			}
		}
		if len(points) > host.MaxDisks {
			t.Errorf("%d mount points", len(points))
		}
	})
}

// recorded is a text of testdata.
func recorded(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
