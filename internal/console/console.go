// Package console is how Bellbuoy looks in a terminal: the line of an event, tables, one conversation as a timeline,
// and what `bellbuoy up` says first. It decides nothing and asks nobody; it gets values and writes text.
//
// Text of clusters, models and people is data: it is scrubbed before it is written, so that it cannot steer the
// terminal. A terminal gets lines of its own width and colours that read on light and on dark; anything else (a pipe, a
// file, a journal) gets no colour and no wrapping, because it has no width. A Printer belongs to one goroutine.
package console

import (
	"io"
	"os"
	"strconv"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"
)

// Color says whether colours are used.
type Color int

// ColorAuto is a terminal in colour, unless NO_COLOR is set or TERM is "dumb", and nothing else.
const (
	ColorAuto Color = iota
	ColorAlways
	ColorNever
)

// Options of a Printer. The zero value asks the writer what it is.
type Options struct {
	Width    int            // columns; 0: those of the terminal, else COLUMNS, else 80 on a terminal and no limit elsewhere
	Color    Color          // see ColorAuto
	Location *time.Location // of the times that are shown; nil: local
	Cluster  string         // left off the names of its own objects; empty: every name has its cluster
}

// Printer writes to one place. What cannot be written is lost; Err tells.
type Printer struct {
	w     io.Writer
	o     Options
	known known
	err   error
}

// New gives a printer on w.
func New(w io.Writer, o Options) *Printer {
	if o.Location == nil {
		o.Location = time.Local
	}
	if o.Color == ColorAuto {
		o.Color = ColorNever
		if terminal(w) != nil && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
			o.Color = ColorAlways
		}
	}
	return &Printer{w: w, o: o, known: newKnown()}
}

// Err is the first error of writing.
func (p *Printer) Err() error { return p.err }

// Alone leaves the cluster off the names of its objects from now on, because it is the only one, or the one that is
// being watched.
func (p *Printer) Alone(cluster string) { p.o.Cluster = cluster }

// write writes one whole piece of text, so that nothing else comes between its lines.
func (p *Printer) write(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

// noLimit is the width of what has none.
const noLimit = 1 << 20

const (
	usualWidth = 80
	leastWidth = 40 // below that nothing fits, and the terminal may wrap as it likes
)

// width is asked with every line, because people resize terminals.
func (p *Printer) width() int {
	if p.o.Width > 0 {
		return max(p.o.Width, leastWidth)
	}
	f := terminal(p.w)
	if f != nil {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return max(n, leastWidth)
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return max(n, leastWidth)
	}
	if f != nil {
		return usualWidth
	}
	return noLimit
}

// Width is how many columns a line has; 0: as many as it likes.
func (p *Printer) Width() int {
	if w := p.width(); w != noLimit {
		return w
	}
	return 0
}

// terminal is w if that is one, else nil.
func terminal(w io.Writer) *os.File {
	if f, ok := w.(*os.File); ok && isatty.IsTerminal(f.Fd()) {
		return f
	}
	return nil
}
