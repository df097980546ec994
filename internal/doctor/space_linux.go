package doctor

import "syscall"

// Types of file systems in memory, as statfs(2) has them.
const (
	tmpfs = 0x01021994
	ramfs = 0x858458f6
)

func spaceOf(dir string) (space, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return space{}, err
	}
	kind := uint32(s.Type)
	return space{free: int64(s.Bavail) * int64(s.Bsize), volatile: kind == tmpfs || kind == ramfs}, nil //nolint:unconvert // Bsize is narrower on 32 bits
}

const mayWrite = 2 | 1 // W_OK and X_OK of access(2)

// writable is nil if this user may make files in dir. It asks the system and makes none.
func writable(dir string) error { return syscall.Access(dir, mayWrite) }
