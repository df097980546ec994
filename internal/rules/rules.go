// Package rules reads the file that changes the rules of detection: any condition's thresholds, holds, clearing and
// severity, for all objects and by overrides for some; the policies beside them, such as the grace after a deploy; the
// weekly windows of silence; and the links that go with conversations. It knows YAML; what there is to set, its units and its bounds are detect's own table.
//
//	rules:                                    # for all
//	  disk: {raise: 85%, clear: 80%, hold: 10m}
//	  cpu: off
//	overrides:                                # made in their order: the last one that sets something wins
//	  - match: {cluster: prod, namespace: shop, service: "batch-*", label: {tier: dev}}
//	    rules:
//	      service_down: {hold: 4I, severity: warning}
//	windows:                                  # in which nobody is told, each week
//	  - {name: backup, match: {name: "db-*"}, days: mon-fri, from: "22:00", to: "06:00", time_zone: Europe/Berlin, reason: backups}
//	links:                                    # whose gaps are filled from the conversation
//	  - {title: Logs, url: "https://logs.example/?service={name}&from={since_ms}", match: {kind: service}}
//
// A time is written like 30s, 5m or 1h30m, or like 4I in intervals between snapshots; a share like 85%, bytes like 1GB,
// a temperature like 90C. A number without its unit is a mistake. All mistakes are reported at once, each with its line and
// how to put it right.
package rules

import (
	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// File names the file. Its zero value is none: the rules as shipped.
type File struct {
	Path string `env:"RULES_FILE" unset:"the rules as shipped" desc:"Path of a YAML file that changes thresholds, holds, clearing and severities, for all or for some objects, silences by the week, and adds links. Read at the start; every analyzer needs the same."`
}

// variable is what people know the file by.
const variable = "RULES_FILE"

// Validate tells every mistake in the file.
func (f *File) Validate() error {
	_, err := f.Rules()
	return yamlfile.OfVariable(err, variable, f.Path)
}

// Contents is what a file says.
type Contents struct {
	Rules   detect.Rules
	Windows silence.Windows
	Links   link.Templates // of the file of rules
}

// Rules reads what the file says of rules: those as shipped where none is named. Its error is that of Contents.
func (f *File) Rules() (detect.Rules, error) {
	c, err := f.Contents()
	return c.Rules, err
}

// Contents reads the file: the rules as shipped, no windows and no links where none is named. An error that is about what the file
// says is a Mistakes.
func (f *File) Contents() (Contents, error) {
	shipped := Contents{Rules: detect.Default()}
	if f.Path == "" {
		return shipped, nil
	}
	text, err := yamlfile.Load(variable, f.Path)
	if err != nil {
		return shipped, err
	}
	return Read(text)
}

// Mistakes is all that is wrong with a file, by line.
type Mistakes = yamlfile.Mistakes

// Parse makes rules of a file's text. Its error is that of Read.
func Parse(text []byte) (detect.Rules, error) {
	c, err := Read(text)
	return c.Rules, err
}

// Read reads a file's text. Its error is a Mistakes, and then the rules are those as shipped, without windows and links.
func Read(text []byte) (Contents, error) {
	d := decoder{rules: detect.Default(), settings: detect.Settings(), broken: map[string]bool{}}
	d.conditions = append(detect.Conditions(d.rules), detect.Policies()...)
	d.file(text)
	if err := d.Err(); err != nil {
		return Contents{Rules: detect.Default()}, err
	}
	return Contents{d.rules, d.windows, d.links}, nil
}
