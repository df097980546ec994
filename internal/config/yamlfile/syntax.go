package yamlfile

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// yamlLine and unknownAnchor find where the library's errors say that the text is no YAML.
var (
	yamlLine      = regexp.MustCompile(`^line (\d+): `)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// countedFromZero are errors of the library's parser, which gives the lines before theirs; its scanner does not.
var countedFromZero = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`)

// syntax tells that the text is no YAML. The library's line is where the part begins that it could not read.
func (r *Reader) syntax(err error, text []byte) {
	line, problem := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(problem); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits, of a text of bounded length
		if problem = problem[len(m[0]):]; countedFromZero.MatchString(problem) {
			line++
		}
	}
	if m := unknownAnchor.FindStringSubmatch(problem); m != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+m[1]))
		if r.Secret {
			m[1] = "…"
		}
		r.Wrong(bytes.Count(before, []byte("\n"))+1, `write it in quotes, "*`+m[1]+`", if it is a pattern`,
			"what begins with * is an alias to YAML, and here to nothing")
		return
	}
	r.Wrong(line, "put right what begins here: indent with spaces, close brackets, a colon and a space after each name", "not YAML: %s", problem)
}
