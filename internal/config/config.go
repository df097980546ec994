// Package config reads configuration from the environment into the structs of those who own it. It knows the
// mechanism only: every owner declares a struct of its own, with its defaults and its rules.
//
//	type Config struct {
//		Interval time.Duration `env:"INTERVAL" default:"15s" desc:"How often a snapshot is taken."`
//		Format   string        `env:"LOG_FORMAT" allowed:"text,json" unset:"text on a terminal" desc:"How log lines look."`
//		Token    config.Secret `env:"SLACK_BOT_TOKEN" desc:"The bot's token."`
//	}
//
// A field with an env tag is read from <prefix>_<name>, and from nowhere else; a struct without one is descended into,
// under the same prefix. A variable that is empty counts as unset: the default applies or, where there is none, the
// field keeps what it held. The tags are env (the name without the prefix), default, allowed (the values there are,
// separated by commas), unset (what happens without a value, in words, where no default can say it) and desc (one
// sentence for the reference). Lists are separated by commas.
//
// Every mistake is reported, not the first one only, and no text made here ever shows a secret's value. The package
// keeps no state and changes nothing but the struct it is given; Load and Unknown read the process's environment.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// Load fills the structs that into points to from the environment. Its error is an *Error that lists every mistake in
// all of them.
//
// A struct, nested ones included, that has a method Validate() error is asked once all of its own variables have been
// read well. To blame a variable, Validate returns a Mistake or several joined by errors.Join, with the name as in the
// env tag; Load adds the prefix.
func Load(prefix string, into ...any) error {
	l := loader{prefix: prefix, source: environment(prefix)}
	for _, one := range into {
		v := reflect.ValueOf(one)
		if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return fmt.Errorf("load configuration into %T: a pointer to a struct is needed", one)
		}
		l.load(v.Elem())
	}
	if len(l.mistakes) == 0 {
		return nil
	}
	return &Error{Mistakes: l.mistakes}
}

// source is where values are read from. A variable has its name without the prefix there.
type source struct {
	get  func(name string) string // empty: it is not set
	full func(name string) string // what people know it by
}

func environment(prefix string) source {
	full := func(name string) string { return prefix + "_" + name }
	return source{get: func(name string) string { return os.Getenv(full(name)) }, full: full}
}

type loader struct {
	prefix   string // of the names in mistakes; empty: they have none
	source   source
	mistakes []Mistake
}

func (l *loader) load(v reflect.Value) {
	before := len(l.mistakes)
	for i := range v.NumField() {
		f, kind := look(v, i)
		switch kind {
		case variable:
			l.blame(f.read(l.source))
		case group:
			l.load(f.value)
		case ignored:
		}
	}
	if len(l.mistakes) == before {
		l.blame(validate(v))
	}
}

// blame adds what err says, once: an embedded struct's Validate is also its holder's.
func (l *loader) blame(err error) {
	for _, m := range mistakes(err) {
		if m.Name != "" && l.prefix != "" && !strings.HasPrefix(m.Name, l.prefix+"_") {
			m.Name = l.prefix + "_" + m.Name
		}
		if !slices.Contains(l.mistakes, m) {
			l.mistakes = append(l.mistakes, m)
		}
	}
}

func validate(v reflect.Value) error {
	if !v.CanAddr() || !v.Addr().CanInterface() {
		return nil
	}
	if x, ok := reflect.TypeAssert[interface{ Validate() error }](v.Addr()); ok {
		return x.Validate()
	}
	return nil
}

// read sets the field from its variable, or from its default.
func (f field) read(from source) error {
	allowed, ok := allowedFor(f.value.Type())
	if !ok {
		return Mistake{Name: f.name, Problem: fmt.Sprintf("belongs to a %s, which no variable can hold", f.value.Type())}
	}
	if f.secret() {
		return f.readSecret(from)
	}
	value := from.get(f.name)
	if err := f.process(value); err != nil {
		return Mistake{Name: f.name, Value: value, Problem: problem(err, f.value.Type(), allowed)}
	}
	trimList(f.value)
	if !f.isAllowed() {
		return Mistake{Name: f.name, Value: value, Problem: "is not " + f.allowedWords()}
	}
	return nil
}

// nowhere is a prefix that no environment can hold, as names end at the first "=".
const nowhere = "NOT=SET"

// process lets envconfig read this one field, as the only one of a struct made for it whose default is the value. So the
// environment is never consulted.
func (f field) process(value string) error {
	if value == "" {
		value = f.tag.Get("default")
	}
	tag := reflect.StructTag("")
	if value != "" {
		tag = reflect.StructTag("default:" + strconv.Quote(value))
	}
	one := reflect.New(reflect.StructOf([]reflect.StructField{{Name: f.name, Type: f.value.Type(), Tag: tag}}))
	one.Elem().Field(0).Set(f.value)
	if err := envconfig.Process(nowhere, one.Interface()); err != nil {
		return err
	}
	f.value.Set(one.Elem().Field(0))
	return nil
}

// trimList takes the spaces off the items of a list of strings and drops the empty ones, so that "a, b," is a and b.
func trimList(v reflect.Value) {
	if v.Kind() != reflect.Slice || v.Type().Elem().Kind() != reflect.String {
		return
	}
	kept := reflect.MakeSlice(v.Type(), 0, v.Len())
	for i := range v.Len() {
		if s := strings.TrimSpace(v.Index(i).String()); s != "" {
			kept = reflect.Append(kept, reflect.ValueOf(s).Convert(v.Type().Elem()))
		}
	}
	if v.Len() > 0 {
		v.Set(kept)
	}
}

// problem says what is wrong with a value, in words for whoever set it.
func problem(err error, t reflect.Type, allowed string) string {
	if parse, ok := errors.AsType[*envconfig.ParseError](err); ok {
		err = parse.Err
	}
	switch {
	case decodesItself(t):
		return "is not allowed: " + err.Error()
	case errors.Is(err, strconv.ErrRange):
		return "is too far from zero for " + allowed
	}
	return "is not " + allowed
}
