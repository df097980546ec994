package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

const (
	maxBlocks      = 50     // of a message, those of its attachments and those that markdown becomes included
	maxCounted     = 13_200 // characters of all blocks of a message, escaped; as others measured it
	maxMarkdown    = 12_000 // characters of all markdown blocks of a message
	headerOverhead = 100    // counted on top of each header's characters
)

// inspector judges the blocks and attachments of one message.
type inspector struct {
	problems    []string
	counted     int // characters of all blocks
	markdown    int // characters of all markdown
	blocks      int // as many as are shown
	attachments int
	ids         map[string]bool // block ids
	actions     map[string]bool // action ids of the block at hand
	number      func() int
	parsed      parsed
}

func newInspector(number func() int) *inspector {
	return &inspector{ids: map[string]bool{}, number: number}
}

// bad notes a problem at a place, which is a JSON pointer.
func (v *inspector) bad(at, format string, a ...any) {
	v.problems = append(v.problems, fmt.Sprintf(format, a...)+" [json-pointer:"+at+"]")
}

// rule judges one value.
type rule func(v *inspector, at string, x any)

type field struct {
	rule rule
	must bool
}

func must(r rule) field { return field{r, true} }
func may(r rule) field  { return field{r, false} }

type shape map[string]field

// object wants an object of that shape, and nothing else in it.
func object(s shape) rule {
	return func(v *inspector, at string, x any) {
		o, ok := x.(map[string]any)
		if !ok {
			v.bad(at, "must provide an object")
			return
		}
		for _, name := range slices.Sorted(maps.Keys(s)) {
			value, given := o[name]
			switch {
			case given:
				s[name].rule(v, at+"/"+name, value)
			case s[name].must:
				v.bad(at, "missing required field: %s", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(o)) {
			if _, known := s[name]; !known {
				v.bad(at, "invalid additional property: %s", name)
			}
		}
	}
}

// oneOf wants an object of one of the types.
func oneOf(kinds map[string]shape) rule {
	return func(v *inspector, at string, x any) {
		o, ok := x.(map[string]any)
		if !ok {
			v.bad(at, "must provide an object")
			return
		}
		kind, ok := o["type"].(string)
		if !ok {
			v.bad(at, "missing required field: type")
			return
		}
		s, ok := kinds[kind]
		if !ok {
			v.bad(at+"/type", "unsupported type: %s", kind)
			return
		}
		s = maps.Clone(s)
		s["type"] = must(anything)
		object(s)(v, at, o)
	}
}

func anything(*inspector, string, any) {}

// characters wants that many characters at most, and at least.
func characters(least, most int) rule {
	return func(v *inspector, at string, x any) {
		s, ok := x.(string)
		switch n := utf8.RuneCountInString(s); {
		case !ok:
			v.bad(at, "must provide a string")
		case n < least:
			v.bad(at, "must be more than %d characters", least-1)
		case n > most:
			v.bad(at, "must be less than %d characters", most+1)
		}
	}
}

func items(least, most int, each rule) rule {
	return func(v *inspector, at string, x any) {
		list, ok := x.([]any)
		switch {
		case !ok:
			v.bad(at, "must provide an array")
			return
		case len(list) < least:
			v.bad(at, "no fewer than %d items allowed", least)
		case len(list) > most:
			v.bad(at, "no more than %d items allowed", most)
		}
		for i, item := range list {
			each(v, fmt.Sprintf("%s/%d", at, i), item)
		}
	}
}

func choice(of ...string) rule {
	return func(v *inspector, at string, x any) {
		if s, ok := x.(string); !ok || !slices.Contains(of, s) {
			v.bad(at, "must be one of: %q", of)
		}
	}
}

func boolean(v *inspector, at string, x any) {
	if _, ok := x.(bool); !ok {
		v.bad(at, "must provide a boolean")
	}
}

func integer(least, most int64) rule {
	return func(v *inspector, at string, x any) {
		n, _ := x.(json.Number)
		if i, err := n.Int64(); err != nil || i < least || i > most {
			v.bad(at, "must be an integer from %d to %d", least, most)
		}
	}
}

// list reads a JSON array as an argument has it. Null and nothing are no array.
func list(text string) ([]any, bool) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var all []any
	return all, d.Decode(&all) == nil && all != nil && !d.More()
}

// blocksArg judges the blocks of a message; nil if the call gives none.
func (v *inspector) blocksArg(a args) (json.RawMessage, *refusal) {
	text, given := a["blocks"]
	if markdown := a["markdown_text"]; markdown != "" {
		if given || a["text"] != "" {
			return nil, refuse("markdown_text_conflict")
		}
		if utf8.RuneCountInString(markdown) > maxMarkdown {
			return nil, refuse("msg_too_long")
		}
		all := []any{map[string]any{"type": "markdown", "text": markdown}}
		return v.judged(all, "/blocks", "invalid_blocks")
	}
	if !given || text == "" {
		return nil, nil
	}
	all, ok := list(text)
	if !ok {
		return nil, refuse("invalid_blocks_format")
	}
	return v.judged(all, "/blocks", "invalid_blocks")
}

// judged judges blocks and gives each an id that has none, as Slack does.
func (v *inspector) judged(all []any, at, name string) (json.RawMessage, *refusal) {
	items(0, maxBlocks, block(0))(v, at, all)
	if v.blocks > maxBlocks && len(all) <= maxBlocks {
		v.bad(at, "no more than %d items allowed", maxBlocks)
	}
	if v.problems != nil {
		return nil, refuse(name, v.problems...)
	}
	for _, b := range all {
		if o, ok := b.(map[string]any); ok && o["block_id"] == nil {
			o["block_id"] = fmt.Sprintf("b%d", v.number())
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, refuse("internal_error")
	}
	return text, nil
}
