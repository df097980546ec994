package diagnose

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// cut shortens s to at most limit bytes of whole characters, the last of them an ellipsis if anything is missing.
func cut(s string, limit int) string {
	const more = "…"
	if len(s) <= limit {
		return s
	}
	end := max(limit-len(more), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// clock prints t for people: the time alone on the day of now, with the date otherwise. A zero t prints as "an
// unknown time".
func clock(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case t.IsZero():
		return "an unknown time"
	case t.Year() == now.Year() && t.YearDay() == now.YearDay():
		return t.Format("15:04:05") + " UTC"
	}
	return t.Format("2006-01-02 15:04") + " UTC"
}

// seconds prints a run time: "0.4 s", "12 s", "3 min", "24 h".
func seconds(s float64) string {
	switch {
	case s < 10:
		return fmt.Sprintf("%.1f s", max(s, 0))
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	case s < 2*60*60:
		return fmt.Sprintf("%.0f min", s/60)
	}
	return fmt.Sprintf("%.0f h", min(s, 1e9)/(60*60))
}

// size prints a number of bytes: "64 MiB".
func size(n int64) string {
	const unit = 1024
	f, i := float64(n), 0
	names := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for f >= unit && i < len(names)-1 {
		f /= unit
		i++
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + " " + names[i]
}

func list(parts []string) string { return strings.Join(parts, "; ") }
