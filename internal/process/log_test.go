package process_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/bellbuoy/bellbuoy/internal/process"
)

func TestLoggerWritesJSONToWhatIsNoTerminal(t *testing.T) {
	for _, format := range []string{"", "json"} {
		var out bytes.Buffer
		process.Logger(&out, process.LogConfig{Format: format}).Info("one", "key", "two\nlines", "err", errors.New("broken"))
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%q is not JSON: %v", out.String(), err)
		}
		if line["msg"] != "one" || line["key"] != "two\nlines" || line["err"] != "broken" || line["level"] != "INFO" {
			t.Errorf("line %v", line)
		}
	}
}

func TestLoggerWritesPlainTextWhenAsked(t *testing.T) {
	var out bytes.Buffer
	process.Logger(&out, process.LogConfig{Format: "text"}).Warn("one", "key", "two\nlines", "esc", "\x1b[31mred")
	got := out.String()
	if !strings.Contains(got, "WRN one key=\"two\\nlines\"") || strings.Contains(got, "\x1b") || strings.Count(got, "\n") != 1 {
		t.Errorf("line %q", got)
	}
}

func TestLoggerTakesSecretsOut(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		log := process.Logger(&out, process.LogConfig{Format: format})
		log.With("url", "nats://app:hunter2@bus").WithGroup("g").Info("dial redis://:hunter2@cache", "err", fmt.Errorf("token=hunter2: %w", io.EOF), "api_key", "hunter2", "n", 7, "body", []string{"password=hunter2"})
		if got := out.String(); strings.Contains(got, "hunter2") || strings.Count(got, "[REDACTED:") != 5 || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: line %q", format, got)
		}
	}
}

func TestLoggerKnowsItsLevels(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "": 3, "warn": 2, "error": 1} {
		var out bytes.Buffer
		log := process.Logger(&out, process.LogConfig{Level: level})
		log.Debug("d")
		log.Info("i")
		log.Warn("w")
		log.Error("e")
		if got := strings.Count(out.String(), "\n"); got != want {
			t.Errorf("level %q wrote %d lines, want %d", level, got, want)
		}
	}
}

func TestLoggerOnATerminal(t *testing.T) {
	tests := []struct {
		name, noColor string
		config        process.LogConfig
		want          func(line string) bool
	}{
		{"coloured", "", process.LogConfig{}, func(l string) bool { return strings.Contains(l, "\x1b[") }},
		{"no-color-asked", "1", process.LogConfig{}, func(l string) bool { return !strings.Contains(l, "\x1b[") && strings.Contains(l, "INF one") }},
		{"json-asked", "", process.LogConfig{Format: "json"}, func(l string) bool { return json.Valid([]byte(l)) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", tt.noColor)
			screen, tty := terminal(t)
			process.Logger(tty, tt.config).Info("one")
			tty.Close()
			line, err := io.ReadAll(screen)
			if len(line) == 0 {
				t.Fatalf("nothing on the screen: %v", err)
			}
			if !tt.want(string(line)) {
				t.Errorf("line %q", line)
			}
		})
	}
}

// terminal opens a pair of a pseudo-terminal and what shows on its screen.
func terminal(t *testing.T) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	var unlocked, number int32
	ioctl(t, screen, syscall.TIOCSPTLCK, &unlocked)
	ioctl(t, screen, syscall.TIOCGPTN, &number)
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return screen, tty
}

func ioctl(t *testing.T, f *os.File, request uintptr, value *int32) {
	t.Helper()
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(value)))
	if errno != 0 {
		t.Fatal(errno)
	}
}
