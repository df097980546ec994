package docker

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

func TestUsedWorksOutLoadAndMemory(t *testing.T) {
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	before := sample{Read: at, CPU: 1_000_000_000}
	tests := []struct {
		name        string
		before, now sample
		want        usage
	}{
		{"half-a-processor", before, sample{Read: at.Add(10 * time.Second), CPU: 6_000_000_000, Memory: 100, Inactive: 30, Limit: 500}, usage{CPUPercent: new(50.0), Memory: new(int64(70)), Limit: new(int64(500))}},
		{"first-sample-knows-no-load", sample{}, sample{Read: at, CPU: 5, Memory: 100}, usage{Memory: new(int64(100))}},
		{"restarted-between", before, sample{Read: at.Add(time.Second), CPU: 5, Memory: 100}, usage{Memory: new(int64(100))}},
		{"no-memory-group", before, sample{Read: at.Add(time.Second), CPU: 1_000_000_000}, usage{CPUPercent: new(0.0)}},
		{"cache-counted-elsewhere", sample{}, sample{Read: at, Memory: 10, Inactive: 30}, usage{Memory: new(int64(10))}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.At = tt.now.Read
			if diff := cmp.Diff(tt.want, used(tt.before, tt.now)); diff != "" {
				t.Errorf("usage (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadSampleUnderstandsBothControlGroups(t *testing.T) {
	tests := []struct {
		file string
		want sample
		ok   bool
	}{
		{"testdata/stats-cgroup1.json", sample{Read: time.Date(2026, 11, 23, 14, 20, 0, 500, time.UTC), CPU: 55_000_000, Memory: 216_000_000, Inactive: 209_200_000, Limit: 67_108_864}, true},
		{"testdata/stats-cgroup2.json", sample{Read: time.Date(2026, 11, 23, 14, 20, 0, 500, time.UTC), CPU: 55_000_000, Memory: 216_000_000, Inactive: 209_200_000, Limit: 8_000_000_000}, true},
		{"testdata/stats-stopped.json", sample{}, false},
	}
	for _, tt := range tests {
		t.Run(strings.TrimPrefix(tt.file, "testdata/"), func(t *testing.T) {
			f, err := os.Open(tt.file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got, ok, err := readSample(f)
			if err != nil || ok != tt.ok {
				t.Fatalf("ok %v, error %v", ok, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("sample (-want +got):\n%s", diff)
			}
		})
	}
}

func frame(stream byte, text string) string {
	head := [8]byte{stream}
	binary.BigEndian.PutUint32(head[4:], uint32(len(text)))
	return string(head[:]) + text
}

func TestReadLogsTakesLinesFromFramesOrRawText(t *testing.T) {
	tests := []struct {
		name string
		body string
		want []string
	}{
		{"framed", frame(1, "one\ntwo\n") + frame(2, "three\n"), []string{"one", "two", "three"}},
		{"line-over-two-frames", frame(1, "on") + frame(2, "error\n") + frame(1, "e\n"), []string{"error", "one"}},
		{"raw-of-a-terminal", "one\r\ntwo\r\n", []string{"one", "two"}},
		{"without-an-end", frame(2, "panic: x"), []string{"panic: x"}},
		{"colours", frame(1, "\x1b[31mred\x1b[0m\n"), []string{"red"}},
		{"broken-frame-keeps-what-came", frame(1, "one\n") + "\x09\x00\x00\x00garbage", []string{"one"}},
		{"cut-frame-keeps-what-came", frame(1, "one\ntwo\n")[:13], []string{"one", "t"}},
		{"frame-too-long-is-no-frame", "\x01\x00\x00\x00\xff\xff\xff\xff" + "abc\n", []string{"\ufffdabc"}},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, readLogs(strings.NewReader(tt.body))); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadLogsRedactsBeforeItCuts(t *testing.T) {
	secret := "AKIAIOSFODNN7EXAMPLE"
	line := strings.Repeat("x ", schema.MaxLogLineBytes/2-5) + "key=" + secret + " tail\n"
	for _, got := range readLogs(strings.NewReader(frame(1, line))) {
		if strings.Contains(got, "AKIA") {
			t.Errorf("half a secret is left: …%s", got[len(got)-40:])
		}
	}
	key := "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq3\nq8dOZb1\n-----END RSA PRIVATE KEY-----\n"
	if got := strings.Join(readLogs(strings.NewReader(frame(1, key))), "\n"); strings.Contains(got, "MIIEow") {
		t.Errorf("a key over several lines is left: %s", got)
	}
}

func TestReadLogsKeepsTheNewestLines(t *testing.T) {
	var body strings.Builder
	for range 500 {
		body.WriteString(frame(1, "old\n"))
	}
	body.WriteString(frame(1, strings.Repeat("y", 1<<20)) + frame(1, "\nlast\n"))
	got := readLogs(strings.NewReader(body.String()))
	if len(got) != schema.MaxLogLines || got[len(got)-1] != "last" || len(got[len(got)-2]) > schema.MaxLogLineBytes {
		t.Errorf("%d lines, the last %q", len(got), got[max(0, len(got)-1):])
	}
}

func FuzzReadLogsStaysWithinItsBounds(f *testing.F) {
	f.Add([]byte(frame(1, "one\ntwo\n")))
	f.Add([]byte("\x01\x00\x00\x00\xff\xff\xff\xff"))
	f.Add([]byte("raw\n\n\r\nlines\xff\x1b]0;x\x07"))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines := readLogs(bytes.NewReader(body))
		if len(lines) > schema.MaxLogLines {
			t.Errorf("%d lines", len(lines))
		}
		if slices.ContainsFunc(lines, func(s string) bool {
			return len(s) > schema.MaxLogLineBytes || !utf8.ValidString(s) || strings.ContainsAny(s, "\n\x1b")
		}) {
			t.Errorf("unfit line in %q", lines)
		}
	})
}

func FuzzReadSampleNeverPanics(f *testing.F) {
	f.Add([]byte(`{"read":"2026-11-23T14:20:00Z","memory_stats":{"usage":5}}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		s, _, _ := readSample(bytes.NewReader(body))
		used(s, s)
	})
}
