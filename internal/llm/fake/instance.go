package fake

import (
	"encoding/json"
	"slices"
)

// shape is the part of a JSON Schema that an instance is made from.
type shape struct {
	Type       json.RawMessage            `json:"type"`
	Properties map[string]json.RawMessage `json:"properties"`
	Enum       []json.RawMessage          `json:"enum"`
	Const      json.RawMessage            `json:"const"`
	AnyOf      []json.RawMessage          `json:"anyOf"`
}

func hasProperty(schema json.RawMessage, name string) bool {
	var s shape
	return json.Unmarshal(schema, &s) == nil && s.Properties[name] != nil
}

// instance is a value that is valid by a strict schema and means nothing. References are not followed: what they
// stand for is null.
func instance(schema json.RawMessage) string { return compact(value(schema)) }

func value(schema json.RawMessage) any {
	var s shape
	if json.Unmarshal(schema, &s) != nil {
		return nil
	}
	switch {
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AnyOf) > 0:
		return value(s.AnyOf[0])
	}
	switch types := s.types(); {
	case slices.Contains(types, "null"):
		return nil
	case slices.Contains(types, "object"):
		o := map[string]any{}
		for name, p := range s.Properties {
			o[name] = value(p)
		}
		return o
	case slices.Contains(types, "array"):
		return []any{}
	case slices.Contains(types, "string"):
		return Mark + "the script has nothing for this."
	case slices.Contains(types, "boolean"):
		return false
	case slices.Contains(types, "number"), slices.Contains(types, "integer"):
		return 0
	}
	return nil
}

// types lists what the value may be; in a schema it is one name or a list of them.
func (s shape) types() []string {
	var many []string
	if json.Unmarshal(s.Type, &many) == nil {
		return many
	}
	var one string
	if json.Unmarshal(s.Type, &one) != nil {
		return nil
	}
	return []string{one}
}
