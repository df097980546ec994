package scrub

import "strings"

// places are the indexes of a match and of the groups in it, as package regexp gives them; -1: not there.
type places [16]int

func nowhere() (m places) {
	for i := range m {
		m[i] = -1
	}
	return m
}

// The two commonest kinds of secret are matched by hand, because a regular expression costs as much as ten lines of
// ordinary log. Each function gives what the expression above it gives at start, which a test holds it to.

// findURL matches scheme, user information and host: 1 scheme, 2 user, 3 password.
//
//	(?i)^([a-z][a-z0-9+.-]{0,30})://([^\s/@:"'<>?#]*)(?::([^\s/"'<>?#]*))?@
func findURL(line string, start int) (m places, ok bool) {
	m = nowhere()
	i := start
	for i < len(line) && i-start < 31 && (letter(line[i]) || i > start && (digit(line[i]) || strings.IndexByte("+.-", line[i]) >= 0)) {
		i++
	}
	if i == start || !strings.HasPrefix(line[i:], "://") {
		return m, false
	}
	m[0], m[2], m[3] = start, start, i
	user := i + len("://")
	i = user
	for i < len(line) && urlByte(line[i]) && line[i] != '@' && line[i] != ':' {
		i++
	}
	m[4], m[5] = user, i
	if i < len(line) && line[i] == ':' {
		password := i + 1
		end := password
		for end < len(line) && urlByte(line[end]) {
			end++
		}
		at := strings.LastIndexByte(line[password:end], '@')
		if at < 0 {
			return m, false
		}
		m[6], m[7] = password, password+at
		i = m[7]
	}
	if i == len(line) || line[i] != '@' {
		return m, false
	}
	m[1] = i + 1
	return m, true
}

// urlByte tells whether user information can hold c.
func urlByte(c byte) bool { return !space(c) && strings.IndexByte(`/"'<>?#`, c) < 0 }

// findValue matches a key that names a secret, a separator and a value: 1 the key's telling word, 2 the separator with
// what surrounds it, 3 to 6 the value: in escaped quotes, in double quotes, in single quotes, bare; 7 the value of an
// option. Words and ends are those of secretWords, keyWords and keyEnds.
//
//	(?i)^(WORD|[?&]sig|(?:KEYWORD)[_-]?key)(?:[_-]?[0-9]{1,3}|END)?
//	(?:(\\*["']?\s*(?:=>|:=|==?|:)\s*)(?:\\+"(.*?)\\+"|"((?:[^"\\]|\\.)*)"?|'([^']*)'?|([^\s"'&,;)}\]<>|]+))|\s+([^\s"'-][^\s"']*))
func findValue(line string, start int) (m places, ok bool) {
	rest := line[start:]
	for _, word := range secretWords {
		if foldPrefix(rest, word) {
			if m, ok = afterWord(line, start, start+len(word)); ok {
				return m, true
			}
		}
	}
	if len(rest) > 3 && (rest[0] == '?' || rest[0] == '&') && foldPrefix(rest[1:], "sig") {
		return afterWord(line, start, start+len("?sig"))
	}
	for _, word := range keyWords {
		if !foldPrefix(rest, word) {
			continue
		}
		end := len(word)
		if end < len(rest) && (rest[end] == '_' || rest[end] == '-') {
			end++
		}
		if foldPrefix(rest[end:], "key") {
			return afterWord(line, start, start+end+len("key"))
		}
	}
	return nowhere(), false
}

// afterWord matches what follows the telling word of a key.
func afterWord(line string, start, end int) (m places, ok bool) {
	m = nowhere()
	m[0], m[2], m[3] = start, start, end
	i := afterEnd(line, end)
	if m, ok = afterKey(line, i, m); !ok && i > end {
		m, ok = afterKey(line, end, m)
	}
	return m, ok
}

// afterEnd is where a key goes on behind a number or one of keyEnds, as in token_2 and secret_b64.
func afterEnd(line string, i int) int {
	for _, end := range keyEnds {
		if foldPrefix(line[i:], end) {
			return i + len(end)
		}
	}
	digits := i
	if digits < len(line) && (line[digits] == '_' || line[digits] == '-') {
		digits++
	}
	n := 0
	for n < 3 && digits+n < len(line) && digit(line[digits+n]) {
		n++
	}
	if n == 0 {
		return i
	}
	return digits + n
}

// afterKey matches a separator with a value, or a space with the value of an option.
func afterKey(line string, i int, m places) (places, bool) {
	at := i
	for at < len(line) && line[at] == '\\' {
		at++
	}
	if at < len(line) && (line[at] == '"' || line[at] == '\'') {
		at++
	}
	at = skipSpace(line, at)
	for _, sign := range []string{"=>", ":=", "==", "=", ":"} {
		if !strings.HasPrefix(line[at:], sign) {
			continue
		}
		if v := skipSpace(line, at+len(sign)); valueAt(line, v, &m) {
			m[4], m[5] = i, v
			return m, true
		}
	}
	v := skipSpace(line, i)
	if v == i || v == len(line) || line[v] == '"' || line[v] == '\'' || line[v] == '-' {
		return m, false
	}
	end := v + 1
	for end < len(line) && !space(line[end]) && line[end] != '"' && line[end] != '\'' {
		end++
	}
	m[1], m[14], m[15] = end, v, end
	return m, true
}

// valueAt matches a value in one of its four forms.
func valueAt(line string, v int, m *places) bool {
	if v == len(line) {
		return false
	}
	switch line[v] {
	case '\\':
		if from, to, end := escapedQuotes(line, v); end > 0 {
			m[1], m[6], m[7] = end, from, to
			return true
		}
	case '"':
		end := v + 1
		for end < len(line) && line[end] != '"' {
			if line[end] == '\\' {
				if end+1 == len(line) {
					break
				}
				end++
			}
			end++
		}
		m[8], m[9] = v+1, end
		m[1] = past(line, end, '"')
		return true
	case '\'':
		end := len(line)
		if n := strings.IndexByte(line[v+1:], '\''); n >= 0 {
			end = v + 1 + n
		}
		m[10], m[11] = v+1, end
		m[1] = past(line, end, '\'')
		return true
	}
	end := v
	for end < len(line) && !space(line[end]) && strings.IndexByte(`"'&,;)}]<>|`, line[end]) < 0 {
		end++
	}
	if end == v {
		return false
	}
	m[1], m[12], m[13] = end, v, end
	return true
}

// escapedQuotes is what stands between \" and \" at v, whatever the number of backslashes; end 0: nothing does.
func escapedQuotes(line string, v int) (from, to, end int) {
	for v < len(line) && line[v] == '\\' {
		v++
	}
	if v == len(line) || line[v] != '"' {
		return 0, 0, 0
	}
	from = v + 1
	n := strings.Index(line[from:], `\"`)
	if n < 0 {
		return 0, 0, 0
	}
	to = from + n
	end = to + len(`\"`)
	for to > from && line[to-1] == '\\' {
		to--
	}
	return from, to, end
}

// past is behind a quote that stands at i, or i.
func past(line string, i int, quote byte) int {
	if i < len(line) && line[i] == quote {
		return i + 1
	}
	return i
}

func skipSpace(line string, i int) int {
	for i < len(line) && space(line[i]) {
		i++
	}
	return i
}

// foldPrefix tells whether s begins with a word in small letters, in whatever letters.
func foldPrefix(s, word string) bool {
	if len(s) < len(word) {
		return false
	}
	for i := range len(word) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

func letter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' }
