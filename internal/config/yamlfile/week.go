package yamlfile

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // images hold no zones of their own

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// FixDays says how days are written.
const FixDays = "write days like mon-fri, or a list like [mon, wed, sat-sun]: mon, tue, wed, thu, fri, sat, sun"

// wallClock is a time of day, in quotes or not.
var wallClock = regexp.MustCompile(`^([01]?\d|2[0-3]):([0-5]\d)$`)

// Days reads days of the week: a word such as mon-fri, or a list of them.
func (r *Reader) Days(n *yaml.Node) (days [7]bool) {
	words := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		words = n.Content
	}
	any := false
	for _, word := range words {
		if word.Kind != yaml.ScalarNode || Empty(word) {
			r.Wrong(word.Line, FixDays, "days holds what is no day")
			continue
		}
		for part := range strings.SplitSeq(word.Value, ",") {
			part = strings.ToLower(strings.TrimSpace(part))
			from, to, isRange := strings.Cut(part, "-")
			if !isRange {
				to = from
			}
			first, ok1 := silence.Day(strings.TrimSpace(from))
			last, ok2 := silence.Day(strings.TrimSpace(to))
			if !ok1 || !ok2 {
				r.Wrong(word.Line, FixDays, "days: %q is no day and no range of days", part)
				continue
			}
			for day := first; ; day = (day + 1) % 7 {
				days[day], any = true, true
				if day == last {
					break
				}
			}
		}
	}
	if !any && len(words) == 0 {
		r.Wrong(n.Line, FixDays, "days is empty")
	}
	return days
}

// WallClock reads a time of day in minutes; end: it may be that of the day's end. YAML may take 22:00 without quotes for a number, but keeps its text.
func (r *Reader) WallClock(what string, n *yaml.Node, end bool) int {
	m := wallClock.FindStringSubmatch(n.Value)
	switch {
	case n.Kind == yaml.ScalarNode && end && n.Value == "24:00":
		return 24 * 60
	case n.Kind == yaml.ScalarNode && m != nil:
		hours, _ := strconv.Atoi(m[1]) // digits
		minutes, _ := strconv.Atoi(m[2])
		return hours*60 + minutes
	}
	fix := fmt.Sprintf(`write it like %s: "22:00", from "00:00" to "23:59"`, what)
	if end {
		fix += `, or "24:00" for the end of the day`
	}
	r.Wrong(n.Line, fix, "%s: %q is no time of day", what, n.Value)
	return 0
}

// Zone reads the name of a time zone.
func (r *Reader) Zone(what string, n *yaml.Node) *time.Location {
	// Local, and nothing, would be whatever the machine has.
	if n.Kind == yaml.ScalarNode && !Empty(n) && !slices.Contains([]string{"", "Local"}, n.Value) {
		if zone, err := time.LoadLocation(n.Value); err == nil {
			return zone
		}
	}
	r.Wrong(n.Line, "write the name of one of the IANA zones, such as Europe/Berlin, America/New_York or UTC", "%s: there is no zone %q", what, n.Value)
	return time.UTC
}
