package schema

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// An Alert meets newer versions of itself in the store. What it does not know, at any depth where a type has the field
// Unknown, it carries along. Almost every body has known fields only, and for those one plain pass is enough: this is
// on the way of every alert.

// UnmarshalJSON keeps unknown fields.
func (a *Alert) UnmarshalJSON(b []byte) error {
	type plain Alert
	*a = Alert{}
	if strictly(b, (*plain)(a)) {
		return nil
	}
	*a = Alert{}
	if err := json.Unmarshal(b, (*plain)(a)); err != nil {
		return err
	}
	return keepUnknown(b, reflect.ValueOf(a).Elem())
}

// strict is a decoder that refuses unknown fields. It is used again and again, as its buffer is most of its price.
type strict struct {
	from bytes.Reader
	d    *json.Decoder
}

var stricts = sync.Pool{New: func() any {
	s := &strict{}
	s.d = json.NewDecoder(&s.from)
	s.d.DisallowUnknownFields()
	return s
}}

// strictly decodes b, one JSON object and nothing else, into v. False: it is something else, or has fields that v does not
// have; then v may have been changed.
func strictly(b []byte, v any) bool {
	s := stricts.Get().(*strict)
	s.from.Reset(b)
	began := s.d.InputOffset()
	if s.d.Decode(v) != nil {
		return false // with what is left in its buffer it is of no use any more
	}
	switch read := int(s.d.InputOffset() - began); {
	case read == len(b): // nothing is left over for the next one
		s.from.Reset(nil)
		stricts.Put(s)
		return true
	default:
		return len(bytes.TrimSpace(b[read:])) == 0
	}
}

// MarshalJSON writes unknown fields back.
func (a Alert) MarshalJSON() ([]byte, error) {
	type plain Alert
	b, err := json.Marshal(plain(a))
	if err != nil {
		return nil, err
	}
	v := reflect.ValueOf(a)
	if !hasUnknown(v) {
		return b, nil
	}
	return restoreUnknown(b, v)
}

const unknownField = "Unknown"

// keepUnknown walks b and v, which was decoded from it, together.
func keepUnknown(b []byte, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return keepUnknown(b, v.Elem())
		}
	case reflect.Slice:
		return keepUnknownOfEach(b, v)
	case reflect.Struct:
		return keepUnknownOfFields(b, v)
	default: // a plain value has no fields
	}
	return nil
}

func keepUnknownOfEach(b []byte, v reflect.Value) error {
	if !carries(v.Type()) || v.Len() == 0 {
		return nil
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(b, &elements); err != nil {
		return err
	}
	for i := range min(v.Len(), len(elements)) {
		if err := keepUnknown(elements[i], v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func keepUnknownOfFields(b []byte, v reflect.Value) error {
	if !carries(v.Type()) {
		return nil
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	known := fieldsOf(v.Type())
	for name, raw := range all {
		i, ok := known[strings.ToLower(name)] // encoding/json matches names in any case
		if !ok {
			continue
		}
		if err := keepUnknown(raw, v.Field(i)); err != nil {
			return err
		}
		delete(all, name)
	}
	if u := v.FieldByName(unknownField); u.IsValid() && len(all) > 0 {
		u.Set(reflect.ValueOf(all))
	}
	return nil
}

func hasUnknown(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return !v.IsNil() && hasUnknown(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			if !carries(v.Type()) {
				return false
			}
			if hasUnknown(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		if !carries(v.Type()) {
			return false
		}
		if u := v.FieldByName(unknownField); u.IsValid() && u.Len() > 0 {
			return true
		}
		for _, i := range fieldsOf(v.Type()) {
			if hasUnknown(v.Field(i)) {
				return true
			}
		}
	default: // a plain value has no fields
	}
	return false
}

// restoreUnknown gives b, which is v encoded, with v's unknown fields in their places.
func restoreUnknown(b []byte, v reflect.Value) ([]byte, error) {
	if !hasUnknown(v) {
		return b, nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return restoreUnknown(b, v.Elem())
	case reflect.Slice:
		var elements []json.RawMessage
		if err := json.Unmarshal(b, &elements); err != nil {
			return nil, err
		}
		for i := range elements {
			var err error
			if elements[i], err = restoreUnknown(elements[i], v.Index(i)); err != nil {
				return nil, err
			}
		}
		return json.Marshal(elements)
	default:
		return restoreUnknownOfFields(b, v)
	}
}

func restoreUnknownOfFields(b []byte, v reflect.Value) ([]byte, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	known := fieldsOf(v.Type())
	for name, raw := range all {
		var err error
		if all[name], err = restoreUnknown(raw, v.Field(known[strings.ToLower(name)])); err != nil {
			return nil, err
		}
	}
	if u := v.FieldByName(unknownField); u.IsValid() {
		for name, raw := range u.Interface().(map[string]json.RawMessage) {
			if _, ok := known[strings.ToLower(name)]; !ok {
				all[name] = raw
			}
		}
	}
	return json.Marshal(all)
}

// carries tells whether a value of the type may hold unknown fields, at any depth.
func carries(t reflect.Type) bool {
	if known, ok := carrying.Load(t); ok {
		return known.(bool)
	}
	yes := false
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		yes = carries(t.Elem())
	case reflect.Struct:
		_, yes = t.FieldByName(unknownField)
		for _, i := range fieldsOf(t) {
			yes = yes || carries(t.Field(i).Type)
		}
	default: // a plain value has no fields
	}
	carrying.Store(t, yes)
	return yes
}

var (
	carrying sync.Map // reflect.Type → bool
	indexes  sync.Map // reflect.Type → map[string]int
)

// fieldsOf maps the JSON names of a struct's fields, in lower case, to their indexes.
func fieldsOf(t reflect.Type) map[string]int {
	if fields, ok := indexes.Load(t); ok {
		return fields.(map[string]int)
	}
	fields := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" && name != "" {
			fields[strings.ToLower(name)] = i
		}
	}
	indexes.Store(t, fields)
	return fields
}
