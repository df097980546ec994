package docker

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// memoryVersion changes when an older version could misread the memory.
const memoryVersion = 1

// memory is what the source must know again after a restart. The collector stores it and does not look inside.
type memory struct {
	Version    int                   `json:"v"`
	Engine     string                `json:"engine"`         // its id: a memory of another engine is worth nothing
	FirstSeen  time.Time             `json:"first_seen"`     // by the engine's clock
	Cursor     int64                 `json:"cursor"`         // nanoseconds: the newest event that is folded in
	Through    int64                 `json:"through"`        // nanoseconds: no event up to then can have been missed
	Keys       map[string]int64      `json:"keys,omitempty"` // events near the cursor, which may come again
	Containers map[string]*container `json:"containers"`
	Services   map[string]*service   `json:"services"`
}

// container is what is remembered of one container, by its id.
type container struct {
	Object       schema.Object `json:"object"`
	Name         string        `json:"name,omitempty"`
	RestartCount int           `json:"restarts,omitempty"` // restarts that are accounted for, as the engine counts
	StartedAt    time.Time     `json:"started,omitzero"`
	Died         *death        `json:"died,omitempty"` // its newest end that was watched
	HandAt       time.Time     `json:"hand,omitzero"`  // when somebody last stopped or killed it
	OOMAt        time.Time     `json:"oom,omitzero"`
	ErrorAt      time.Time     `json:"error,omitzero"`   // since when the engine says that it cannot start it
	GaveUpAt     time.Time     `json:"gave_up,omitzero"` // the end after which the engine tried no more
	Health       string        `json:"health,omitempty"`
	GoneAt       time.Time     `json:"gone,omitzero"`
	AutoRemove   bool          `json:"auto_remove,omitempty"`
	Serves       bool          `json:"serves,omitempty"`
	Policy       string        `json:"policy,omitempty"`
	LogsTo       time.Time     `json:"logs_to,omitzero"`    // its lines up to then are counted, or too old to be
	CountedTo    time.Time     `json:"counted_to,omitzero"` // restarts up to then were counted from RestartCount
}

// death is how a run of a container ended.
type death struct {
	At       time.Time `json:"at"`
	ExitCode int       `json:"exit"`
	Killed   bool      `json:"killed,omitempty"` // somebody told it to end
	OOM      bool      `json:"oom,omitempty"`
}

// service is what is remembered of one service, by its object's String.
type service struct {
	Object    schema.Object   `json:"object"`
	Image     string          `json:"image,omitempty"`
	ImageID   string          `json:"image_id,omitempty"`
	Previous  string          `json:"previous,omitempty"`
	Hash      string          `json:"hash,omitempty"` // of its Compose configuration
	IDs       []string        `json:"ids,omitempty"`
	DeployAt  time.Time       `json:"deploy,omitzero"`
	Marks     []mark          `json:"marks,omitempty"`
	Failure   *schema.Failure `json:"failure,omitempty"`
	Job       *schema.JobRun  `json:"job,omitempty"`
	RemovedAt time.Time       `json:"removed,omitzero"` // when its last container was taken away on purpose
	Reason    string          `json:"reason,omitempty"` // and how
	SeenAt    time.Time       `json:"seen"`
}

// recall reads a memory of the engine with the given id. There is none, and fresh is true, where state is empty or of
// another engine.
func recall(state json.RawMessage, engine string, now time.Time) (m *memory, fresh bool, err error) {
	m = &memory{}
	if len(state) > 0 && string(state) != "null" {
		if err := json.Unmarshal(state, m); err != nil {
			return nil, false, fmt.Errorf("read what the Docker source remembers: %w", err)
		}
	}
	if m.Version != memoryVersion || m.Engine != engine {
		m = &memory{Version: memoryVersion, Engine: engine, FirstSeen: now, Cursor: now.UnixNano()}
		fresh = true
	}
	m.makeMaps()
	return m, fresh, nil
}

func (m *memory) makeMaps() {
	if m.Keys == nil {
		m.Keys = map[string]int64{}
	}
	if m.Containers == nil {
		m.Containers = map[string]*container{}
	}
	if m.Services == nil {
		m.Services = map[string]*service{}
	}
}

// container gives what is remembered of an id, from now on something.
func (m *memory) container(id string, o schema.Object, name string) *container {
	c := m.Containers[id]
	if c == nil {
		c = &container{}
		m.Containers[id] = c
	}
	c.Object, c.Name = o, name
	return c
}

// service gives what is remembered of a service, from now on something.
func (m *memory) service(o schema.Object) *service {
	s := m.Services[o.String()]
	if s == nil {
		s = &service{Object: o}
		m.Services[o.String()] = s
	}
	return s
}

// fail remembers a service's newest failure.
func (s *service) fail(f *schema.Failure) {
	if f == nil || s.Failure != nil && s.Failure.At.After(f.At) {
		return
	}
	s.Failure = f
}

// afterlife is how long a service is remembered that is gone: a day if it has a name in a project and will be back,
// an hour if it is a container, which may have had a random name.
func (s *service) afterlife() time.Duration {
	if s.Object.Namespace == "" {
		return time.Hour
	}
	return markWindow
}

// prune forgets what has no more use.
func (m *memory) prune(now time.Time) {
	for key, at := range m.Keys {
		if m.Cursor-at > int64(2*overlap) {
			delete(m.Keys, key)
		}
	}
	for id, c := range m.Containers {
		if !c.GoneAt.IsZero() && now.Sub(c.GoneAt) > rebirth {
			delete(m.Containers, id)
		}
	}
	for key, s := range m.Services {
		if now.Sub(s.SeenAt) > s.afterlife() {
			delete(m.Services, key)
		}
	}
}

// remaining leaves out the containers that were removed after the list was taken: they would count as running.
func (m *memory) remaining(list []listed) []listed {
	return slices.DeleteFunc(list, func(l listed) bool {
		c := m.Containers[l.ID]
		return c != nil && !c.GoneAt.IsZero()
	})
}
