package replay

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/file"
)

// Record writes the snapshots of a bus into a file that only its owner may read.
type Record struct {
	Path      string // one that ends in .gz is compressed
	Cluster   string // empty: all clusters
	Overwrite bool   // whatever is there; otherwise that is an error
}

// Recorded is what was written.
type Recorded struct {
	Snapshots int            `json:"snapshots"`
	Bytes     int64          `json:"bytes"`    // of the file
	Clusters  map[string]int `json:"clusters"` // snapshots of each
	LeftOut   int            `json:"left_out"` // what is stored as a snapshot and is none
}

// Run writes the newest snapshot of each cluster, and then each that is stored, until ctx is done: the body as it is, on
// one line, with the time of storing as its stored_at, and as its taken_at if it has none. Each line is in the file before the next one is
// taken; ready is called when the newest ones are. What is no valid snapshot of its subject's cluster is told to refused
// and left out. If a line cannot be written, what there is of it is taken back.
func (r Record) Run(ctx context.Context, b *bus.Bus, ready func(), refused func(error)) (Recorded, error) {
	w := &writer{bus: b, done: Recorded{Clusters: map[string]int{}}, refused: refused}
	if _, err := b.Contexts(ctx); err != nil { // before a file is made; following would wait for the stream
		return w.done, err
	}
	mode := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if r.Overwrite {
		mode = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	f, err := os.OpenFile(r.Path, mode, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return w.done, fmt.Errorf("record: %s is there already: choose another file, or overwrite it with --force", r.Path)
	}
	if err != nil {
		return w.done, fmt.Errorf("record: %w", err)
	}
	w.file = f
	if file.Packed(r.Path) {
		w.pack = gzip.NewWriter(&w.packed)
	}
	err = b.FollowContexts(ctx, r.Cluster, ready, w.take)
	return w.done, errors.Join(err, w.end(), f.Close())
}

type writer struct {
	bus     *bus.Bus
	file    *os.File
	pack    *gzip.Writer // into packed; nil: lines are written as they are
	packed  bytes.Buffer
	refused func(error)
	done    Recorded
}

func (w *writer) take(m bus.Message) error {
	cluster, text, err := w.line(m)
	if err != nil {
		w.done.LeftOut++
		w.refused(fmt.Errorf("left out message %d of %s: %w", m.Seq, m.Subject, err))
		return nil
	}
	if w.pack != nil {
		if _, err := w.pack.Write(text); err != nil {
			return fmt.Errorf("record: %w", err)
		}
		if err := w.pack.Flush(); err != nil { // so that what is read up to here is whole
			return fmt.Errorf("record: %w", err)
		}
		text = w.packed.Bytes()
	}
	if err := w.write(text); err != nil {
		return err
	}
	w.done.Snapshots++
	w.done.Clusters[cluster]++
	return nil
}

func (w *writer) write(text []byte) error {
	n, err := w.file.Write(text)
	w.packed.Reset()
	if err != nil {
		w.pack = nil // what would end it does not fit to what was taken back
		return errors.Join(fmt.Errorf("record: %w", err), w.takeBack(n))
	}
	w.done.Bytes += int64(n)
	return nil
}

// end writes what ends a compressed file.
func (w *writer) end() error {
	if w.pack == nil {
		return nil
	}
	if err := w.pack.Close(); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return w.write(w.packed.Bytes())
}

// takeBack cuts off a part of a line.
func (w *writer) takeBack(n int) error {
	if n == 0 {
		return nil
	}
	if err := w.file.Truncate(w.done.Bytes); err != nil {
		return fmt.Errorf("take back a part of a line: %w", err)
	}
	return nil
}

// line is the body of a valid snapshot on one line.
func (w *writer) line(m bus.Message) (cluster string, text []byte, err error) {
	s, err := schema.DecodeContext(m.Data)
	if err != nil {
		return "", nil, err
	}
	token, err := w.bus.Subjects().ParseContext(m.Subject)
	if err == nil && schema.Token(s.ClusterName) != token {
		err = fmt.Errorf("cluster_name is %q, but it was published for %q", s.ClusterName, token)
	}
	if err != nil {
		return "", nil, err
	}
	body, err := dated(m, &s)
	if err != nil {
		return "", nil, err
	}
	var line bytes.Buffer
	if bytes.ContainsAny(body, "\n\r") {
		err = json.Compact(&line, body)
	} else {
		line.Write(body)
	}
	if err != nil {
		return "", nil, fmt.Errorf("put the snapshot on one line: %w", err)
	}
	line.WriteByte('\n')
	return s.ClusterName, line.Bytes(), nil
}

// dated is the body with the time of its storing. Where that is all there is to add, the rest is left byte for byte.
func dated(m bus.Message, s *schema.ClusterContext) ([]byte, error) {
	at, err := json.Marshal(m.At.UTC())
	if err != nil {
		return nil, fmt.Errorf("write the snapshot's time: %w", err)
	}
	if !s.TakenAt.IsZero() && s.StoredAt.IsZero() {
		rest := bytes.TrimLeft(m.Data, " \t\r\n{")
		return slices.Concat([]byte(`{"stored_at":`), at, []byte(","), rest), nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(m.Data, &fields); err != nil {
		return nil, fmt.Errorf("read the snapshot: %w", err)
	}
	fields["stored_at"] = at
	if s.TakenAt.IsZero() {
		fields["taken_at"] = at
	}
	return json.Marshal(fields)
}
