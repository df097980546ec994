package host

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// lookLines are asked for in one look-up, so that what is left out can be counted.
const lookLines = 2 * schema.MaxLogLines

var _ source.Inspector = (*Source)(nil)

// Inspect looks a unit up, by the same commands that units are read with. A command gets the unit's name, which is made of
// the bytes that units are named with, and nothing else of the request.
func (s *Source) Inspect(ctx context.Context, i schema.Inspection) (schema.InspectionResult, error) {
	id := i.Object.Name + suffix
	if i.Object.Kind != schema.KindService || i.Object.Namespace != Namespace || !validUnit(id) {
		return schema.InspectionResult{Note: "it is no unit of systemd, and nothing else can be looked up here"}, nil
	}
	switch i.Kind {
	case schema.LookStatus:
		return s.lookStatus(ctx, id)
	case schema.LookEvents:
		since := strconv.Itoa(int(schema.EventWindow / time.Second))
		return s.lookJournal(ctx, id, "systemd has said nothing of it in the last 15 minutes", "_PID=1", "UNIT="+id, "--since=-"+since+"s")
	}
	return s.lookJournal(ctx, id, "it has logged nothing since the machine was started", "--unit="+id, "--boot")
}

// lookJournal shows the newest lines that the arguments select.
func (s *Source) lookJournal(ctx context.Context, id, none string, which ...string) (schema.InspectionResult, error) {
	var r schema.InspectionResult
	file, found := s.journal.tools.find("journalctl")
	if !found {
		return r, errors.New("read the journal: there is no journalctl on this machine")
	}
	text, err := s.journal.tools.run(ctx, file, append(which, "--lines="+strconv.Itoa(lookLines), "--output=json", "--output-fields=MESSAGE", "--no-pager", "--quiet")...)
	if err != nil {
		return r, fmt.Errorf("read the journal: %w", err)
	}
	source.Show(&r, id, stampedJournal(text))
	source.Newest(&r)
	if len(r.Lines) == 0 {
		r.Note = none
	}
	return r, nil
}

// stampedJournal reads journalctl's lines of JSON as they are, oldest first.
func stampedJournal(text []byte) []source.RawLine {
	var raw []source.RawLine
	for line := range bytes.Lines(text) {
		var entry struct {
			At      string  `json:"__REALTIME_TIMESTAMP"` // microseconds
			Message message `json:"MESSAGE"`
		}
		if json.Unmarshal(line, &entry) != nil || entry.Message == "" {
			continue
		}
		l := source.RawLine{Text: string(entry.Message)}
		if at := number(entry.At); at != nil {
			l.At = time.UnixMicro(*at)
		}
		raw = append(raw, l)
	}
	return raw
}

// lookStatus asks systemd about one unit.
func (s *Source) lookStatus(ctx context.Context, id string) (schema.InspectionResult, error) {
	var r schema.InspectionResult
	file, found := s.manager.tools.find("systemctl")
	if _, err := os.Stat(s.manager.booted); err != nil || !found {
		return r, errNoSystemd
	}
	text, err := s.manager.tools.run(ctx, file, "show", "--no-pager", "--property="+properties(), "--", id)
	if err != nil {
		return r, fmt.Errorf("ask about %s: %w", id, err)
	}
	for _, u := range parseShow(text) {
		if u.ID == id {
			source.Show(&r, id, unitWords(&u))
		}
	}
	if len(r.Lines) == 0 {
		r.Note = "systemd does not know it"
	}
	return r, nil
}

// unitWords tells of a unit what a person would look for first.
func unitWords(u *unit) []source.RawLine {
	state := []string{"state " + u.Active + " (" + u.Sub + ")"}
	if !u.StartedAt.IsZero() {
		state = append(state, "main process started at "+u.StartedAt.Format("2006-01-02 15:04:05 UTC"))
	}
	if !u.ExitedAt.IsZero() && u.Ended != 0 {
		how := "exit code"
		if u.Ended != 1 {
			how = "signal"
		}
		state = append(state, fmt.Sprintf("ended at %s with %s %d", u.ExitedAt.Format("2006-01-02 15:04:05 UTC"), how, u.Status))
	}
	more := []string{
		"result " + cmp.Or(u.Result, "unknown"), fmt.Sprintf("restarts by systemd: %d", u.Restarts),
		"restart policy: " + cmp.Or(u.Restart, "unknown"), "unit file: " + cmp.Or(u.File, "unknown"),
	}
	if u.Load != loaded {
		more = append(more, "load state: "+u.Load)
	}
	return []source.RawLine{{Text: strings.Join(state, "; ")}, {Text: strings.Join(more, "; ")}}
}
