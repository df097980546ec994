// Package file is the source that plays snapshots from a file of JSON Lines: one ClusterContext on each line, one line
// for each reading. It is for trying rules and channels on a made-up or recorded cluster.
//
// The file is played from its first line whenever the source is opened, which keeps no state. Empty lines are passed
// over. A line that is not a valid snapshot is the error of one reading, which names file and line; the next reading
// goes on with the next line. After the last line its snapshot stays: every further reading gives it again, until
// somebody appends to the file, which is then played on. A snapshot keeps the taken_at that its line says, so one that
// has one grows old once the file is at its end; one without is taken at the time of each reading, so it stays
// present. Readings count nothing: totals are what the lines say, unknown where they say nothing.
//
// A file whose name ends in .gz is read through gzip. It can be read to where its writer was cut off, but what is appended
// to it later is not played.
package file

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
)

// Source plays one file. It is a source.Source; its methods are called from one goroutine.
type Source struct {
	path string
	file *os.File
	in   *bufio.Reader
	line int    // the number of the line read last, from 1
	part []byte // of a line whose end has not been written yet
	last *schema.ClusterContext
}

// Check says why path cannot be played: it is not there, not readable, or not a regular file.
func Check(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	return s.Close()
}

// Open opens the file at path, with the errors of Check.
func Open(path string) (*Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open file of snapshots: %w", err)
	}
	if !info.Mode().IsRegular() { // reading a pipe or a directory could wait for ever
		return nil, fmt.Errorf("open file of snapshots: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open file of snapshots: %w", err)
	}
	text, err := Unpacked(path, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Source{path: path, file: f, in: bufio.NewReaderSize(text, 64<<10)}, nil
}

// Packed tells whether a file of that name is compressed with gzip.
func Packed(path string) bool { return strings.HasSuffix(path, ".gz") }

// Unpacked is the text of f, which is the file of that name.
func Unpacked(path string, f io.Reader) (io.Reader, error) {
	if !Packed(path) {
		return f, nil
	}
	text, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("open file of snapshots: unpack %s: %w: a name without .gz is read as it is", path, err)
	}
	return text, nil
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }

// BadLine is the error of one line that is no valid snapshot. The lines after it can be read.
type BadLine struct {
	Path string
	Line int // from 1
	Err  error
}

func (b *BadLine) Error() string { return fmt.Sprintf("%s:%d: %v", b.Path, b.Line, b.Err) }

// Unwrap gives what is wrong with the line.
func (b *BadLine) Unwrap() error { return b.Err }

// Line is the number of the line that was read last, from 1.
func (s *Source) Line() int { return s.line }

// Next gives the snapshot of the next line as it stands there, once: it is for whoever reads a recording from end to end.
// Its error is io.EOF after the last one, a *BadLine, or one of reading the file. Half a line at the end is a bad one.
func (s *Source) Next() (schema.ClusterContext, error) {
	line, err := s.next()
	switch {
	case errors.Is(err, io.EOF) && len(bytes.TrimSpace(s.part)) > 0:
		s.line, s.part = s.line+1, nil
		return schema.ClusterContext{}, &BadLine{Path: s.path, Line: s.line, Err: errors.New("the line is not whole: whoever wrote it was cut off")}
	case errors.Is(err, io.EOF):
		return schema.ClusterContext{}, io.EOF
	case err != nil:
		return schema.ClusterContext{}, err
	}
	return s.decode(line)
}

func (s *Source) decode(line []byte) (schema.ClusterContext, error) {
	snapshot, err := schema.DecodeContext(line)
	if err != nil {
		return schema.ClusterContext{}, &BadLine{Path: s.path, Line: s.line, Err: err}
	}
	return snapshot, nil
}

// Read gives the snapshot of the next line, or once more the last one. Its error is about one line, or says that the
// file has no snapshot at all.
func (s *Source) Read(context.Context) (source.Reading, error) {
	line, err := s.next()
	switch {
	case errors.Is(err, io.EOF) && s.last == nil:
		return source.Reading{}, fmt.Errorf("read %s: no snapshot in it yet", s.path)
	case errors.Is(err, io.EOF):
		return s.reading(*s.last), nil
	case err != nil:
		return source.Reading{}, err
	}
	snapshot, err := s.decode(line)
	if err != nil {
		return source.Reading{}, err
	}
	s.last = &snapshot
	return s.reading(snapshot), nil
}

func (s *Source) reading(snapshot schema.ClusterContext) source.Reading {
	if snapshot.TakenAt.IsZero() {
		snapshot.TakenAt = time.Now().UTC()
	}
	snapshot.StoredAt = time.Time{} // it is stored anew
	return source.Reading{Snapshot: snapshot}
}

// next returns the next line that is not empty. io.EOF: there is none yet.
func (s *Source) next() ([]byte, error) {
	for {
		line, whole, err := s.readLine()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", s.path, err)
		}
		switch line = bytes.TrimSpace(line); {
		case !whole && !complete(line):
			return nil, io.EOF // somebody is still writing it
		case !whole && len(line) == 0:
			return nil, io.EOF
		}
		s.line++
		s.part = nil
		switch {
		case len(line) > schema.MaxContextBytes:
			return nil, &BadLine{Path: s.path, Line: s.line, Err: fmt.Errorf("the line is longer than the %d bytes allowed", schema.MaxContextBytes)}
		case len(line) > 0:
			return line, nil
		}
	}
}

// complete tells whether the last line of a file, which no newline ends, is a whole snapshot already.
func complete(line []byte) bool {
	_, err := schema.DecodeContext(line)
	return err == nil
}

// readLine returns what there is of the next line, at most one byte more than a snapshot may have, and whether its
// newline has been written.
func (s *Source) readLine() (line []byte, whole bool, err error) {
	for {
		chunk, err := s.in.ReadSlice('\n')
		if room := schema.MaxContextBytes + 1 - len(s.part); room > 0 {
			s.part = append(s.part, chunk[:min(room, len(chunk))]...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF): // the latter in a compressed file that was cut off
			return s.part, false, nil
		default:
			return s.part, err == nil, err
		}
	}
}
