package config

import (
	"cmp"
	"os"
	"slices"
	"strings"
)

// UnknownVariable is a variable with our prefix that nobody reads. Nearest is the known one that it was most likely
// meant to be; empty: none is near.
type UnknownVariable struct{ Name, Nearest string }

// Unknown lists, by name, the variables of the environment that begin with the prefix and that none of the configs
// (structs or pointers to structs) declares. Empty ones count as unset and are left out.
func Unknown(prefix string, configs ...any) []UnknownVariable {
	known := names(prefix, configs)
	var unknown []UnknownVariable
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" && strings.HasPrefix(name, prefix+"_") && !slices.Contains(known, name) {
			unknown = append(unknown, UnknownVariable{Name: name, Nearest: Nearest(name, known, len(name)/3)})
		}
	}
	slices.SortFunc(unknown, func(a, b UnknownVariable) int { return cmp.Compare(a.Name, b.Name) })
	return unknown
}

func names(prefix string, configs []any) []string {
	var all []string
	for _, c := range configs {
		for _, f := range fields(c) {
			for _, name := range f.names() {
				all = append(all, prefix+"_"+name)
			}
		}
	}
	return all
}

// Given lists the variables of config that the environment sets.
func Given(prefix string, config any) []string {
	return slices.DeleteFunc(names(prefix, []any{config}), func(name string) bool { return os.Getenv(name) == "" })
}

// Nearest is the known name that takes the fewest edits, at most so many; empty: none is near.
func Nearest(name string, known []string, most int) string {
	best, least := "", most+1
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance counts the insertions, deletions and substitutions that make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			step := 1
			if a[i] == b[j] {
				step = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+step)
		}
	}
	return row[len(b)]
}
