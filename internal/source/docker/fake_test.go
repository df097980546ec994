package docker_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// sickEngine is an engine over real HTTP that misbehaves as real ones do: it can hang on one container, cut the event
// stream, and forget events.
type sickEngine struct {
	mu         sync.Mutex
	containers map[string]map[string]any // inspection by id
	past       []map[string]any          // what it remembers of events
	live       chan map[string]any       // to whoever follows
	cut        chan struct{}             // ends the stream of whoever follows
	hang       map[string]bool           // paths that never answer
	follows    chan string               // the since of each who follows
	logs       map[string][]string       // lines with their times, by id
	labels     map[string]map[string]string
	asked      []string // ids and queries of logs
}

func newSickEngine(t *testing.T) (*sickEngine, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return newSickEngineAt(t, l), "tcp://" + l.Addr().String()
}

// newSickEngineAt has the engine listen where it is told.
func newSickEngineAt(t *testing.T, l net.Listener) *sickEngine {
	e := &sickEngine{
		containers: map[string]map[string]any{}, hang: map[string]bool{}, logs: map[string][]string{}, labels: map[string]map[string]string{},
		live: make(chan map[string]any), cut: make(chan struct{}), follows: make(chan string, 10),
	}
	s := httptest.NewUnstartedServer(e)
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return e
}

func (e *sickEngine) run(id string, restarts int, started time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.containers[id] = map[string]any{
		"Id": id, "Name": "/" + id, "RestartCount": restarts, "Created": started.Format(time.RFC3339Nano),
		"State":      map[string]any{"Status": "running", "Running": true, "StartedAt": started.Format(time.RFC3339Nano)},
		"HostConfig": map[string]any{"RestartPolicy": map[string]any{"Name": "always"}},
		"Config":     map[string]any{"Image": "app:1", "Env": []string{"PASSWORD=hunter2"}},
	}
}

func (e *sickEngine) remember(n int, action string, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range n {
		e.past = append(e.past, happened(action, at.Add(time.Duration(i)*time.Millisecond)))
	}
}

func happened(action string, at time.Time) map[string]any {
	return map[string]any{
		"Type": "container", "Action": action, "time": at.Unix(), "timeNano": at.UnixNano(),
		"Actor": map[string]any{"ID": "good", "Attributes": map[string]string{"name": "good", "exitCode": "1"}},
	}
}

func (e *sickEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.41")
	path := r.URL.Path
	if i := strings.Index(path[1:], "/"); strings.HasPrefix(path, "/v1.") && i > 0 {
		path = path[i+1:]
	}
	e.mu.Lock()
	hang := e.hang[path]
	e.mu.Unlock()
	switch {
	case hang:
		<-r.Context().Done()
	case path == "/_ping":
		fmt.Fprint(w, "OK")
	case path == "/info":
		answer(w, map[string]any{"ID": "sick", "Name": "sick", "ServerVersion": "20.10.24", "SystemTime": time.Now().Format(time.RFC3339Nano)})
	case path == "/events":
		e.events(w, r)
	case path == "/containers/json":
		answer(w, e.list())
	default:
		e.one(w, r, strings.Split(strings.TrimPrefix(path, "/containers/"), "/"))
	}
}

func answer(w http.ResponseWriter, body any) { _ = json.NewEncoder(w).Encode(body) }

func (e *sickEngine) list() []map[string]any {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []map[string]any{}
	for id := range e.containers {
		all = append(all, map[string]any{"Id": id, "Names": []string{"/" + id}, "State": "running", "Status": "Up", "Image": "app:1", "ImageID": "sha256:1", "Labels": e.labels[id]})
	}
	return all
}

func (e *sickEngine) one(w http.ResponseWriter, r *http.Request, path []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(path) == 2 && path[1] == "logs" {
		e.asked = append(e.asked, path[0]+"?"+r.URL.RawQuery)
		e.log(w, e.logs[path[0]])
		return
	}
	if len(path) == 2 && path[1] == "json" {
		answer(w, e.containers[path[0]])
		return
	}
	answer(w, map[string]any{
		"read": time.Now().Format(time.RFC3339Nano), "cpu_stats": map[string]any{"cpu_usage": map[string]any{"total_usage": 5}},
		"memory_stats": map[string]any{"usage": 100},
	})
}

// log sends lines as a container without a terminal does, in frames; those with "!" come from its stderr.
func (e *sickEngine) log(w http.ResponseWriter, lines []string) {
	for _, line := range lines {
		stream := byte(1)
		if strings.Contains(line, "!") {
			stream = 2
		}
		head := [8]byte{stream}
		binary.BigEndian.PutUint32(head[4:], uint32(len(line)+1))
		_, _ = w.Write(append(head[:], line+"\n"...))
	}
}

func (e *sickEngine) events(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	for _, m := range e.past {
		answer(w, m)
	}
	e.mu.Unlock()
	w.(http.Flusher).Flush()
	if r.URL.Query().Has("until") {
		return
	}
	e.follows <- r.URL.Query().Get("since")
	for {
		select {
		case m := <-e.live:
			answer(w, m)
			w.(http.Flusher).Flush()
		case <-e.cut:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func open(t *testing.T, host string, state json.RawMessage) *docker.Source {
	t.Helper()
	s, err := docker.Open(t.Context(), docker.Config{Host: host}, state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func read(t *testing.T, s *docker.Source) source.Reading {
	t.Helper()
	r, err := s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHangingContainerCostsOnlyItsOwnPart(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 0, time.Now())
	e.run("bad", 0, time.Now())
	e.hang["/containers/bad/json"], e.hang["/containers/bad/stats"] = true, true
	s := open(t, host, nil)
	read(t, s)
	r := read(t, s) // it comes at all: the engine never answers about the one container
	got := map[string]schema.ServiceSummary{}
	for _, service := range r.Snapshot.Services {
		got[service.Name] = service
	}
	if good := got["good"]; good.Status != schema.ServiceHealthy || good.Instances[0].Restarts == nil {
		t.Errorf("good is %s", show(good))
	}
	if bad := got["bad"]; *bad.ReplicasRunning != 1 || bad.Instances[0].Restarts != nil || bad.MemoryBytes != nil {
		t.Errorf("bad is %s", show(bad))
	}
	if n := r.Snapshot.Nodes[0]; n.CPUPercent != nil || n.MemoryPercent != nil {
		t.Error("this machine was taken for that of an engine elsewhere")
	}
	if strings.Contains(string(r.State), "hunter2") {
		t.Error("the environment leaked")
	}
}

func TestUrgentEventsWakeAndProbesDoNot(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 0, time.Now())
	s := open(t, host, nil)
	<-e.follows
	e.live <- happened("exec_create: true", time.Now())
	e.live <- happened("start", time.Now())
	e.live <- happened("exec_die", time.Now()) // taken: the two before are through
	select {
	case <-s.Wake():
		t.Error("woken for nothing")
	default:
	}
	e.live <- happened("die", time.Now())
	select {
	case <-s.Wake():
	case <-t.Context().Done():
	}
	e.live <- happened("health_status: unhealthy", time.Now())
	<-s.Wake()
	e.live <- happened("oom", time.Now())
	<-s.Wake()
}

func TestCutStreamIsResumedWithoutLossOrRepetition(t *testing.T) {
	e, host := newSickEngine(t)
	e.run("good", 0, time.Now())
	s := open(t, host, nil)
	<-e.follows
	at := time.Now()
	e.live <- happened("die", at)
	<-s.Wake()
	e.remember(1, "die", at)
	e.remember(1, "start", at.Add(time.Millisecond)) // nobody is told of this one: the stream breaks
	e.cut <- struct{}{}
	<-e.follows
	r := read(t, s)
	kinds := map[string]int{}
	for _, h := range r.Happened {
		kinds[h.Kind]++
	}
	want(t, "kinds", map[string]int{source.Failed: 1, source.Restarted: 1}, kinds)
	if r.GapBefore {
		t.Error("a gap where nothing was lost")
	}
}

func TestForgottenEventsAreAGapMadeUpForFromTheCount(t *testing.T) {
	e, host := newSickEngine(t)
	began := time.Now()
	e.run("good", 1, began)
	first := open(t, host, nil)
	r := read(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	e.run("good", 4, began.Add(time.Minute))
	e.remember(256, "exec_create: true", time.Now().Add(time.Second))

	again := read(t, open(t, host, r.State))
	restarts := 0
	for _, h := range again.Happened {
		if h.Kind == source.Restarted {
			restarts++
		}
	}
	if !again.GapBefore || restarts != 3 {
		t.Errorf("gap %v, %d restarts, want 3", again.GapBefore, restarts)
	}
}
