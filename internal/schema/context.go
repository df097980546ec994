package schema

import (
	"bytes"
	"encoding/json"
	"time"
)

// Versions of the bodies. A reader accepts any minor addition to its own major version.
const (
	ContextVersion      = "bellbuoy.context/v1"
	ConversationVersion = "bellbuoy.conversation/v1"
	ReplyVersion        = "bellbuoy.reply/v1"
)

// ClusterContext is one snapshot of one cluster, as its collector saw it at TakenAt. It carries states, monotone
// totals and times, never "since the last snapshot", because any snapshot may be superseded unseen.
type ClusterContext struct {
	Schema          string           `json:"schema,omitempty"`
	ClusterName     string           `json:"cluster_name"`
	Collector       string           `json:"collector,omitempty"` // the collector's own id
	Host            string           `json:"host,omitempty"`      // name of the machine that the collector runs on
	TakenAt         time.Time        `json:"taken_at,omitzero"`
	StoredAt        time.Time        `json:"stored_at,omitzero"` // in a recording: when it was stored, by the server's clock
	IntervalSeconds float64          `json:"interval_seconds,omitempty"`
	Source          string           `json:"source,omitempty"` // kinds of source, comma separated
	Nodes           []NodeSummary    `json:"nodes"`
	Services        []ServiceSummary `json:"services"`
	RecentEvents    []ClusterEvent   `json:"recent_events"`
	ActiveAlerts    []AlertSummary   `json:"active_alerts"`
	CountersSince   time.Time        `json:"counters_since,omitzero"` // the totals started anew then
	Goodbye         bool             `json:"goodbye,omitempty"`       // the collector stops on purpose
	Recorded        bool             `json:"recorded,omitempty"`      // played from a recording, whose end nobody misses
	Stale           []StalePart      `json:"stale,omitempty"`         // parts kept from an earlier reading because their source failed
	Unread          []UnreadPart     `json:"unread,omitempty"`        // parts that no configured source can read here
	Baseline        int              `json:"baseline,omitempty"`      // services that had ended before the source was first seen
	Omitted         map[string]int   `json:"omitted,omitempty"`       // counts of what a bound cut off, by list
}

// SourceTest is the source of what `bellbuoy test` makes up, and of the goodbye that ends a replay.
const SourceTest = "test"

// Over tells whether this is the last snapshot of a made-up or replayed cluster, which nobody misses.
func (c *ClusterContext) Over() bool { return c.Goodbye && c.Source == SourceTest }

// Interval is the time between two snapshots of this cluster; 15 s where the snapshot does not say.
func (c *ClusterContext) Interval() time.Duration {
	if c.IntervalSeconds <= 0 {
		return DefaultInterval
	}
	return time.Duration(c.IntervalSeconds * float64(time.Second))
}

// DefaultInterval is the time between snapshots unless configured or declared otherwise.
const DefaultInterval = 15 * time.Second

// StalePart says that a source could not be read and that what it last gave still stands in the snapshot. Services and
// nodes that are of such a part are marked stale themselves: nothing about them is raised or cleared meanwhile. Objects
// of its Parts may be missing although they are still there; of other parts all there are is in the snapshot.
type StalePart struct {
	Source string    `json:"source"`
	Parts  []string  `json:"parts,omitempty"` // of the snapshot, that it reads when it can be read; none: any
	Since  time.Time `json:"since"`           // when it was last read whole; zero: not yet
	Error  string    `json:"error"`
}

// Parts of a snapshot that a source may or may not be able to read. A condition that is judged by a part which nothing
// reads is off.
const (
	PartServices  = "services"   // what runs of each service, its failures and restarts
	PartHealth    = "health"     // health checks of services
	PartJobs      = "jobs"       // runs of what is meant to end
	PartErrors    = "errors"     // error_count_1h or errors_total with the errors that services log
	PartNodes     = "nodes"      // whether each node is up, as seen from elsewhere than itself
	PartMachine   = "machine"    // processors, memory and boot time of nodes
	PartDisks     = "disks"      // file systems of nodes
	PartGPUs      = "gpus"       // temperature and memory of graphics processors
	PartGPUErrors = "gpu_errors" // errors that graphics processors count
)

// Parts lists them all, in the order of their declaration.
func Parts() []string {
	return []string{PartServices, PartHealth, PartJobs, PartErrors, PartNodes, PartMachine, PartDisks, PartGPUs, PartGPUErrors}
}

// UnreadPart says that no configured source reads a part of the snapshot, and why, in words for people.
type UnreadPart struct {
	Part   string `json:"part"`
	Reason string `json:"reason"`
}

// Node states.
const (
	NodeHealthy  = "healthy"
	NodeDraining = "draining"
	NodeDown     = "down"
)

// NodeSummary is one machine. Percentages are 0 to 100.
type NodeSummary struct {
	ID            string        `json:"id"`
	Address       string        `json:"address,omitempty"`
	Status        string        `json:"status,omitempty"` // healthy, draining, down
	CPUPercent    *float64      `json:"cpu_percent"`
	MemoryPercent *float64      `json:"memory_percent"`
	Disks         []DiskSummary `json:"disks,omitempty"`
	BootAt        time.Time     `json:"boot_at,omitzero"`
	LastSeen      time.Time     `json:"last_seen,omitzero"`
	GPUs          []GPUSummary  `json:"gpu_summary"`
	Stale         bool          `json:"stale,omitempty"` // kept from an earlier reading
}

// DiskSummary is one mounted file system.
type DiskSummary struct {
	Mount         string   `json:"mount"`
	UsedPercent   *float64 `json:"used_percent"`
	InodesPercent *float64 `json:"inodes_percent"`
	FreeBytes     *int64   `json:"free_bytes"`
}

// GPUSummary is one graphics processor: utilization in percent, memory in MiB, temperature in degrees Celsius.
type GPUSummary struct {
	Index       int      `json:"index"`
	Model       string   `json:"model,omitempty"`
	Utilization *float64 `json:"utilization"`
	VRAMUsedMB  *float64 `json:"vram_used_mb"`
	VRAMTotalMB *float64 `json:"vram_total_mb"`
	Temperature *float64 `json:"temperature"`
	ErrorsTotal *int64   `json:"errors_total"`
}

// Service states.
const (
	ServiceHealthy  = "healthy"
	ServiceDegraded = "degraded"
	ServiceStopped  = "stopped"
)

// Health check states of a service or an instance; empty where there is no check.
const (
	HealthStarting  = "starting"
	HealthHealthy   = "healthy"
	HealthUnhealthy = "unhealthy"
)

// ServiceSummary is one service: what runs of it, what should, and how it has been failing.
type ServiceSummary struct {
	Name            string    `json:"name"`
	Namespace       string    `json:"namespace,omitempty"`
	Runtime         string    `json:"runtime,omitempty"` // container, unit, wasm
	Image           string    `json:"image,omitempty"`
	PreviousImage   string    `json:"previous_image,omitempty"`
	ReplicasRunning *int      `json:"replicas_running"`
	ReplicasDesired *int      `json:"replicas_desired"`
	Status          string    `json:"status,omitempty"` // healthy, degraded, stopped
	UsesGPU         bool      `json:"uses_gpu"`
	RecentLogs      []string  `json:"recent_logs,omitempty"` // oldest first, redacted; only of services that are not healthy
	ErrorCount1h    *int64    `json:"error_count_1h"`
	RestartCount24h *int64    `json:"restart_count_24h"`
	ErrorsTotal     *int64    `json:"errors_total,omitempty"`   // monotone since CountersSince
	RestartsTotal   *int64    `json:"restarts_total,omitempty"` // monotone since CountersSince
	LastFailure     *Failure  `json:"last_failure,omitempty"`
	NotWanted       string    `json:"not_wanted,omitempty"` // why it is stopped on purpose; empty: it is wanted
	Job             *JobRun   `json:"job,omitempty"`
	Health          string    `json:"health,omitempty"` // the worst of its instances
	CPUPercent      *float64  `json:"cpu_percent,omitempty"`
	MemoryBytes     *int64    `json:"memory_bytes,omitempty"`
	MemoryLimit     *int64    `json:"memory_limit_bytes,omitempty"`
	LastDeployAt    time.Time `json:"last_deploy_at,omitzero"`

	Instances []Instance        `json:"instances,omitempty"`
	Nodes     []string          `json:"nodes,omitempty"` // ids of the nodes it runs on
	DependsOn []string          `json:"depends_on,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Stale     bool              `json:"stale,omitempty"` // kept from an earlier reading
}

// Object names the service as an object of its cluster.
func (s *ServiceSummary) Object() Object {
	return Object{Kind: KindService, Namespace: s.Namespace, Name: s.Name}
}

// Reasons in Failure.
const (
	FailureExit      = "exit"        // ended with an exit code that says failure, or again and again with 0
	FailureOOM       = "oom"         // killed for want of memory
	FailureUnhealthy = "unhealthy"   // its health check turned bad
	FailureStart     = "start"       // the engine could not start it; Text is the engine's error
	FailureGaveUp    = "retries"     // the engine gave up restarting it
	FailureUnknown   = "unavailable" // it failed while nobody watched
)

// Failure is the newest failure of a service.
type Failure struct {
	Reason   string    `json:"reason"`
	ExitCode *int      `json:"exit_code,omitempty"`
	OOM      bool      `json:"oom,omitempty"`
	At       time.Time `json:"at"`
	RanFor   *float64  `json:"ran_for_seconds,omitempty"` // how long the run lasted that ended so
	Tries    int       `json:"tries,omitempty"`           // starts before the engine gave up
	Text     string    `json:"text,omitempty"`            // the engine's own words, redacted
}

// JobRun is the newest run of something that is meant to end.
type JobRun struct {
	LastExitCode int       `json:"last_exit_code"`
	At           time.Time `json:"at"`
}

// Instance is one container, process or pod of a service, by the name that its own tools know it by.
type Instance struct {
	Name      string    `json:"name"`
	Node      string    `json:"node,omitempty"`
	State     string    `json:"state,omitempty"` // the runtime's own word: running, restarting, exited, paused, created, dead
	Health    string    `json:"health,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	Restarts  *int64    `json:"restarts,omitempty"`
}

// ClusterEvent is something that happened in the cluster: who did what to which object. On the wire it may also be
// a plain string, which becomes Text.
type ClusterEvent struct {
	At     time.Time `json:"at,omitzero"`
	Kind   string    `json:"kind,omitempty"`
	Object string    `json:"object,omitempty"` // namespace/name, or name
	Text   string    `json:"text,omitempty"`
}

// UnmarshalJSON accepts an object or a plain string.
func (e *ClusterEvent) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '"' {
		*e = ClusterEvent{}
		return json.Unmarshal(b, &e.Text)
	}
	type plain ClusterEvent
	return json.Unmarshal(b, (*plain)(e))
}

// AlertSummary is one alert that the source itself knows of.
type AlertSummary struct {
	ID          string `json:"id"`
	Service     string `json:"service,omitempty"`
	Severity    string `json:"severity,omitempty"`
	State       string `json:"state,omitempty"`
	LastMessage string `json:"last_message,omitempty"`
}
