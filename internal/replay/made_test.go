package replay_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var remake = flag.Bool("remake", false, "write the made-up scenarios anew, as their stories tell them")

// packed is from how many bytes on a scenario is kept compressed.
const packed = 200_000

// made is a scenario that a story makes up.
type made struct {
	name  string
	story func(*testing.T) []*world
}

// TestMadeUpScenariosAreAsTheirStoriesTell keeps the recordings and the code that makes them together, so that a story
// can be changed without anybody editing a recording.
func TestMadeUpScenariosAreAsTheirStoriesTell(t *testing.T) {
	for _, m := range slices.Concat(madeDeploys(), madeCauses(), madeStorms(), madeFlapping(), madeQuiet()) {
		t.Run(m.name, func(t *testing.T) {
			want := looks(m.story(t)...)
			base := filepath.Join(scenarios, m.name)
			if *remake {
				keep(t, base, want)
			}
			if got := kept(t, base); !bytes.Equal(got, want) {
				t.Errorf("the recording of %s is not the one that its story tells: go test ./internal/replay/ -run MadeUp -remake", m.name)
			}
		})
	}
}

// keep writes a recording, in the one of the two forms that its length asks for.
func keep(t *testing.T, base string, text []byte) {
	t.Helper()
	_ = os.Remove(base + ".jsonl")
	_ = os.Remove(base + ".jsonl.gz")
	if len(text) < packed {
		if err := os.WriteFile(base+".jsonl", text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err = errors.Join(err, w.Close()); err == nil {
		err = os.WriteFile(base+".jsonl.gz", out.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// kept reads a recording in whichever form it is there.
func kept(t *testing.T, base string) []byte {
	t.Helper()
	text, err := os.ReadFile(base + ".jsonl")
	if !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	f, err := os.Open(base + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return text
}
