package host

import (
	"fmt"
	"syscall"
)

// statfs asks the kernel about the file system that is mounted at path. It may hang.
func statfs(path string) (Space, error) {
	var file syscall.Stat_t
	if err := syscall.Stat(path, &file); err != nil {
		return Space{}, fmt.Errorf("look at %s: %w", path, err)
	}
	if file.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		return Space{}, fmt.Errorf("look at %s: %w", path, errNoDirectory)
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return Space{}, fmt.Errorf("ask the file system at %s: %w", path, err)
	}
	unit := uint64(s.Frsize)
	if unit == 0 {
		unit = uint64(s.Bsize)
	}
	return Space{Total: s.Blocks * unit, Free: s.Bfree * unit, Available: s.Bavail * unit, Inodes: s.Files, InodesFree: s.Ffree}, nil
}
