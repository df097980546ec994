package docker

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

const (
	maxRawLine = 16 << 10 // of one line as it comes, before redaction
	maxFrame   = 1 << 20  // of one frame; a longer one is not believed
	maxLog     = 4 << 20  // of one answer
)

// readLogs reads the newest lines of an answer of the engine: multiplexed in frames, or raw where the container has a
// terminal or the engine does not frame. It takes secrets out of the text as a whole, because some span lines, and
// then cuts. What comes before a broken frame is kept.
func readLogs(body io.Reader) []string {
	var t tail
	split := splitter{take: t.add}
	split.read(io.LimitReader(body, maxLog))
	split.end()
	return tidy(t.lines)
}

// tidy redacts raw lines and makes them fit for a snapshot.
func tidy(raw []string) []string {
	var lines []string
	for line := range strings.Lines(scrub.Clean(strings.Join(raw, "\n"))) {
		if line = scrub.Line(line, schema.MaxLogLineBytes); line != "" {
			lines = append(lines, line)
		}
	}
	return lines[max(0, len(lines)-schema.MaxLogLines):]
}

// framed looks at the first header without taking it: a stream's number, three zeros, a length.
func framed(in *bufio.Reader) bool {
	head, err := in.Peek(8)
	return err == nil && frameSize(head) >= 0
}

// frameSize reads a frame's header; it is negative if this is none.
func frameSize(head []byte) int {
	if head[0] > 3 || head[1] != 0 || head[2] != 0 || head[3] != 0 {
		return -1
	}
	size := binary.BigEndian.Uint32(head[4:])
	if size > maxFrame {
		return -1
	}
	return int(size)
}

// tail keeps the newest lines. A few more than are wanted are kept, because empty ones fall out later.
type tail struct{ lines []string }

func (t *tail) add(_ int, line []byte) {
	t.lines = append(t.lines, string(line))
	if keep := 2 * schema.MaxLogLines; len(t.lines) > keep {
		t.lines = t.lines[1:]
	}
}

// splitter takes up to four interleaved streams apart into lines.
type splitter struct {
	take func(stream int, line []byte) // line is good until it returns
	part [4]bytes.Buffer
}

// read reads an answer until it ends or breaks.
func (s *splitter) read(body io.Reader) {
	in := bufio.NewReaderSize(body, 32<<10)
	if framed(in) {
		s.frames(in)
	} else {
		_ = s.copy(0, in) // what came before it broke off is kept
	}
}

func (s *splitter) frames(in io.Reader) {
	var head [8]byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		size := frameSize(head[:])
		if size < 0 || s.copy(int(head[0]), io.LimitReader(in, int64(size))) != nil {
			return
		}
	}
}

// copy takes text of one stream in.
func (s *splitter) copy(stream int, in io.Reader) error {
	chunk := make([]byte, 4<<10)
	for {
		n, err := in.Read(chunk)
		s.write(stream, chunk[:n])
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *splitter) write(stream int, text []byte) {
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		part := &s.part[stream]
		part.Write(line[:min(len(line), maxRawLine-part.Len())])
		if whole {
			s.take(stream, part.Bytes())
			part.Reset()
		}
		text = rest
	}
}

// end gives the lines that nothing has ended.
func (s *splitter) end() {
	for i := range s.part {
		if s.part[i].Len() > 0 {
			s.take(i, s.part[i].Bytes())
			s.part[i].Reset()
		}
	}
}
