package file_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/file"
)

var _ source.Source = (*file.Source)(nil)

const (
	first  = `{"cluster_name":"prod","taken_at":"2026-11-23T08:00:00Z","services":[{"name":"web"}]}`
	second = `{"cluster_name":"prod","taken_at":"2026-11-23T08:00:15Z","services":[{"name":"db"}]}`
)

// play opens a file with the given content.
func play(t *testing.T, content string) (*file.Source, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshots.jsonl")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := file.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, path
}

// readings reads n times and tells each reading by its service, or its error.
func readings(t *testing.T, s *file.Source, n int) []string {
	t.Helper()
	var got []string
	for range n {
		r, err := s.Read(t.Context())
		switch {
		case err != nil:
			got = append(got, "error: "+err.Error())
		default:
			got = append(got, r.Snapshot.Services[0].Name+" "+r.Snapshot.TakenAt.Format("15:04:05"))
		}
	}
	return got
}

func TestReadPlaysLineByLineAndStaysAtTheLast(t *testing.T) {
	tests := []struct{ name, content string }{
		{"with-newline-at-the-end", first + "\n" + second + "\n"},
		{"without-newline-at-the-end", first + "\n" + second},
		{"empty-lines", "\n\n" + first + "\r\n\n" + second + "\n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := play(t, tt.content)
			want := []string{"web 08:00:00", "db 08:00:15", "db 08:00:15", "db 08:00:15"}
			if diff := cmp.Diff(want, readings(t, s, 4)); diff != "" {
				t.Errorf("readings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadLineIsAnErrorThatNamesItAndDoesNotStopTheNext(t *testing.T) {
	s, path := play(t, first+"\n{\"cluster_name\":\n\n{}\n"+second+"\n")
	got := readings(t, s, 4)
	for i, want := range []string{"web 08:00:00", path + ":2: decode snapshot", path + ":4: validate snapshot: cluster_name: missing", "db 08:00:15"} {
		if !strings.Contains(got[i], want) {
			t.Errorf("reading %d is %q, want %q in it", i, got[i], want)
		}
	}
}

func TestLineThatIsTooLongIsAnErrorOfItsOwn(t *testing.T) {
	s, path := play(t, strings.Repeat("x", schema.MaxContextBytes+100)+"\n"+first+"\n")
	got := readings(t, s, 2)
	want := []string{fmt.Sprintf("error: %s:1: the line is longer than the %d bytes allowed", path, schema.MaxContextBytes), "web 08:00:00"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("readings (-want +got):\n%s", diff)
	}
}

func TestAppendedLinesArePlayedOn(t *testing.T) {
	s, path := play(t, first+"\n"+second[:20])
	half := readings(t, s, 2)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(second[20:] + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"web 08:00:00", "web 08:00:00", "db 08:00:15"}
	if diff := cmp.Diff(want, append(half, readings(t, s, 1)...)); diff != "" {
		t.Errorf("readings (-want +got):\n%s", diff)
	}
}

func TestSnapshotWithoutTimeIsTakenWhenItIsRead(t *testing.T) {
	s, _ := play(t, `{"cluster_name":"prod"}`)
	before := time.Now()
	for range 3 {
		r, err := s.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if at := r.Snapshot.TakenAt; at.Before(before) || at.After(time.Now()) {
			t.Errorf("taken at %v, which is not between %v and now", at, before)
		}
		before = r.Snapshot.TakenAt
	}
}

func TestFileWithoutSnapshotSaysSo(t *testing.T) {
	s, _ := play(t, "\n \n")
	if got := readings(t, s, 2); !strings.Contains(got[0], "no snapshot in it yet") || got[0] != got[1] {
		t.Errorf("readings: %q", got)
	}
}

func TestOpenRefusesWhatItCannotPlay(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                           "not a regular file",
		filepath.Join(dir, "missing"): "no such file",
	} {
		if err := file.Check(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("check %s: %v, want %q", path, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(first + "\n" + second))
	f.Add([]byte("{}\n\x00\n\xff\n" + first))
	f.Fuzz(func(t *testing.T, content []byte) {
		s, path := play(t, string(content))
		for range 5 {
			r, err := s.Read(t.Context())
			if err == nil {
				err = r.Snapshot.Validate()
			} else if strings.HasPrefix(err.Error(), path) || strings.HasPrefix(err.Error(), "read "+path) {
				continue
			}
			if err != nil {
				t.Errorf("reading: %v", err)
			}
		}
	})
}

func TestNextGivesEveryLineOnceAndThenTheEnd(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string
	}{
		{"whole", first + "\n\n" + second + "\n", []string{"1 web", "3 db", "EOF", "EOF"}},
		{"last-line-without-its-newline", first + "\n" + second, []string{"1 web", "2 db", "EOF"}},
		{"bad-line-in-between", first + "\n{}\n" + second, []string{"1 web", "2 bad", "3 db", "EOF"}},
		{"half-a-line-at-the-end", first + "\n" + second[:20], []string{"1 web", "2 bad", "EOF", "EOF"}},
		{"too-long", strings.Repeat("x", schema.MaxContextBytes+1) + "\n" + first, []string{"1 bad", "2 web", "EOF"}},
		{"as-it-stands-without-a-time", `{"cluster_name":"prod","services":[{"name":"web"}]}`, []string{"1 web, no time", "EOF"}},
		{"nothing", " \n\n", []string{"EOF"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, path := play(t, tt.content)
			var got []string
			for range tt.want {
				got = append(got, next(t, s, path))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// next tells what Next gives.
func next(t *testing.T, s *file.Source, path string) string {
	t.Helper()
	snapshot, err := s.Next()
	bad, isBad := errors.AsType[*file.BadLine](err)
	switch {
	case err == io.EOF: //nolint:errorlint // the end is not wrapped: its text is not to be shown
		return "EOF"
	case isBad:
		if bad.Line != s.Line() || !strings.HasPrefix(err.Error(), fmt.Sprintf("%s:%d: ", path, bad.Line)) {
			t.Errorf("line %d: %v", s.Line(), err)
		}
		return fmt.Sprintf("%d bad", bad.Line)
	case err != nil:
		return err.Error()
	}
	text := fmt.Sprintf("%d %s", s.Line(), snapshot.Services[0].Name)
	if snapshot.TakenAt.IsZero() {
		text += ", no time"
	}
	return text
}

func TestACompressedFileIsReadToWhereItWasCutOff(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	lines := `{"cluster_name":"prod"}` + "\n" + `{"cluster_name":"dev"}` + "\n"
	if _, err := w.Write([]byte(lines)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	flushed := packed.Len()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"whole": packed.Len(), "without-its-end": flushed} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshots.jsonl.gz")
			if err := os.WriteFile(path, packed.Bytes()[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := file.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			for _, want := range []string{"prod", "dev"} {
				if got, err := s.Next(); err != nil || got.ClusterName != want {
					t.Errorf("%q, %v, want %q", got.ClusterName, err, want)
				}
			}
			if _, err := s.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("after the last line: %v", err)
			}
		})
	}
}

func TestAFileThatIsNotCompressedAsItsNameSaysIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "snapshots.jsonl.gz")
	if err := os.WriteFile(path, []byte(`{"cluster_name":"prod"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := file.Check(path); err == nil || !strings.Contains(err.Error(), "without .gz") {
		t.Errorf("%v", err)
	}
}
