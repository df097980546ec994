// Package yamlfile is how the files that people write in YAML are read: node by node, so that every mistake is told at
// once, each with its line and how to put it right. It knows no file's contents; whoever owns a file walks it with a Reader.
package yamlfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config"
)

// Mistake is one thing that is wrong with a file.
type Mistake struct {
	Line    int // 0: the file as a whole
	Problem string
	Fix     string
}

func (m Mistake) where() string {
	if m.Line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d: ", m.Line)
}

// Mistakes is all that is wrong with a file, by line.
type Mistakes []Mistake

// Error has one mistake per line.
func (all Mistakes) Error() string {
	var lines []string
	for _, m := range all {
		lines = append(lines, m.where()+m.Problem+"; "+m.Fix)
	}
	return strings.Join(lines, "\n")
}

// OfVariable turns what is wrong with a file into mistakes of the variable that names it. Any other error stays as it is.
func OfVariable(err error, name, path string) error {
	var all Mistakes
	if !errors.As(err, &all) {
		return err
	}
	var each []error
	for _, m := range all {
		each = append(each, config.Mistake{Name: name, Value: path, Problem: m.where() + m.Problem, Fix: m.Fix})
	}
	return errors.Join(each...)
}

// maxFile bounds what is read, in bytes.
const maxFile = 256 << 10

// Load reads the file that a variable names. Its error is a mistake of that variable.
func Load(name, path string) ([]byte, error) {
	text, err := read(path)
	if err != nil {
		return nil, config.Mistake{
			Name: name, Value: path, Problem: "cannot be read: " + err.Error(),
			Fix: "name a file that this process may read, or unset the variable",
		}
	}
	return text, nil
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it is larger than %d KB", maxFile>>10)
	}
	return text, err
}

// Reader walks the nodes of one file and keeps what is wrong.
type Reader struct {
	Mistakes Mistakes
	Secret   bool // the file may hold secrets, so that none of its values is ever repeated
}

// Wrong adds a mistake.
func (r *Reader) Wrong(line int, fix, problem string, args ...any) {
	r.Mistakes = append(r.Mistakes, Mistake{Line: line, Problem: fmt.Sprintf(problem, args...), Fix: fix})
}

// Err gives all mistakes by their lines; nil: there is none.
func (r *Reader) Err() error {
	if len(r.Mistakes) == 0 {
		return nil
	}
	slices.SortStableFunc(r.Mistakes, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
	return r.Mistakes
}

// Document gives the top of the one document that text has; nil: it has nothing, or what is wrong has been added.
func (r *Reader) Document(text []byte) *yaml.Node {
	in := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := in.Decode(&document); err != nil {
		if !errors.Is(err, io.EOF) { // else the file is empty
			r.syntax(err, text)
		}
		return nil
	}
	if err := in.Decode(&second); err == nil {
		r.Wrong(second.Line, "keep one document, and take out the line ---", "a second document begins here")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err, text)
	}
	if top := document.Content[0]; !Empty(top) {
		return top
	}
	return nil
}

// Empty tells whether a value is nothing.
func Empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// Pairs calls each with the known keys of a mapping, in their order. Known is nil where any will do.
func (r *Reader) Pairs(n *yaml.Node, what string, known []string, each func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		fix := "write NAME: VALUE below it"
		if len(known) > 0 {
			fix = "write one or more of: " + strings.Join(known, ", ")
		}
		r.Wrong(n.Line, fix, "%s says nothing that can be read here", what)
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		line, twice := first[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || value.Kind == yaml.AliasNode || key.Tag == "!!merge":
			r.Wrong(key.Line, "write it out", "%s holds an alias or a name that is none, which are not read here", what)
			continue
		case twice:
			r.Wrong(key.Line, "keep one of them", "%s has %q twice, first on line %d", what, key.Value, line)
			continue
		}
		first[key.Value] = key.Line
		if known != nil && !slices.Contains(known, key.Value) {
			r.Unknown(key.Line, key.Value, what, known)
			continue
		}
		each(key, value)
	}
}

// Unknown says that there is no such name, and which one was most likely meant.
func (r *Reader) Unknown(line int, name, what string, known []string) {
	fix := "take one of: " + strings.Join(known, ", ")
	if nearest := nearest(name, known); nearest != "" {
		fix = fmt.Sprintf("write %s? There are: %s", nearest, strings.Join(known, ", "))
	}
	r.Wrong(line, fix, "%s has no %q", what, name)
}

// nearest is the known name that was most likely meant, one that begins with what was written before all others.
func nearest(name string, known []string) string {
	if near := config.Nearest(name, known, max(1, len(name)/3)); near != "" {
		return near
	}
	i := slices.IndexFunc(known, func(k string) bool { return len(name) > 2 && strings.HasPrefix(k, name) })
	if i < 0 {
		return ""
	}
	return known[i]
}
