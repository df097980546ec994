package docker_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/need/engine"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// openOften opens a source that counts lines with every reading.
func openOften(t *testing.T, host string, state json.RawMessage) *docker.Source {
	t.Helper()
	s, err := docker.Open(t.Context(), docker.Config{Host: host, Interval: time.Nanosecond}, state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// untilLogged reads until lines of the service have been counted, and gives them with the reading they came with.
func untilLogged(t *testing.T, s *docker.Source, service string) (source.Happening, source.Reading) {
	t.Helper()
	for {
		r := read(t, s)
		for _, h := range r.Happened {
			if h.Kind == source.Logged && h.Object.Name == service {
				return h, r
			}
		}
		if t.Context().Err() != nil {
			t.Fatal("no lines were ever counted")
		}
	}
}

// write adds lines to a container's log, a millisecond apart, and gives the time of the last.
func (e *sickEngine) write(id string, at time.Time, lines ...string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, line := range lines {
		at = at.Add(time.Millisecond)
		e.logs[id] = append(e.logs[id], at.UTC().Format("2006-01-02T15:04:05.000000000Z")+" "+line)
	}
	return at
}

func TestErrorLinesAreCountedOnceWhereTheyAre(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 0, time.Now())
	e.run("quiet", 0, time.Now())
	e.labels["quiet"] = map[string]string{"bellbuoy.logs": "off"}
	e.write("good", time.Now().Add(-time.Hour), "ERROR before anybody looked")
	s := openOften(t, host, nil)
	first := read(t, s)

	later := time.Now().Add(time.Minute)
	last := e.write("good", later, "ERROR password=hunter2", "INFO well", "ERROR again!")
	e.write("quiet", later, "ERROR unseen")
	h, r := untilLogged(t, s, "good")
	want(t, "object", schema.Object{Kind: schema.KindService, Name: "good"}, h.Object)
	want(t, "count", int64(2), h.Count)
	want(t, "text", "2 lines at error level", h.Text)
	if b, _ := json.Marshal(r); !h.At.Equal(last.Truncate(0)) || strings.Contains(string(b), "hunter2") {
		t.Errorf("newest line at %v, told at %v; or a line has left", last, h.At)
	}

	// One killed before its state was stored reports the same again, under the same key.
	again, _ := untilLogged(t, openOften(t, host, first.State), "good")
	want(t, "key of one killed", h.Key, again.Key)
	want(t, "count of one killed", h.Count, again.Count)

	e.write("good", last, "ERROR a third one")
	next, _ := untilLogged(t, openOften(t, host, r.State), "good")
	want(t, "what was not counted before", int64(1), next.Count)
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, query := range e.asked {
		if strings.HasPrefix(query, "quiet") || !strings.Contains(query, "tail=500") || !strings.Contains(query, "since=") || !strings.Contains(query, "timestamps=1") {
			t.Errorf("asked for %s", query)
		}
	}
}

func TestSlowLogDelaysNoOther(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 0, time.Now())
	e.run("bad", 0, time.Now())
	e.hang["/containers/bad/logs"] = true
	s := openOften(t, host, nil)
	read(t, s)
	e.write("good", time.Now().Add(time.Minute), "ERROR one")
	h, _ := untilLogged(t, s, "good")
	want(t, "count", int64(1), h.Count)
}

func TestPartsThatAreReadAreSaid(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 0, time.Now())
	r := read(t, open(t, host, nil)).Reads
	for _, part := range []string{schema.PartServices, schema.PartHealth, schema.PartJobs, schema.PartErrors} {
		if reason, known := r[part]; !known || reason != "" {
			t.Errorf("%s: known %v, %q", part, known, reason)
		}
	}
	if !strings.Contains(r[schema.PartMachine], "another machine") || !strings.Contains(r[schema.PartNodes], "its own end") {
		t.Errorf("machine: %q, nodes: %q", r[schema.PartMachine], r[schema.PartNodes])
	}
	if _, known := r[schema.PartDisks]; known {
		t.Error("disks are thought to be Docker's")
	}
}

func TestErrorLinesOfARealContainerAreCounted(t *testing.T) {
	t.Parallel()
	e := engine.New(t)
	e.Run(t, "spam", engine.Spec{Args: []string{"spam"}})
	e.Run(t, "unread", engine.Spec{Args: []string{"spam"}, Options: []string{"--log-driver", "none"}})
	w := watch(t, e, nil)
	w.until(t, "spam", "counted", func(schema.ServiceSummary) bool { return w.kinds("spam")[source.Logged] >= 2 })
	var total int64
	for _, h := range w.happened {
		if h.Kind == source.Logged {
			total += h.Count
		}
	}
	if total < 2 || w.kinds("unread")[source.Logged] != 0 {
		t.Errorf("%d lines counted, of the unread %v", total, w.kinds("unread"))
	}
	unique(t, w.happened)
}
