package config

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// field is one variable of a struct. The name is without the prefix.
type field struct {
	name  string
	value reflect.Value
	tag   reflect.StructTag
}

type kind int

const (
	ignored  kind = iota // unexported, or not configured by variables
	variable             // has an env tag
	group                // a struct to descend into
)

// look tells what the struct's i-th field is.
func look(v reflect.Value, i int) (field, kind) {
	t := v.Type().Field(i)
	f := field{name: t.Tag.Get("env"), value: v.Field(i), tag: t.Tag}
	switch {
	case f.name != "" && t.IsExported():
		return f, variable
	case f.name == "" && t.Type.Kind() == reflect.Struct && (t.IsExported() || t.Anonymous):
		return f, group
	}
	return f, ignored
}

// fields lists the variables of a struct, or of the struct that config points to, in the order of declaration.
func fields(config any) []field {
	v := reflect.ValueOf(config)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	return fieldsOf(v)
}

func fieldsOf(v reflect.Value) []field {
	var all []field
	for i := range v.NumField() {
		switch f, kind := look(v, i); kind {
		case variable:
			all = append(all, f)
		case group:
			all = append(all, fieldsOf(f.value)...)
		case ignored:
		}
	}
	return all
}

func (f field) secret() bool { return f.value.Type() == reflect.TypeFor[Secret]() }

// names lists the variables that set the field, without the prefix.
func (f field) names() []string {
	if f.secret() {
		return []string{f.name, f.name + fileSuffix}
	}
	return []string{f.name}
}

// choices lists the values of the allowed tag; none: any value of the field's type.
func (f field) choices() []string {
	if tag := f.tag.Get("allowed"); tag != "" {
		return strings.Split(tag, ",")
	}
	return nil
}

func (f field) isAllowed() bool {
	choices := f.choices()
	if len(choices) == 0 || f.value.IsZero() {
		return true
	}
	if f.value.Kind() != reflect.Slice {
		return slices.Contains(choices, f.value.String())
	}
	for i := range f.value.Len() {
		if !slices.Contains(choices, f.value.Index(i).String()) {
			return false
		}
	}
	return true
}

// allowedWords says what the field may be set to.
func (f field) allowedWords() string {
	choices := f.choices()
	switch {
	case len(choices) == 0:
		words, _ := allowedFor(f.value.Type())
		return words
	case f.value.Kind() == reflect.Slice:
		return "a list, separated by commas, out of " + strings.Join(choices, ", ")
	case len(choices) == 1:
		return choices[0]
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// allowedFor says what a variable of type t may be set to. It is false for types that no variable can hold.
func allowedFor(t reflect.Type) (words string, ok bool) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case decodesItself(t):
		return "a value that the program knows", true
	case t == reflect.TypeFor[time.Duration]():
		return "a duration such as 15s, 5m or 1h30m", true
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return "a list separated by commas", true
	case t.Kind() == reflect.Slice:
		_, ok := allowedFor(t.Elem())
		return "a list separated by commas", ok && t.Elem().Kind() != reflect.Slice
	}
	words, ok = scalars[t.Kind()]
	return words, ok
}

var scalars = map[reflect.Kind]string{
	reflect.String: "text", reflect.Bool: "true or false",
	reflect.Int: wholeNumber, reflect.Int8: wholeNumber, reflect.Int16: wholeNumber,
	reflect.Int32: wholeNumber, reflect.Int64: wholeNumber,
	reflect.Uint: countNumber, reflect.Uint8: countNumber, reflect.Uint16: countNumber,
	reflect.Uint32: countNumber, reflect.Uint64: countNumber,
	reflect.Float32: "a number", reflect.Float64: "a number",
}

const (
	wholeNumber = "a whole number"
	countNumber = "a whole number, 0 or more"
)

// decodesItself tells whether t brings a decoder of its own that envconfig calls.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[encoding.BinaryUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[envconfig.Decoder]()) ||
		p.Implements(reflect.TypeFor[envconfig.Setter]())
}
