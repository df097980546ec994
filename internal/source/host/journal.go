package host

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	journalPatience = 2 * time.Second
	journalTogether = 4               // units whose lines one reading asks for
	journalStands   = 2 * time.Minute // how long lines stand while nothing happens to their unit
	troubleLately   = time.Minute     // a unit that restarted so lately is not well, whatever it looks like
)

// journal reads the newest lines of units that are not well.
type journal struct {
	tools    tools
	slot     slot[map[string][]string]
	patience time.Duration     // how long all that one reading asks may take; 0: journalPatience
	lines    map[string]logged // by unit
}

// logged is what a unit had logged at a time, and the end and the run that this was after.
type logged struct {
	lines []string
	of    string
	at    time.Time
}

// add asks for the lines of some units that are not well and fills in those that are known. The first to be asked for
// are those that nothing is known of, then those whose lines are oldest.
func (j *journal) add(ctx, life context.Context, services []schema.ServiceSummary, units []unit, m *memory, now time.Time) {
	kept := map[string]logged{}
	var stale []string
	of := map[string]string{}
	for i, u := range units {
		if !telling(&services[i], m.Units[u.ID], now) {
			continue
		}
		have, known := j.lines[u.ID]
		of[u.ID] = u.end() + strconv.FormatInt(u.Restarts, 10)
		if known {
			kept[u.ID] = have
		}
		if !known || have.of != of[u.ID] || !within(have.at, now, journalStands) {
			stale = append(stale, u.ID)
		}
	}
	j.lines = kept
	slices.SortStableFunc(stale, func(a, b string) int { return kept[a].at.Compare(kept[b].at) })
	for id, lines := range j.ask(ctx, life, stale[:min(len(stale), journalTogether)]) {
		if _, wanted := of[id]; wanted {
			j.lines[id] = logged{lines, of[id], now}
		}
	}
	for i, u := range units {
		services[i].RecentLogs = j.lines[u.ID].lines
	}
}

// telling tells whether the lines of a unit are worth having.
func telling(s *schema.ServiceSummary, k *kept, now time.Time) bool {
	switch {
	case within(k.Restless, now, troubleLately):
		return true
	case s.NotWanted != "":
		return s.Job != nil && s.Job.LastExitCode != 0
	}
	return s.Status != schema.ServiceHealthy
}

// ask asks for the lines of units, one after another. What comes too late is there for the next reading.
func (j *journal) ask(ctx, life context.Context, ids []string) map[string][]string {
	file, found := j.tools.find("journalctl")
	if !found || len(ids) == 0 && j.slot.out == nil {
		return nil
	}
	j.slot.start(func() map[string][]string {
		ctx, stop := context.WithTimeout(life, cmp.Or(j.patience, journalPatience))
		defer stop()
		got := map[string][]string{}
		for _, id := range ids {
			text, err := j.tools.run(ctx, file, "--unit="+id, "--lines="+strconv.Itoa(schema.MaxLogLines), "--output=json",
				"--output-fields=MESSAGE", "--no-pager", "--quiet", "--boot")
			if err == nil {
				got[id] = parseJournal(text)
			}
		}
		return got
	})
	ctx, stop := context.WithTimeout(ctx, cmp.Or(j.patience, journalPatience))
	defer stop()
	got, _ := j.slot.wait(ctx)
	return got
}

// parseJournal reads journalctl's lines of JSON, oldest first. It takes secrets out of the text as a whole, because
// some span lines, and then cuts.
func parseJournal(text []byte) []string {
	var raw []string
	for line := range bytes.Lines(text) {
		var entry struct {
			Message message `json:"MESSAGE"`
		}
		if json.Unmarshal(line, &entry) == nil && entry.Message != "" {
			raw = append(raw, string(entry.Message))
		}
	}
	var lines []string
	for line := range strings.Lines(scrub.Clean(strings.Join(raw, "\n"))) {
		if line = scrub.Line(line, schema.MaxLogLineBytes); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-schema.MaxLogLines):]
}

// message is text, or a list of bytes where it is not plain text, or null where it is too long.
type message string

// UnmarshalJSON accepts all three.
func (m *message) UnmarshalJSON(b []byte) error {
	var list []uint16 // of bytes; a []byte would be read as base 64
	var text string
	if json.Unmarshal(b, &text) == nil {
		*m = message(text)
		return nil
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return fmt.Errorf("read a message of the journal: %w", err)
	}
	bytes := make([]byte, len(list))
	for i, n := range list {
		bytes[i] = byte(n)
	}
	*m = message(bytes)
	return nil
}
