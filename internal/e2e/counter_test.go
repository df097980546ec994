package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// counterVariable makes the test program a counter, and nothing else.
const counterVariable = "BELLBUOY_TEST_COUNTER"

func TestMain(m *testing.M) {
	if os.Getenv(counterVariable) == "1" {
		if err := serveCounter(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveCounter is a webhook in a process of its own. It reads every post to its end and notes when it came, so that it
// costs the same whoever posts; of what a post says it looks only at Bellbuoy's header, because a conversation is told
// more than once, and the first time counts. Its first line says where it listens; it ends with its input.
func serveCounter() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := &counted{told: map[string]bool{}}
	c.more = sync.NewCond(&c.mu)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", c.take)
	mux.HandleFunc("GET /times", c.show)
	fmt.Println("http://" + l.Addr().String())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = l.Close()
	}()
	if err := http.Serve(l, mux); err != nil && !strings.Contains(err.Error(), "closed") { //nolint:gosec // a test's own
		return err
	}
	return nil
}

// counted are the times of posts, in nanoseconds of the machine's clock: all of those that name no conversation, and the
// first of each that is named.
type counted struct {
	mu   sync.Mutex
	more *sync.Cond
	at   []int64
	told map[string]bool
}

func (c *counted) take(_ http.ResponseWriter, q *http.Request) {
	at := time.Now().UnixNano()
	_, _ = io.Copy(io.Discard, q.Body)
	id, _, named := strings.Cut(q.Header.Get("Webhook-Id"), "-")
	c.mu.Lock()
	defer c.mu.Unlock()
	if named && c.told[id] {
		return
	}
	c.told[id] = true
	c.at = append(c.at, at)
	c.more.Broadcast()
}

// show answers with the times as soon as there are so many.
func (c *counted) show(w http.ResponseWriter, q *http.Request) {
	least, _ := strconv.Atoi(q.FormValue("least"))
	c.mu.Lock()
	for len(c.at) < least {
		c.more.Wait()
	}
	at := slices.Clip(c.at)
	c.mu.Unlock()
	_ = json.NewEncoder(w).Encode(at)
}

// counter is such a process, seen from the test.
type counter struct {
	url string
	pid int
}

func startCounter(b *testing.B) *counter {
	b.Helper()
	p := exec.CommandContext(context.WithoutCancel(b.Context()), os.Args[0]) //nolint:gosec // this program
	p.Env = append(os.Environ(), counterVariable+"=1")
	p.Stderr = b.Output()
	in, err := p.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = p.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("the receiver does not say where it listens: %v", err)
	}
	return &counter{strings.TrimSpace(line), p.Process.Pid}
}

func (c *counter) hook() string { return c.url + "/hook" }

// until waits for so many posts and gives when each came, in order.
func (c *counter) until(b *testing.B, least int) []time.Time {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 2*time.Minute)
	defer cancel()
	var at []int64
	if err := getJSON(ctx, fmt.Sprintf("%s/times?least=%d", c.url, least), &at); err != nil {
		var now []int64
		_ = getJSON(b.Context(), c.url+"/times", &now)
		b.Fatalf("%d of %d posts came: %v", len(now), least, err)
	}
	times := make([]time.Time, len(at))
	for i, n := range at {
		times[i] = time.Unix(0, n)
	}
	return times
}

func getJSON(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}
