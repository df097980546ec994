package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// What the commands print has one rule: text of the cluster, of models and of people goes through plain, so that it
// cannot steer the terminal; JSON is printed as it is, since JSON escapes.

// shortID is how many digits of an id are shown to people.
const shortID = 8

func plain(s string) string { return strings.ReplaceAll(scrub.Clean(s), "\n", " ") }

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }

// indent cleans text of several lines and puts the later ones below the first, which begins at column n.
func indent(s string, n int) string {
	return strings.ReplaceAll(strings.TrimSpace(scrub.Clean(s)), "\n", "\n"+strings.Repeat(" ", n))
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func printJSONLine(out io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}
