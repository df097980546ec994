package config

import (
	"fmt"
	"strings"
)

// Section is one table of the reference.
type Section struct {
	Title  string
	About  string // paragraphs above the table; may be empty
	Config any    // a struct, or a pointer to one
}

// Reference renders every variable of the sections as Markdown, one table per section, in the order of declaration.
func Reference(prefix string, sections ...Section) string {
	var b strings.Builder
	b.WriteString(referenceHead(prefix))
	for _, s := range sections {
		fmt.Fprintf(&b, "\n## %s\n", s.Title)
		if s.About != "" {
			fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(s.About))
		}
		b.WriteString("\n| variable | default | meaning | secret |\n|---|---|---|---|\n")
		for _, f := range fields(s.Config) {
			fmt.Fprintf(&b, "| `%s_%s` | %s | %s | %s |\n", prefix, f.name, cell(f.defaultWords()), cell(f.meaning()), cell(f.secretWords(prefix)))
		}
	}
	return b.String()
}

func referenceHead(prefix string) string {
	return fmt.Sprintf(`# Configuration

Everything is set by environment variables that begin with %[1]s. A variable that is empty counts as unset. Lists are
separated by commas; durations are written like 15s, 5m or 1h30m. A secret may instead stand in a file that the
variable with the suffix %[2]s names; the value and the file together are a mistake. All mistakes are reported at once,
and a variable that nobody knows is warned about.

This page is generated from the structs that read the variables.
`, "`"+prefix+"_`", "`"+fileSuffix+"`")
}

func (f field) defaultWords() string {
	if d := f.tag.Get("default"); d != "" {
		return "`" + d + "`"
	}
	return f.tag.Get("unset")
}

// meaning is the description, and the values there are where they are few.
func (f field) meaning() string {
	desc := f.tag.Get("desc")
	if choices := f.choices(); len(choices) > 0 {
		desc += " One of `" + strings.Join(choices, "`, `") + "`."
	}
	return strings.TrimSpace(desc)
}

func (f field) secretWords(prefix string) string {
	if f.secret() {
		return "yes, or `" + prefix + "_" + f.name + fileSuffix + "`"
	}
	return ""
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// Summary lists the variables of the configs in plain text, for a program's help. A variable that several declare is
// listed once.
func Summary(prefix string, configs ...any) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, c := range configs {
		for _, f := range fields(c) {
			if !seen[f.name] {
				seen[f.name] = true
				fmt.Fprintf(&b, "%s_%s\n%s", prefix, f.name, f.summary(prefix))
			}
		}
	}
	return b.String()
}

func (f field) summary(prefix string) string {
	text := "      " + strings.ReplaceAll(f.meaning(), "`", "")
	if d := f.defaultWords(); d != "" {
		text += " Default: " + strings.Trim(d, "`") + "."
	}
	if f.secret() {
		text += " Or " + prefix + "_" + f.name + fileSuffix + "."
	}
	return text + "\n"
}
