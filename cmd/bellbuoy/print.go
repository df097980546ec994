package main

import (
	"bytes"
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
	object, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, is := out.(shadowed); is {
		object = marked(object)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, object, "", "  "); err != nil {
		return err
	}
	pretty.WriteByte('\n')
	_, err = pretty.WriteTo(out)
	return err
}

func printJSONLine(out io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", b)
	return err
}
