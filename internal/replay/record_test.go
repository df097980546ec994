package replay_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// put stores a body as the snapshot of a cluster.
func put(t *testing.T, b *bus.Bus, cluster, body string) {
	t.Helper()
	if _, err := b.Publish(t.Context(), b.Subjects().Context(cluster), []byte(body), ""); err != nil {
		t.Fatal(err)
	}
}

// recorder is a Record that runs.
type recorder struct {
	ready   chan struct{}
	refused chan string
	done    chan error
	got     replay.Recorded
	stop    context.CancelFunc
}

func start(t *testing.T, b *bus.Bus, r replay.Record) *recorder {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	x := &recorder{ready: make(chan struct{}), refused: make(chan string, 10), done: make(chan error, 1), stop: stop}
	go func() {
		var err error
		x.got, err = r.Run(ctx, b, func() { close(x.ready) }, func(err error) { x.refused <- err.Error() })
		x.done <- err
	}()
	select {
	case <-x.ready:
	case err := <-x.done:
		t.Fatalf("it did not begin: %v", err)
	}
	return x
}

// until waits until the file has so many lines, which are those on the disk while it records.
func until(t *testing.T, path string, n int) []string {
	t.Helper()
	late, tick := time.NewTimer(bustest.Within), time.NewTicker(time.Millisecond)
	defer late.Stop()
	defer tick.Stop()
	for {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.SplitAfter(string(text), "\n"); len(lines) > n {
			return lines[:len(lines)-1]
		}
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("%s has not got %d lines within %v", path, n, bustest.Within)
		}
	}
}

// storedAt is the line that the newest snapshot of a cluster is recorded as.
func storedAt(t *testing.T, b *bus.Bus, cluster, body string) string {
	t.Helper()
	m, err := b.LastContext(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	return `{"stored_at":"` + m.At.UTC().Format(time.RFC3339Nano) + `",` + strings.TrimPrefix(body, "{") + "\n"
}

func TestRecordWritesTheNewestAndThenEachAsItIsStored(t *testing.T) {
	b, path := bustest.New(t), filepath.Join(t.TempDir(), "out.jsonl")
	put(t, b, "prod", shop(t, "prod", 0, 1))
	put(t, b, "prod", shop(t, "prod", 1, 1))
	put(t, b, "dev", shop(t, "dev", 0, 1))
	x := start(t, b, replay.Record{Path: path})
	want := []string{storedAt(t, b, "prod", shop(t, "prod", 1, 1)), storedAt(t, b, "dev", shop(t, "dev", 0, 1))}
	if diff := cmp.Diff(want, until(t, path, 2)); diff != "" {
		t.Errorf("lines at the beginning (-want +got):\n%s", diff)
	}
	later := `{"cluster_name":"prod","taken_at":"2026-11-23T08:00:30Z","from_a_later_version":{"a":1}}`
	put(t, b, "prod", later)
	if diff := cmp.Diff(storedAt(t, b, "prod", later), until(t, path, 3)[2]); diff != "" {
		t.Errorf("its body (-want +got):\n%s", diff)
	}
	x.stop()
	if err := <-x.done; err != nil {
		t.Error(err)
	}
	if x.got.Snapshots != 3 || x.got.Clusters["prod"] != 2 || x.got.Clusters["dev"] != 1 {
		t.Errorf("recorded %+v", x.got)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != x.got.Bytes {
		t.Errorf("the file: %v, %v; recorded %d bytes", info, err, x.got.Bytes)
	}
}

func TestRecordPutsASnapshotOnOneLineWithATime(t *testing.T) {
	b, path := bustest.New(t), filepath.Join(t.TempDir(), "out.jsonl")
	put(t, b, "prod", "{\n  \"cluster_name\": \"prod\",\r\n  \"services\": []\n}\n")
	start(t, b, replay.Record{Path: path, Cluster: "prod"})
	lines := until(t, path, 1)
	s, err := schema.DecodeContext([]byte(lines[0]))
	m, failed := b.LastContext(t.Context(), "prod")
	if err != nil || failed != nil || len(lines) != 1 || !s.TakenAt.Equal(m.At) || !s.StoredAt.Equal(m.At) {
		t.Errorf("%q (%v, %v), want one line that was taken when it was stored, %v", lines, err, failed, m.At)
	}
}

func TestRecordSaysWhenItWasStoredOfWhatWasRecordedBefore(t *testing.T) {
	b, path := bustest.New(t), filepath.Join(t.TempDir(), "out.jsonl")
	put(t, b, "prod", `{"stored_at":"2020-01-01T00:00:00Z","cluster_name":"prod","taken_at":"2026-11-23T08:00:30Z"}`)
	start(t, b, replay.Record{Path: path})
	s, err := schema.DecodeContext([]byte(until(t, path, 1)[0]))
	m, failed := b.LastContext(t.Context(), "prod")
	if err != nil || failed != nil || !s.StoredAt.Equal(m.At) || !s.TakenAt.Equal(at.Add(30*time.Second)) {
		t.Errorf("stored at %v, taken at %v (%v, %v), want %v and what it said", s.StoredAt, s.TakenAt, err, failed, m.At)
	}
}

func TestACompressedRecordingIsWholeUpToTheLineThatWasWrittenLast(t *testing.T) {
	b, path := bustest.New(t), filepath.Join(t.TempDir(), "out.jsonl.gz")
	put(t, b, "prod", shop(t, "prod", 0, 0))
	x := start(t, b, replay.Record{Path: path})
	cut, _, err := dry(t, replay.Recording{Path: path}) // as if its writer had been killed here
	if err != nil || len(cut) != 0 {
		t.Errorf("%v, %v", cut, err)
	}
	put(t, b, "prod", shop(t, "prod", 1, 0))
	late, tick := time.NewTimer(bustest.Within), time.NewTicker(time.Millisecond)
	defer late.Stop()
	defer tick.Stop()
	for n := 1; n < 2; {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("the second line is not in the file within %v", bustest.Within)
		}
		_, sum, err := dry(t, replay.Recording{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		n = sum.Snapshots
	}
	x.stop()
	if err := <-x.done; err != nil {
		t.Fatal(err)
	}
	got, sum, err := dry(t, replay.Recording{Path: path})
	if diff := cmp.Diff([]string{"2 opened prod/shop/db"}, got); diff != "" || err != nil || sum.Snapshots != 2 {
		t.Errorf("%v, %+v (-want +got):\n%s", err, sum, diff)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != x.got.Bytes {
		t.Errorf("the file: %v, %v; recorded %d bytes", info, err, x.got.Bytes)
	}
}

func TestRecordLeavesOutWhatIsNoSnapshotOfItsCluster(t *testing.T) {
	b, path := bustest.New(t), filepath.Join(t.TempDir(), "out.jsonl")
	put(t, b, "bad", "not JSON")
	put(t, b, "other", `{"cluster_name":"prod"}`)
	put(t, b, "prod", shop(t, "prod", 0, 1))
	x := start(t, b, replay.Record{Path: path})
	if lines := until(t, path, 1); len(lines) != 1 {
		t.Errorf("lines %q", lines)
	}
	for _, want := range []string{"bellbuoy.context.bad", `cluster_name is "prod"`} {
		if got := <-x.refused; !strings.Contains(got, want) {
			t.Errorf("left out because %q, want %q in it", got, want)
		}
	}
	x.stop()
	if err := <-x.done; err != nil || x.got.LeftOut != 2 {
		t.Errorf("%v; left out %d", err, x.got.LeftOut)
	}
}

func TestRecordOverwritesOnlyWhenItIsTold(t *testing.T) {
	b, path := bustest.New(t), filepath.Join(t.TempDir(), "out.jsonl")
	if err := os.WriteFile(path, []byte("dear\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := replay.Record{Path: path}.Run(t.Context(), b, func() { t.Error("it recorded") }, func(error) {})
	text, failed := os.ReadFile(path)
	if err == nil || !strings.Contains(err.Error(), "--force") || failed != nil || string(text) != "dear\n" {
		t.Errorf("%v; the file has %q", err, text)
	}
	put(t, b, "prod", shop(t, "prod", 0, 1))
	start(t, b, replay.Record{Path: path, Overwrite: true})
	if lines := until(t, path, 1); lines[0] == "dear\n" && len(lines) > 1 {
		t.Errorf("lines %q", lines)
	}
}

func TestWhatIsRecordedIsReplayed(t *testing.T) {
	b, path := system(t), filepath.Join(t.TempDir(), "out.jsonl")
	source := fast(filepath.Join(scenarios, "db-down-and-back.jsonl"))
	x := start(t, b, replay.Record{Path: path, Cluster: "prod-replay"})
	n := 0
	err := source.Run(t.Context(), b, func(replay.Plan) {}, func(replay.Published) {
		n++
		until(t, path, n) // else it could be superseded before it is recorded
	})
	if err != nil {
		t.Fatal(err)
	}
	x.stop()
	if err := <-x.done; err != nil {
		t.Fatal(err)
	}
	kinds := func(path string) []string {
		got, _, err := dry(t, replay.Recording{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := []string{}
	for _, e := range kinds(source.Path) {
		want = append(want, strings.Replace(e, " prod/", " prod-replay/", 1))
	}
	if diff := cmp.Diff(want, kinds(path)); diff != "" {
		t.Errorf("timeline (-recorded +recorded again):\n%s", diff)
	}
}
