package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Secret is a string that never prints: every way of formatting, encoding or logging it gives "***", or nothing where
// it is empty. It is read from its variable, or from the file that the variable with the suffix _FILE names.
//
// fmt reaches the bare string of a Secret in an unexported field, so structs that hold one there are not to be printed whole, and JSON does
// not mask the keys of a map.
type Secret string

const masked = "***"

// Reveal is the one way to the value.
func (s Secret) Reveal() string { return string(s) }

// String is *** or empty.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString is what %#v shows.
func (s Secret) GoString() string { return fmt.Sprintf("config.Secret(%q)", s.String()) }

// Format masks the value whatever the verb.
func (s Secret) Format(f fmt.State, verb rune) {
	switch {
	case verb == 'v' && f.Flag('#'):
		_, _ = io.WriteString(f, s.GoString())
	case verb == 'q':
		fmt.Fprintf(f, "%q", s.String())
	default:
		_, _ = io.WriteString(f, s.String())
	}
}

// MarshalText masks the value in JSON and all encodings that ask for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue masks the value in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

const (
	fileSuffix    = "_FILE"
	maxSecretFile = 64 << 10
)

// readSecret sets the field from its variable or from the file that the one with the suffix names.
func (f field) readSecret(from source) error {
	file := f.name + fileSuffix
	path, value := from.get(file), from.get(f.name)
	switch {
	case path == "" && value == "":
		return f.process("")
	case path == "":
		f.value.SetString(value)
		return nil
	case value != "":
		return Mistake{Name: file, Value: path, Problem: "is set beside " + from.full(f.name) + ": set one of them"}
	}
	value, err := readSecretFile(path)
	if err != nil {
		return Mistake{Name: file, Value: path, Problem: fmt.Sprintf("gives no secret: %v; name a file that this user may read, or set %s", err, from.full(f.name))}
	}
	f.value.SetString(value)
	return nil
}

func readSecretFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	body, err := io.ReadAll(io.LimitReader(file, maxSecretFile+1))
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(string(body))
	switch {
	case len(body) > maxSecretFile:
		return "", fmt.Errorf("%s is larger than %d KB", path, maxSecretFile>>10)
	case value == "":
		return "", fmt.Errorf("%s is empty", path)
	}
	return value, nil
}
