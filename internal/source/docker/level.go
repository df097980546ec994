package docker

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// level is what a log line says of itself.
type level int

const (
	levelNone level = iota // it names no level
	levelFine              // a level below error
	levelBad               // error or worse
)

const (
	judgedBytes = 1 << 10 // of a line that is no JSON
	headWords   = 14      // a level stands among the first words of a line, after times and names
)

// levelOf reads the level that a line names, in the ways of the loggers that are common.
func levelOf(line string) level {
	trimmed := strings.TrimSpace(line)
	if strings.HasPrefix(trimmed, "{") {
		return ofJSON(trimmed)
	}
	trimmed = trimmed[:min(len(trimmed), judgedBytes)]
	for _, read := range []func(string) level{ofPriority, ofPrefix, ofPair} {
		if l := read(trimmed); l != levelNone {
			return l
		}
	}
	return ofWords(trimmed)
}

// ofJSON reads a line that is one JSON object. One that was cut short is searched for its level as text.
func ofJSON(line string) level {
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(line), &fields) != nil {
		if m := jsonPair.FindStringSubmatch(line); m != nil {
			return ofWord(m[1])
		}
		return levelNone
	}
	for _, name := range []string{"level", "severity", "lvl", "@l", "log.level", "levelname", "loglevel", "severity_text"} {
		if l := ofValue(fields[name], 50); l != levelNone {
			return l
		}
	}
	if l := ofValue(fields["levelno"], 40); l != levelNone {
		return l // Python's numbers
	}
	var nested struct {
		Log struct{ Level string } `json:"log"`
		T   json.RawMessage        `json:"t"`
		S   string                 `json:"s"`
	}
	if json.Unmarshal([]byte(line), &nested) != nil {
		return levelNone
	}
	if nested.T != nil && len(nested.S) == 1 { // MongoDB
		return map[string]level{"E": levelBad, "F": levelBad}[nested.S]
	}
	return ofWord(nested.Log.Level)
}

var jsonPair = regexp.MustCompile(`"(?:level|severity|lvl|@l)"\s*:\s*"(\w+)"`)

// ofValue reads a level that is a word, or a number of which least and more are errors. Numbers below 10 are those of
// syslog, where less is worse.
func ofValue(raw json.RawMessage, least float64) level {
	if len(raw) == 0 {
		return levelNone
	}
	var word string
	if json.Unmarshal(raw, &word) == nil {
		return ofWord(word)
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err != nil:
		return levelNone
	case n >= least || n < 10 && n <= 3:
		return levelBad
	}
	return levelFine
}

// Words that are levels, in lower case. Those in weakWords are also ordinary words, and levels only where they are set
// off as such.
const (
	badWords  = " error err erro eror severe fatal fata ftl panic pani pnc dpanic critical crit emerg emergency alert fail "
	fineWords = " info inf information warn warning wrn debug dbg dbug debu trace trce trac notice verbose note notes fine finer finest " +
		"config log detail hint statement context query location system "
	weakWords = " alert fail note notes fine finer finest config log detail hint statement context query location system "
)

func has(words, word string) bool { return strings.Contains(words, " "+word+" ") }

// ofWord reads a word that is known to be a level.
func ofWord(word string) level {
	word = strings.ToLower(strings.TrimRight(word, "+-0123456789")) // slog writes ERROR+2
	switch {
	case word == "":
		return levelNone
	case has(badWords, word) || word == "e" || word == "f":
		return levelBad
	}
	return levelFine
}

var (
	priority = regexp.MustCompile(`^<(\d{1,3})>`)
	klog     = regexp.MustCompile(`^([IWEF])\d{4} \d\d:\d\d:\d\d`)
	rubyLog  = regexp.MustCompile(`^([DIWEFA]), \[`)
	labelled = regexp.MustCompile(`(^|[:\]|-]|\dz?)$`)
	pair     = regexp.MustCompile(`(?:^|\s)(?:level|lvl|severity|loglevel)=["']?(\w+)`)
)

// ofPriority reads syslog's number, of which the lowest three bits are the level.
func ofPriority(line string) level {
	m := priority.FindStringSubmatch(line)
	if m == nil {
		return levelNone
	}
	n, err := strconv.Atoi(m[1])
	switch {
	case err != nil || n > 191:
		return levelNone
	case n&7 <= 3:
		return levelBad
	}
	return levelFine
}

// ofPrefix reads the letter with which klog and Ruby's logger begin.
func ofPrefix(line string) level {
	for _, prefix := range []*regexp.Regexp{klog, rubyLog} {
		if m := prefix.FindStringSubmatch(line); m != nil {
			return ofWord(m[1])
		}
	}
	return levelNone
}

// ofPair reads level=word.
func ofPair(line string) level {
	if m := pair.FindStringSubmatch(line); m != nil {
		return ofWord(m[1])
	}
	return levelNone
}

// ofWords takes the first word of a line that is a level: among the first words one that is written as a level is, and
// anywhere an error in capitals.
func ofWords(line string) level {
	words := 0
	for at := 0; at < len(line); {
		n := wordLength(line[at:])
		if n == 0 {
			at++
			continue
		}
		words++
		if l := ofSpot(spot{line, at, at + n}, words <= headWords); l != levelNone {
			return l
		}
		at += n
	}
	return levelNone
}

func wordLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) })
	if n < 0 {
		return len(s)
	}
	return n
}

// spot is a word in its line.
type spot struct {
	line     string
	from, to int
}

func (s spot) word() string   { return s.line[s.from:s.to] }
func (s spot) before() string { return s.line[:s.from] }
func (s spot) after() string  { return s.line[s.to:] }

// ofSpot reads a word as a level where it is written as one.
func ofSpot(s spot, head bool) level {
	word := strings.ToLower(s.word())
	bad := has(badWords, word)
	switch {
	case s.boxed():
		if len(word) == 1 && s.word() != word && strings.Contains("EFIWDCVT", s.word()) {
			return ofWord(s.word())
		}
	case !bad && !has(fineWords, word):
		return levelNone
	case s.capitals() && !has(weakWords, word) && (bad || head):
	case head && s.labels():
	default:
		return levelNone
	}
	switch {
	case bad && !saysNone(s.after()):
		return levelBad
	case has(fineWords, word):
		return levelFine
	}
	return levelNone
}

// boxed tells whether the word stands in brackets by itself, or after a module's name as Apache writes it.
func (s spot) boxed() bool {
	before, after := s.before(), s.after()
	if before == "" || after == "" || !strings.Contains("])>", after[:1]) && !strings.HasPrefix(after, " ]") {
		return false
	}
	open := strings.LastIndexAny(before, "[(<")
	if open < 0 || before[open] == '(' {
		return false
	}
	inside := before[open+1:]
	return inside == "" || strings.HasSuffix(inside, ":") && !strings.ContainsAny(inside, " /")
}

// capitals tells whether the word is in capitals and by itself: no part of a name, a path or a sum of errors.
func (s spot) capitals() bool {
	if s.word() != strings.ToUpper(s.word()) || len(s.word()) < 3 {
		return false
	}
	before, after := s.before(), s.after()
	if before != "" && !strings.Contains(" \t[(<|:,", before[len(before)-1:]) {
		return false
	}
	if after != "" && !strings.Contains(" \t])>|:,;/[", after[:1]) {
		return false
	}
	return !slices.Contains([]string{"no", "0", "zero", "without", "level", "to", "loglevel", "any", "on", "of"}, lastWord(before))
}

// lastWord is the word, or number, before a place, in lower case.
func lastWord(before string) string {
	before = strings.ToLower(strings.TrimRight(before, " \t:="))
	i := strings.LastIndexFunc(before, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return before[i+1:]
}

// labels tells whether the word is what a program puts before its message: "error: ", after no more than times and
// names that end the same way.
func (s spot) labels() bool {
	if !strings.HasPrefix(s.after(), ":") {
		return false
	}
	before := strings.ToLower(s.before())
	for _, qualifier := range []string{"fatal ", "parse ", "php ", "internal "} {
		before = strings.TrimSuffix(before, qualifier)
	}
	return labelled.MatchString(strings.TrimRight(before, " \t"))
}

// saysNone tells whether what follows the word says that there was none.
func saysNone(after string) bool {
	value := strings.TrimLeft(after, " \t:=\"'")
	if len(value) == len(after) {
		return false
	}
	value, _, _ = strings.Cut(value+" ", " ")
	return slices.Contains([]string{"0", "nil", "null", "none", "false", "<nil>", "no"}, strings.ToLower(strings.TrimRight(value, ",;.\"')")))
}
