//go:build !linux

package host

import (
	"fmt"
	"runtime"
)

// statfs is for Linux, whose list of mounts is what would be asked about.
func statfs(path string) (Space, error) {
	return Space{}, fmt.Errorf("ask the file system at %s: not on %s", path, runtime.GOOS)
}
