package scrub

import (
	"slices"
	"strings"
)

var (
	// secretWords name a secret.
	secretWords = []string{"password", "passwd", "passphrase", "pwd", "secret", "token", "signature"}
	// keyWords do before "key".
	keyWords = []string{"api", "access", "private", "secret", "auth", "signing", "encryption", "account", "shared"}
	// keyEnds may follow both.
	keyEnds = []string{"_b64", "_base64", "_hash", "_hex"}
)

var valueHints = []string{
	"passw", "passphrase", "pwd", "secret", "token", "signature", "sig=",
	"_key", "-key", "apikey", "accesskey", "privatekey", "authkey", "signingkey", "encryptionkey", "accountkey", "sharedkey", "secretkey",
}

// valueStart is where a key begins that has its hint at i.
func valueStart(line string, i int) int {
	switch line[i] {
	case 's', 'S': // of secret and signature, or of ?sig=
		if len(line) > i+3 && line[i+3] == '=' {
			return i - 1
		}
	case '_', '-': // of the second part of api_key
		for _, first := range keyWords {
			if start := i - len(first); start >= 0 && foldPrefix(line[start:i], first) {
				return start
			}
		}
		return -1
	}
	return i
}

// valueSecret is the value, unless it is a placeholder, or the whole is prose rather than data.
func valueSecret(line string, m places) (from, to int, ok bool) {
	if m[14] >= 0 {
		return m[14], m[15], option(line, m[2]) && !placeholder(line[m[14]:m[15]])
	}
	for i := 6; i < 14; i += 2 {
		if m[i] >= 0 {
			from, to = m[i], m[i+1]
		}
	}
	value := line[from:to]
	switch {
	case placeholder(value):
		return from, to, false
	case strings.EqualFold(line[m[2]:m[3]], "pwd") && strings.HasPrefix(value, "/"):
		return from, to, false // the working directory
	case prose(line[m[4]:m[5]]):
		return from, to, random(value) && len(value) >= 6 || wholeLine(line, m[2], to)
	}
	return from, to, true
}

// prose tells whether a separator is a colon as in a sentence: nothing before it, a space after it.
func prose(separator string) bool {
	return separator[0] == ':' && len(separator) > 1 && separator[1] != '='
}

// wholeLine tells whether a line is nothing but a key and its value, as in a configuration file.
func wholeLine(line string, key, valueEnd int) bool {
	return !strings.ContainsAny(strings.TrimLeft(line[:key], " \t-"), " \t:") && strings.Trim(line[valueEnd:], ` "',`+"\t\r") == ""
}

// option tells whether the key at this place is part of an option of a command line: --some-key.
func option(line string, key int) bool {
	word := line[strings.LastIndexAny(line[:key], " \t\"'")+1 : key]
	return strings.HasPrefix(word, "--")
}

// placeholder tells whether a value stands for a secret, or for its absence, instead of being one.
func placeholder(value string) bool {
	if strings.Trim(value, "*x.•") == "" || redacted(value) {
		return true
	}
	if strings.HasPrefix(value, "${") || strings.HasPrefix(value, "{{") || strings.HasPrefix(value, "$(") || strings.HasPrefix(value, "%") {
		return true
	}
	words := []string{
		"true", "false", "null", "nil", "none", "yes", "no", "undefined", "empty", "missing", "required", "invalid",
		"expired", "redacted", "hidden", "filtered", "masked", "bearer", "unknown", "unset", "set",
	}
	return slices.Contains(words, strings.ToLower(strings.Trim(value, "[]<>()*")))
}
