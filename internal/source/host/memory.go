package host

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

const (
	memoryVersion = 1
	// maxGrowth bounds how many restarts one reading reports of one unit.
	maxGrowth = 100
	// jobAfterlife is how long a job that failed is shown although nothing happens to it.
	jobAfterlife = 25 * time.Hour
)

// memory is what must outlive the process. On a machine where nothing happens it does not change.
type memory struct {
	Version int              `json:"version"`
	Machine string           `json:"machine"` // whose it is
	Seen    time.Time        `json:"seen,omitzero"`
	Units   map[string]*kept `json:"units,omitempty"` // those that are shown, by id
	Cards   []card           `json:"cards,omitempty"` // the graphics processors there were when they were last read
	Lost    bool             `json:"gpu_lost,omitempty"`
}

// kept is what is remembered of one unit.
type kept struct {
	Run      string         `json:"run,omitempty"`
	Restarts int64          `json:"restarts,omitempty"` // systemd's own count, in the epoch below
	Epoch    string         `json:"epoch,omitempty"`    // the run at which its count was found to have begun anew
	End      string         `json:"end,omitempty"`      // the newest end that was reported
	GaveUp   string         `json:"gave_up,omitempty"`  // the end after which systemd gave up
	Pending  bool           `json:"pending,omitempty"`  // that end's restart is not in the count yet
	Baseline string         `json:"baseline,omitempty"` // the end that was there when the machine was first seen
	Running  bool           `json:"running,omitempty"`
	Job      *schema.JobRun `json:"job,omitempty"`
	Restless time.Time      `json:"restless,omitzero"` // when it was last found to have restarted
}

// recall reads a memory of the machine. There is an empty one where state is empty, or of another machine.
func recall(state json.RawMessage, machine string) (*memory, error) {
	m := &memory{}
	if len(state) > 0 && string(state) != "null" {
		if err := json.Unmarshal(state, m); err != nil {
			return newMemory(machine), fmt.Errorf("read what the host source remembers: %w", err)
		}
	}
	if m.Version != memoryVersion || m.Machine != machine {
		return newMemory(machine), nil
	}
	if m.Units == nil {
		m.Units = map[string]*kept{}
	}
	for id, k := range m.Units {
		if k == nil {
			delete(m.Units, id)
		}
	}
	return m, nil
}

func newMemory(machine string) *memory {
	return &memory{Version: memoryVersion, Machine: machine, Units: map[string]*kept{}}
}

// compare takes the units that there are and says what happened since they were last compared. The first time nothing
// has happened: what has failed by then is the baseline. It gives the units to show.
func (m *memory) compare(units []unit, now time.Time) (shown []unit, happened []source.Happening) {
	first := m.Seen.IsZero()
	if first {
		m.Seen = now.UTC().Truncate(time.Second)
	}
	before := m.Units
	m.Units = make(map[string]*kept, len(before))
	for _, u := range units {
		was := before[u.ID]
		if !worthKeeping(&u, was, now) {
			continue
		}
		shown = append(shown, u)
		if was == nil {
			was = &kept{}
			if first {
				was.meet(&u)
			}
		}
		happened = append(happened, was.compare(&u, now)...)
		m.Units[u.ID] = was
	}
	return shown, happened
}

// worthKeeping tells whether a unit belongs into a snapshot: what runs to stay, has failed, or should run; a job that
// failed or that a timer starts. Not the many that did their part at boot, or that are there to be started some day.
func worthKeeping(u *unit, was *kept, now time.Time) bool {
	switch {
	case u.Load != loaded:
		return false
	case u.Active == failed:
		return true
	case u.job():
		lately := was != nil && was.Job != nil && now.Sub(was.Job.At) < jobAfterlife // it has failed within this time
		return u.timed() && !u.StartedAt.IsZero() || lately
	case u.Active == inactive:
		return u.enabled() || was != nil
	}
	return true
}

// meet takes a unit as it is at first sight: what happened before is not counted.
func (k *kept) meet(u *unit) {
	k.Restarts, k.Epoch, k.Running = u.Restarts, u.Run, u.running()
	if u.failure() != nil {
		k.End, k.Pending = u.end(), u.restarting()
	}
	if u.Active == failed {
		k.Baseline = u.end()
	}
}

// end names the newest end of a unit: that systemd then gives up restarting it does not make it another.
func (u *unit) end() string {
	at := u.ExitedAt
	if at.IsZero() {
		at = u.InactiveAt
	}
	return u.Run + "@" + strconv.FormatInt(at.Unix(), 10)
}

func (k *kept) baseline(u *unit) bool { return u.Active == failed && k.Baseline == u.end() }

// compare brings what is remembered up to date and says what happened.
func (k *kept) compare(u *unit, now time.Time) []source.Happening {
	happened := k.restarts(u, now)
	happened = append(happened, k.ends(u, now)...)
	happened = append(happened, k.gaveUp(u)...)
	happened = append(happened, k.hands(u, len(happened) == 0)...)
	k.Run, k.Running = u.Run, u.running()
	if job := u.ended(); u.job() && job != nil && u.rests() && !k.baseline(u) {
		k.Job = job
	}
	return happened
}

// rests tells whether no process of the unit runs or is about to.
func (u *unit) rests() bool { return u.Active == failed || u.Active == inactive || u.Sub == "exited" }

// restarts reports every restart that systemd has made, and a failure of unknown kind before each that nobody saw. A
// start by hand sets its count to 0; restarts that it had made since the reading before then are lost, and so are some
// if the count has passed its old value again.
func (k *kept) restarts(u *unit, now time.Time) []source.Happening {
	base := k.Restarts
	if u.Restarts < base || k.Epoch == "" {
		base, k.Epoch, k.Pending = 0, u.Run, false
	}
	made := u.Restarts
	if u.gaveUp() && made > base {
		made-- // the one that was refused
	}
	k.Restarts = u.Restarts
	grew := made - base
	if grew <= 0 {
		return nil
	}
	unseen := grew
	if k.Pending {
		unseen, k.Pending = grew-1, false
	}
	k.Restless = now.UTC().Truncate(time.Second)
	return k.grown(u, made-min(grew, maxGrowth), made, min(unseen, maxGrowth))
}

// grown makes the happenings of the restarts after from, up to to, the last unseen of which came after an end that
// nobody saw.
func (k *kept) grown(u *unit, from, to, unseen int64) []source.Happening {
	at := later(u.StartedAt, u.InactiveAt, u.ActiveAt)
	var happened []source.Happening
	for n := from + 1; n <= to; n++ {
		key := u.ID + "/" + k.Epoch + "/" + strconv.FormatInt(n, 10)
		if n > to-unseen {
			happened = append(happened, source.Happening{
				Key: key + "/ended", At: at, Kind: source.Failed, Object: u.object(),
				Failure: &schema.Failure{Reason: schema.FailureUnknown, At: at},
			})
		}
		happened = append(happened, source.Happening{Key: key, At: at, Kind: source.Restarted, Object: u.object()})
	}
	if last := len(happened) - 1; last >= 0 {
		happened[last].Event, happened[last].Text = "restart", "restarted by systemd"
		if n := to - from; n > 1 {
			happened[last].Text += ", " + strconv.FormatInt(n, 10) + " times since it was last looked at"
		}
	}
	return happened
}

// ends reports the failure that the unit shows, once.
func (k *kept) ends(u *unit, now time.Time) []source.Happening {
	f := u.failure()
	if f == nil || k.End == u.end() {
		return nil
	}
	k.End, k.Pending = u.end(), u.restarting()
	if u.gaveUp() {
		k.GaveUp = k.End // which f tells as well
	}
	if f.At.IsZero() {
		f.At = now.UTC().Truncate(time.Second)
	}
	h := source.Happening{
		Key: u.ID + "/end/" + k.End, At: f.At, Kind: source.Failed, Object: u.object(), Failure: f, Event: "die", Text: words(f),
	}
	if f.OOM {
		h.Event = "oom"
	}
	return []source.Happening{h}
}

// gaveUp notes that systemd no longer tries to restart the unit.
func (k *kept) gaveUp(u *unit) []source.Happening {
	if !u.gaveUp() || k.GaveUp == u.end() || u.stopped() || k.baseline(u) {
		return nil
	}
	k.GaveUp = u.end()
	return []source.Happening{{
		Key: u.ID + "/gave-up/" + k.GaveUp, At: later(u.InactiveAt, u.ExitedAt), Kind: source.Noted, Object: u.object(),
		Event: "gave_up", Text: u.tries(),
	}}
}

// words tells of a failure in one line.
func words(f *schema.Failure) string {
	var parts []string
	if f.ExitCode != nil {
		parts = append(parts, "exit "+strconv.Itoa(*f.ExitCode))
	}
	if f.RanFor != nil {
		parts = append(parts, "ran for "+time.Duration(*f.RanFor*float64(time.Second)).Round(time.Millisecond).String())
	}
	if f.Text != "" {
		parts = append(parts, f.Text)
	}
	return strings.Join(parts, ", ")
}

// hands notes what people did to a unit that stays: they stopped it, or started it. quiet says that systemd did
// nothing to it meanwhile.
func (k *kept) hands(u *unit, quiet bool) []source.Happening {
	h := source.Happening{Kind: source.Noted, Object: u.object()}
	switch {
	case u.job() || !quiet:
		return nil
	case k.Running && (u.Active == inactive || u.stopped()):
		h.Event, h.Text, h.At = "stop", "stopped", u.InactiveAt
	case u.running() && (!k.Running || k.Run != u.Run) && k.Run != "":
		h.Event, h.Text, h.At = "start", "started", later(u.ActiveAt, u.StartedAt)
	default:
		return nil
	}
	h.Key = u.ID + "/" + h.Event + "/" + u.Run
	return []source.Happening{h}
}

// restless are the units that restarted so lately that they are worth looking at every time.
func (m *memory) restless(now time.Time) map[string]bool {
	ids := map[string]bool{}
	for id, k := range m.Units {
		if within(k.Restless, now, lively) {
			ids[id] = true
		}
	}
	return ids
}
