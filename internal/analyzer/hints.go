package analyzer

import (
	"sync"
	"time"
)

// hints are times before which something need not be looked at again. They only save reads. The zero value has none.
type hints struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (h *hints) due(id string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !now.Before(h.at[id])
}

func (h *hints) later(id string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == nil {
		h.at = map[string]time.Time{}
	}
	h.at[id] = at
}

// forget drops those whose time has come, which are as good as none.
func (h *hints) forget(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, at := range h.at {
		if !now.Before(at) {
			delete(h.at, id)
		}
	}
}
