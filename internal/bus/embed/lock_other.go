//go:build !unix

package embed

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockDir makes dir. This system has no lock that ends with the process; the port keeps two servers apart.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w; set BELLBUOY_DATA_DIR to a directory that can be written", err)
	}
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
}
