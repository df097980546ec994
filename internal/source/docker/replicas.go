package docker

import (
	"slices"
	"time"
)

const (
	markWindow = 24 * time.Hour   // for how long a service is expected to have as many containers as it once had
	rebirth    = 60 * time.Second // within which a removed container is being replaced rather than gone
)

// mark says that a service had so many containers, last at that time.
type mark struct {
	Count int       `json:"n"`
	At    time.Time `json:"at"`
}

// observe notes how many containers there are now, and forgets marks that are lower, or too old.
func observe(marks []mark, count int, now time.Time) []mark {
	marks = slices.DeleteFunc(marks, func(m mark) bool {
		return m.Count <= count || now.Sub(m.At) > markWindow
	})
	return append(marks, mark{count, now})
}

// lower takes one off each mark: a container was removed on purpose.
func lower(marks []mark) []mark {
	var lowered []mark
	for _, m := range marks {
		if m.Count--; m.Count > 0 {
			lowered = append(lowered, m)
		}
	}
	return lowered
}

// highest is the most containers that the marks tell of, now included.
func highest(marks []mark) int {
	n := 0
	for _, m := range marks {
		n = max(n, m.Count)
	}
	return n
}
