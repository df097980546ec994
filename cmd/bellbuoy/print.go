package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/console"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// What the commands print for people goes through package console, which scrubs text of the cluster, of models and of
// people; JSON is printed as it is, since JSON escapes.

// shortID is how many digits of an id are shown where nobody says how many are enough.
const shortID = 8

// printer prints for people: in the terminal's width and colours if out is one.
func printer(out io.Writer) *console.Printer { return console.New(out, console.Options{}) }

func plain(s string) string { return strings.ReplaceAll(scrub.Clean(s), "\n", " ") }

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
