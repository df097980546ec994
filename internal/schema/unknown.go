package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// The types below meet newer versions of themselves in the store; what they do not know they carry along.

// UnmarshalJSON keeps unknown fields.
func (c *Conversation) UnmarshalJSON(b []byte) error {
	type plain Conversation
	return decodeKeeping(b, (*plain)(c), &c.Unknown)
}

// MarshalJSON writes unknown fields back.
func (c Conversation) MarshalJSON() ([]byte, error) {
	type plain Conversation
	return encodeKeeping(plain(c), c.Unknown)
}

// UnmarshalJSON keeps unknown fields.
func (c *Condition) UnmarshalJSON(b []byte) error {
	type plain Condition
	return decodeKeeping(b, (*plain)(c), &c.Unknown)
}

// MarshalJSON writes unknown fields back.
func (c Condition) MarshalJSON() ([]byte, error) {
	type plain Condition
	return encodeKeeping(plain(c), c.Unknown)
}

// UnmarshalJSON keeps unknown fields.
func (m *Message) UnmarshalJSON(b []byte) error {
	type plain Message
	return decodeKeeping(b, (*plain)(m), &m.Unknown)
}

// MarshalJSON writes unknown fields back.
func (m Message) MarshalJSON() ([]byte, error) {
	type plain Message
	return encodeKeeping(plain(m), m.Unknown)
}

// UnmarshalJSON keeps unknown fields.
func (d *Diagnosis) UnmarshalJSON(b []byte) error {
	type plain Diagnosis
	return decodeKeeping(b, (*plain)(d), &d.Unknown)
}

// MarshalJSON writes unknown fields back.
func (d Diagnosis) MarshalJSON() ([]byte, error) {
	type plain Diagnosis
	return encodeKeeping(plain(d), d.Unknown)
}

func decodeKeeping(b []byte, known any, unknown *map[string]json.RawMessage) error {
	*unknown = nil
	// Almost every body has known fields only, and then one pass is enough.
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(known) == nil {
		return nil
	}
	if err := json.Unmarshal(b, known); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	for name := range all {
		if fieldNames(reflect.TypeOf(known).Elem())[strings.ToLower(name)] {
			delete(all, name) // encoding/json matches names in any case
		}
	}
	if len(all) > 0 {
		*unknown = all
	}
	return nil
}

func encodeKeeping(known any, unknown map[string]json.RawMessage) ([]byte, error) {
	b, err := json.Marshal(known)
	if err != nil || len(unknown) == 0 {
		return b, err
	}
	more, err := json.Marshal(unknown)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("}"))
	if len(b) > 1 {
		b = append(b, ',')
	}
	return append(b, more[1:]...), nil
}

var knownFields sync.Map // reflect.Type → map[string]bool, lower case

func fieldNames(t reflect.Type) map[string]bool {
	if names, ok := knownFields.Load(t); ok {
		return names.(map[string]bool)
	}
	names := map[string]bool{}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "-" && name != "" {
			names[strings.ToLower(name)] = true
		}
	}
	knownFields.Store(t, names)
	return names
}
