package slack

import (
	"container/list"
	"sync"
)

// recent remembers a bounded number of things, those that were asked for last.
type recent[T any] struct {
	most int

	mu    sync.Mutex
	order list.List // of its entries, the newest first
	by    map[string]*list.Element
}

type entry[T any] struct {
	key   string
	value T
}

func newRecent[T any](most int) *recent[T] {
	return &recent[T]{most: most, by: map[string]*list.Element{}}
}

func (r *recent[T]) get(key string) (value T, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.by[key]
	if !ok {
		return value, false
	}
	r.order.MoveToFront(e)
	held, ok := e.Value.(entry[T])
	return held.value, ok
}

// put tells whether the key is new.
func (r *recent[T]) put(key string, value T) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.by[key]; ok {
		e.Value = entry[T]{key, value}
		r.order.MoveToFront(e)
		return false
	}
	r.by[key] = r.order.PushFront(entry[T]{key, value})
	for len(r.by) > r.most {
		last := r.order.Back()
		if held, ok := r.order.Remove(last).(entry[T]); ok {
			delete(r.by, held.key)
		}
	}
	return true
}
