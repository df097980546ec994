package docker

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Labels that say which service a container belongs to, and what its owner wants of Bellbuoy.
const (
	labelProject   = "com.docker.compose.project"
	labelService   = "com.docker.compose.service"
	labelOneoff    = "com.docker.compose.oneoff"
	labelHash      = "com.docker.compose.config-hash"
	labelDependsOn = "com.docker.compose.depends_on"
	labelOurs      = "bellbuoy."
	labelIgnore    = "bellbuoy.ignore"
	labelWanted    = "bellbuoy.wanted"
	labelLogs      = "bellbuoy.logs"
	labelTeam      = "bellbuoy.team"
	labelRunbook   = "bellbuoy.runbook"
)

// Actions of a container that say something. All others, exec_* above all, are dropped at the door.
const (
	actCreate  = "create"
	actStart   = "start"
	actDie     = "die"
	actOOM     = "oom"
	actKill    = "kill"
	actStop    = "stop"
	actRestart = "restart"
	actPause   = "pause"
	actUnpause = "unpause"
	actHealth  = "health_status"
	actDestroy = "destroy"
)

func followed() []string {
	return []string{
		actCreate, actStart, actDie, actOOM, actKill, actStop, actRestart, actPause, actUnpause, actHealth, actDestroy,
	}
}

// event is one engine event about one container, in our words.
type event struct {
	ID     string
	Action string
	At     time.Time
	Object schema.Object
	Name   string
	Image  string
	Exit   int
	Health string // of health_status
}

// key is the same whenever the engine tells of the same event again.
func (e event) key() string {
	return short(e.ID) + "/" + e.Action + "/" + strconv.FormatInt(e.At.UnixNano(), 36)
}

// urgent tells whether the event is worth a reading at once.
func (e event) urgent() bool {
	return e.Action == actDie || e.Action == actOOM || e.Action == actHealth
}

// parseEvent reads an engine event. It is false for what does not concern us: other actions, containers that are to be
// ignored, and one-off runs.
func parseEvent(m events.Message) (event, bool) {
	action, detail, _ := strings.Cut(string(m.Action), ":")
	labels := m.Actor.Attributes
	if m.Type != events.ContainerEventType || m.Actor.ID == "" || !slices.Contains(followed(), action) || dropped(labels) {
		return event{}, false
	}
	name := labels["name"]
	at := time.Unix(0, m.TimeNano).UTC()
	if m.TimeNano == 0 {
		at = time.Unix(m.Time, 0).UTC()
	}
	exit, _ := strconv.Atoi(labels["exitCode"])
	return event{
		ID: m.Actor.ID, Action: action, At: at, Object: objectOf(name, labels), Name: name,
		Image: bounded(labels["image"]), Exit: exit, Health: strings.TrimSpace(detail),
	}, true
}

// dropped tells whether a container is none of our business.
func dropped(labels map[string]string) bool {
	return truth(labels[labelOneoff]) || truth(labels[labelIgnore])
}

func truth(s string) bool {
	b, err := strconv.ParseBool(strings.ToLower(s))
	return err == nil && b
}

// objectOf names the service that a container belongs to: what Compose calls it, else the container's own name.
func objectOf(name string, labels map[string]string) schema.Object {
	if service := labels[labelService]; service != "" {
		return schema.Object{Kind: schema.KindService, Namespace: bounded(labels[labelProject]), Name: bounded(service)}
	}
	return schema.Object{Kind: schema.KindService, Name: bounded(cmp.Or(name, "unnamed"))}
}

// bounded makes a foreign word fit for a snapshot.
func bounded(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), schema.MaxName)], "")
}

func short(id string) string { return id[:min(len(id), 12)] }
