package notifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/bellbuoy/bellbuoy/internal/bus"
)

// shared are the kept records of one kind that all notifiers change, by compare-and-set, and follow in memory: reading
// one costs nothing. What is in memory may be a moment old; whoever writes on top of that learns it.
type shared[T any] struct {
	kept   records
	prefix string // of the keys
	log    *slog.Logger

	mu    sync.Mutex
	all   map[string]version[T]
	lines map[string]*line[T] // by name
}

// line is where the workers of this process wait to change one record, so that they do not compete with each other.
type line[T any] struct {
	writing sync.Mutex
	waiting []*change[T] // guarded by the shared mutex
}

// change is what one worker does to a record. Whoever writes next takes it along.
type change[T any] struct {
	with func(T) (T, bool)
	done bool
	err  error
}

type version[T any] struct {
	value T
	rev   uint64
}

// maxTries bounds how often a change is tried again because somebody else was faster.
const maxTries = 20

func newShared[T any](kept records, prefix string, log *slog.Logger) *shared[T] {
	return &shared[T]{kept: kept, prefix: prefix, log: log, all: map[string]version[T]{}, lines: map[string]*line[T]{}}
}

// get is the record of that name as far as it is known here.
func (s *shared[T]) get(name string) T { return s.version(name).value }

func (s *shared[T]) version(name string) version[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name]
}

func (s *shared[T]) set(name string, v version[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[name] = v
}

// change does to the record what with says, which may be called several times. Where with has nothing to change nothing
// is read or written.
func (s *shared[T]) change(ctx context.Context, name string, with func(T) (T, bool)) error {
	if _, changed := with(s.get(name)); !changed {
		return nil
	}
	mine := &change[T]{with: with}
	l := s.join(name, mine)
	l.writing.Lock()
	defer l.writing.Unlock()
	if mine.done {
		return mine.err
	}
	all := s.take(l)
	err := s.write(ctx, name, all)
	for _, c := range all {
		c.done, c.err = true, err
	}
	return err
}

func (s *shared[T]) join(name string, c *change[T]) *line[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[name]
	if l == nil {
		l = &line[T]{}
		s.lines[name] = l
	}
	l.waiting = append(l.waiting, c)
	return l
}

func (s *shared[T]) take(l *line[T]) []*change[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := l.waiting
	l.waiting = nil
	return all
}

// write does all the changes in one.
func (s *shared[T]) write(ctx context.Context, name string, all []*change[T]) error {
	for range maxTries {
		was := s.version(name)
		next, changed := was.value, false
		for _, c := range all {
			if after, does := c.with(next); does {
				next, changed = after, true
			}
		}
		if !changed {
			return nil
		}
		data, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("write record %s.%s: %w", s.prefix, name, err)
		}
		rev, err := s.kept.Put(ctx, s.prefix+"."+name, data, was.rev)
		switch {
		case err == nil:
			s.set(name, version[T]{next, rev})
			return nil
		case !errors.Is(err, bus.ErrConflict):
			return fmt.Errorf("write record %s.%s: %w", s.prefix, name, err)
		}
		if err := s.reload(ctx, name); err != nil {
			return err
		}
	}
	return fmt.Errorf("write record %s.%s: others changed it %d times meanwhile", s.prefix, name, maxTries)
}

func (s *shared[T]) reload(ctx context.Context, name string) error {
	data, rev, err := s.kept.Get(ctx, s.prefix+"."+name)
	if err != nil {
		return fmt.Errorf("read record %s.%s: %w", s.prefix, name, err)
	}
	s.set(name, s.read(name, data, rev))
	return nil
}

// read is a record as it came. One that cannot be read is as good as none.
func (s *shared[T]) read(name string, data []byte, rev uint64) version[T] {
	v := version[T]{rev: rev}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &v.value); err != nil {
			s.log.Error("a record that the notifiers share is not readable; beginning it anew", "record", s.prefix+"."+name, "err", err)
			v.value = *new(T)
		}
	}
	return v
}

// heard puts what was followed into memory, unless it is older than what was written from here since.
func (s *shared[T]) heard(name string, v version[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.rev >= s.all[name].rev {
		s.all[name] = v
	}
}

// follower follows kept records.
type follower interface {
	Follow(ctx context.Context, prefix string, caughtUp func(), each func(key string, data []byte, rev uint64) error) error
}

// follow keeps the memory up to date until ctx is done.
func (s *shared[T]) follow(ctx context.Context, f follower, caughtUp func()) error {
	return f.Follow(ctx, s.prefix, caughtUp, func(key string, data []byte, rev uint64) error {
		name := strings.TrimPrefix(key, s.prefix+".")
		s.heard(name, s.read(name, data, rev))
		return nil
	})
}
