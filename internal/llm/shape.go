package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// shape is the part of a JSON Schema that an answer is held against: what a server that keeps a schema cannot get wrong.
type shape struct {
	Type       json.RawMessage            `json:"type"`
	Properties map[string]json.RawMessage `json:"properties"`
	Required   []string                   `json:"required"`
	Items      json.RawMessage            `json:"items"`
	Enum       []json.RawMessage          `json:"enum"`
}

// fits says in what a value differs from a schema; nil: in nothing that is looked at.
func fits(schema, value json.RawMessage) error {
	var s shape
	if err := json.Unmarshal(schema, &s); err != nil {
		return nil //nolint:nilerr // a schema that is none asks for nothing
	}
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return errors.New("there is nothing")
	}
	if types := s.types(); len(types) > 0 && !slices.ContainsFunc(types, func(t string) bool { return isType(value, t) }) {
		return fmt.Errorf("is not of type %v", types)
	}
	if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, func(e json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(e), value) }) {
		return errors.New("is none of the values allowed")
	}
	switch value[0] {
	case '{':
		return s.object(value)
	case '[':
		return s.list(value)
	}
	return nil
}

func (s shape) types() []string {
	var many []string
	if json.Unmarshal(s.Type, &many) == nil {
		return many
	}
	var one string
	if json.Unmarshal(s.Type, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}

func isType(value []byte, name string) bool {
	switch value[0] {
	case '{':
		return name == "object"
	case '[':
		return name == "array"
	case '"':
		return name == "string"
	case 't', 'f':
		return name == "boolean"
	case 'n':
		return name == "null"
	}
	return name == "number" || name == "integer" && !bytes.ContainsAny(value, ".eE")
}

func (s shape) object(value json.RawMessage) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(value, &fields); err != nil {
		return err
	}
	for _, name := range s.Required {
		if fields[name] == nil {
			return fmt.Errorf("%s is missing", name)
		}
		if s.Properties[name] == nil {
			continue
		}
		if err := fits(s.Properties[name], fields[name]); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (s shape) list(value json.RawMessage) error {
	var items []json.RawMessage
	if err := json.Unmarshal(value, &items); err != nil || len(s.Items) == 0 {
		return err
	}
	for i, item := range items {
		if err := fits(s.Items, item); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}
