package diagnose

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxVerdictBytes is how much of an answer is looked at.
const maxVerdictBytes = 64 << 10

// DropThinking takes out what reasoning models print before their answer. An unclosed block hides all after it.
func DropThinking(s string) string {
	for {
		head, rest, found := strings.Cut(s, "<think>")
		if !found {
			break
		}
		_, tail, _ := strings.Cut(rest, "</think>")
		s = head + tail
	}
	if _, tail, found := strings.Cut(s, "</think>"); found { // some templates print the opening tag themselves
		s = tail
	}
	return strings.TrimSpace(s)
}

// Object finds the one JSON object in an answer: in a fenced block, or the first that is balanced.
func Object(text string) (json.RawMessage, error) {
	if len(text) > maxVerdictBytes {
		return nil, fmt.Errorf("the answer is %d bytes, more than the %d allowed", len(text), maxVerdictBytes)
	}
	text = DropThinking(text)
	if text == "" {
		return nil, errors.New("the answer is empty")
	}
	if _, rest, found := strings.Cut(text, "```"); found {
		block, _, _ := strings.Cut(rest, "```")
		if raw, err := balanced(block); err == nil {
			return raw, nil
		}
	}
	return balanced(text)
}

// maxTries bounds how many opening braces are tried, because each may mean reading to the end.
const maxTries = 20

// balanced reads the first JSON object in s, whatever stands around it. Its error is that of the first brace.
func balanced(s string) (json.RawMessage, error) {
	first := errors.New("the answer holds no JSON object")
	for try := range maxTries {
		start := strings.IndexByte(s, '{')
		if start < 0 {
			break
		}
		var raw json.RawMessage
		err := json.NewDecoder(strings.NewReader(s[start:])).Decode(&raw)
		if err == nil {
			return raw, nil
		}
		if try == 0 {
			first = fmt.Errorf("the answer's JSON object does not parse: %w", err)
		}
		s = s[start+1:]
	}
	return nil, first
}
