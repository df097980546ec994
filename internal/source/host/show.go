package host

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Words of systemd.
const (
	loaded       = "loaded"
	active       = "active"
	reloading    = "reloading"
	activating   = "activating"
	deactivating = "deactivating"
	inactive     = "inactive"
	failed       = "failed"
	autoRestart  = "auto-restart" // newer ones also have auto-restart-queued
	oneshot      = "oneshot"
	transient    = "transient"
	success      = "success"
	oomKill      = "oom-kill"
	tooOften     = "start-limit-hit"
	timedOut     = "timeout"
)

const (
	suffix   = ".service"
	maxUnits = 2000
)

// row is one line of the list of units.
type row struct {
	ID, Load, Active, Sub string
}

// parseList reads what `systemctl list-units --plain --no-legend` prints: unit, load, active, sub, and words.
func parseList(text io.Reader) ([]row, error) {
	var rows []row
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(strings.TrimLeft(lines.Text(), " ●*○×↻"))
		if len(fields) >= 4 && validUnit(fields[0]) && len(rows) < maxUnits {
			rows = append(rows, row{fields[0], fields[1], fields[2], fields[3]})
		}
	}
	return rows, lines.Err()
}

// validUnit tells whether s can be the name of a service, which is made of letters, digits, and :-_.\@ alone.
func validUnit(s string) bool {
	name, service := strings.CutSuffix(s, suffix)
	return service && name != "" && name[0] != '-' && len(name) <= schema.MaxName && strings.Trim(name, unitBytes) == ""
}

const unitBytes = `abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\@`

// unit is what systemd shows of one service.
type unit struct {
	ID, Load, Active, Sub string
	Type                  string // simple, notify, oneshot, …
	Restart               string // when systemd starts it again by itself: no, always, on-failure, …
	File                  string // enabled, static, transient, …
	TriggeredBy, Requires []string
	ConditionFailed       bool
	Restarts              int64  // that systemd made since it was last started by hand
	Result                string // of its newest run
	Ended                 int    // how its main process did: 0 has not, 1 exited, 2 killed, 3 dumped core
	Status                int    // its exit code, or the signal
	Run                   string // an id of the newest start
	StartedAt, ExitedAt   time.Time
	RanFor                *float64 // seconds from start to exit of the main process
	ActiveAt              time.Time
	InactiveAt            time.Time
	Memory, MemoryLimit   *int64 // bytes
}

// properties are what show is asked for.
func properties() string {
	return strings.Join([]string{
		"Id", "LoadState", "ActiveState", "SubState", "Type", "Restart", "UnitFileState", "TriggeredBy", "Requires",
		"ConditionResult", "ConditionTimestamp", "NRestarts", "Result", "ExecMainCode", "ExecMainStatus", "InvocationID",
		"ExecMainStartTimestamp", "ExecMainExitTimestamp", "ExecMainStartTimestampMonotonic", "ExecMainExitTimestampMonotonic",
		"ActiveEnterTimestamp", "InactiveEnterTimestamp", "MemoryCurrent", "MemoryMax",
	}, ",")
}

// parseShow reads what `systemctl show` prints: lines of Name=value, an empty line between units. Times are in UTC. A
// block without a valid id is left out.
func parseShow(text []byte) []unit {
	var units []unit
	for block := range bytes.SplitSeq(text, []byte("\n\n")) {
		values := map[string]string{}
		for line := range strings.Lines(string(block)) {
			if name, value, found := strings.Cut(strings.TrimRight(line, "\n"), "="); found {
				values[name] = value
			}
		}
		if validUnit(values["Id"]) && len(units) < maxUnits {
			units = append(units, makeUnit(values))
		}
	}
	return units
}

func makeUnit(v map[string]string) unit {
	u := unit{
		ID: v["Id"], Load: v["LoadState"], Active: v["ActiveState"], Sub: v["SubState"], Type: v["Type"], Restart: v["Restart"],
		File: v["UnitFileState"], TriggeredBy: strings.Fields(v["TriggeredBy"]), Requires: strings.Fields(v["Requires"]),
		Result: v["Result"], Ended: small(v["ExecMainCode"]), Status: small(v["ExecMainStatus"]),
		StartedAt: stamp(v["ExecMainStartTimestamp"]), ExitedAt: stamp(v["ExecMainExitTimestamp"]),
		ActiveAt: stamp(v["ActiveEnterTimestamp"]), InactiveAt: stamp(v["InactiveEnterTimestamp"]),
		Memory: number(v["MemoryCurrent"]), MemoryLimit: number(v["MemoryMax"]),
	}
	u.ConditionFailed = v["ConditionResult"] == "no" && !stamp(v["ConditionTimestamp"]).IsZero()
	if n := number(v["NRestarts"]); n != nil {
		u.Restarts = *n
	}
	started, exited := number(v["ExecMainStartTimestampMonotonic"]), number(v["ExecMainExitTimestampMonotonic"])
	if started != nil && exited != nil && *started > 0 && *exited >= *started {
		u.RanFor = new(float64(*exited-*started) / 1e6)
	}
	// Versions before 232 have no id of a start; when it began tells starts apart as well.
	u.Run = cmp.Or(v["InvocationID"], v["ExecMainStartTimestampMonotonic"])
	u.Run = u.Run[:min(len(u.Run), 32)]
	return u
}

// stamp reads a time as systemctl prints it: "Tue 2026-11-24 16:28:51 UTC", or "@1795537731". Zero: none.
func stamp(s string) time.Time {
	if seconds, unix := strings.CutPrefix(s, "@"); unix {
		if n, err := strconv.ParseInt(seconds, 10, 64); err == nil && n > 0 && n < 1<<40 {
			return time.Unix(n, 0).UTC()
		}
		return time.Time{}
	}
	at, err := time.Parse("Mon 2006-01-02 15:04:05 MST", s)
	if err != nil || at.Location() != time.UTC && !strings.HasSuffix(s, " UTC") {
		return time.Time{}
	}
	return at.UTC()
}

// number reads a count. What is not set is "[not set]", in older versions the largest number there is, and no limit
// is "infinity".
func number(s string) *int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

func small(s string) int {
	if n := number(s); n != nil && *n < 1<<16 {
		return int(*n)
	}
	return 0
}

func (u *unit) restarting() bool { return strings.HasPrefix(u.Sub, autoRestart) }

// job tells whether the unit is meant to end: a oneshot, what a timer starts, and what was started once with
// systemd-run.
func (u *unit) job() bool {
	return u.Type == oneshot || u.timed() || u.File == transient && u.Restart == "no"
}

func (u *unit) timed() bool {
	return slices.ContainsFunc(u.TriggeredBy, func(t string) bool { return strings.HasSuffix(t, ".timer") })
}

func (u *unit) enabled() bool { return u.File == "enabled" || u.File == "enabled-runtime" }

func (u *unit) running() bool { return u.Active == active || u.Active == reloading }
