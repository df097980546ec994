package config

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Option is what a file calls one variable of a struct: its name in lower case, without what all of them begin with.
type Option struct {
	Name     string // such as bot_token, or bot_token_file
	Variable string // without the prefix of the environment, such as SLACK_BOT_TOKEN
	Secret   bool   // its value is never to be shown
}

// Options lists what a file may set of a struct whose variables begin with begin, such as SLACK_: a secret also by the
// name of a file that holds it.
func Options(config any, begin string) []Option {
	var all []Option
	for _, f := range fields(config) {
		for _, name := range f.names() {
			all = append(all, Option{Name: option(name, begin), Variable: name, Secret: f.secret() && name == f.name})
		}
	}
	return all
}

func option(variable, begin string) string {
	return strings.ToLower(strings.TrimPrefix(variable, begin))
}

// Fill fills the struct that into points to from values by the names of its Options, and from nowhere else. Its error is
// an *Error that lists every mistake, under the names of options.
func Fill(into any, begin string, values map[string]string) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("fill %T with options: a pointer to a struct is needed", into)
	}
	full := func(name string) string { return option(name, begin) }
	l := loader{source: source{get: func(name string) string { return values[full(name)] }, full: full}}
	l.load(v.Elem())
	if len(l.mistakes) == 0 {
		return nil
	}
	options := Options(into, begin)
	for i := range l.mistakes {
		l.mistakes[i] = l.mistakes[i].asOption(options)
	}
	return &Error{Mistakes: l.mistakes}
}

// asOption says a mistake in the names of options, longer ones first: one variable's name may begin another's.
func (m Mistake) asOption(options []Option) Mistake {
	for _, o := range options {
		if m.Name == o.Variable {
			m.Name = o.Name
			if o.Secret {
				m.Value = ""
			}
			break
		}
	}
	options = slices.Clone(options)
	slices.SortStableFunc(options, func(a, b Option) int { return cmp.Compare(len(b.Variable), len(a.Variable)) })
	for _, o := range options {
		m.Problem = strings.ReplaceAll(m.Problem, o.Variable, o.Name)
	}
	return m
}
