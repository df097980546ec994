//go:build !linux

package doctor

import (
	"errors"
	"os"
)

func spaceOf(string) (space, error) { return space{}, errors.ErrUnsupported }

// writable only knows the directory's own bits on this system.
func writable(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o222 == 0 {
		err = os.ErrPermission
	}
	return err
}
