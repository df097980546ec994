package process_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/process"
)

// diary notes in which order things end.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

// tidy is a part that needs some time to put its work away.
func (d *diary) tidy(name string, needs time.Duration) process.Part {
	return process.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		d.note(name + " told")
		<-time.NewTimer(needs).C
		d.note(name + " ended")
		return nil
	}}
}

// stuck is a part that does not stop before its gate opens.
func (d *diary) stuck(name string, gate <-chan struct{}) process.Part {
	return process.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		d.note(name + " told")
		<-gate
		return nil
	}}
}

func failing(name string, err error) process.Part {
	return process.Part{Name: name, Run: func(context.Context) error { return err }}
}

func TestRunStopsPartsInReverseOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- process.Run(ctx, process.Options{Parts: []process.Part{d.tidy("one", time.Second), d.tidy("two", time.Second), d.tidy("three", time.Second)}})
		}()
		synctest.Wait()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := []string{"three told", "three ended", "two told", "two ended", "one told", "one ended"}
		if diff := cmp.Diff(want, d.lines); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestRunGivesTheOthersTimeWhenOneIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		gate := make(chan struct{})
		ctx, stop := context.WithCancel(t.Context())
		stop()
		began := time.Now()
		err := process.Run(ctx, process.Options{Parts: []process.Part{d.tidy("one", time.Second), d.stuck("two", gate)}})
		if err == nil || err.Error() != "two: still busy 10s after it was told to stop" {
			t.Errorf("error %v", err)
		}
		if took := time.Since(began); took != process.DefaultGrace {
			t.Errorf("took %v", took)
		}
		if diff := cmp.Diff([]string{"two told", "one told", "one ended"}, d.lines); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		close(gate)
	})
}

func TestRunEndsWithTheFirstPart(t *testing.T) {
	broken := errors.New("the disk is full")
	tests := []struct {
		name string
		part process.Part
		want string
	}{
		{"with-an-error", failing("two", broken), "two: the disk is full"},
		{"without-an-error", failing("two", nil), "two: ended although nobody told it to"},
		{"with-somebody-elses-cancellation", failing("two", context.Canceled), "two: context canceled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d diary
			err := process.Run(t.Context(), process.Options{Parts: []process.Part{d.tidy("one", 0), tt.part, d.tidy("three", 0)}})
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			want := []string{"three told", "three ended", "one told", "one ended"}
			if diff := cmp.Diff(want, d.lines); diff != "" {
				t.Errorf("order (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunReportsWhatGoesWrongWhileStopping(t *testing.T) {
	broken := errors.New("flush: no space")
	last := func(err error) func(context.Context) error {
		return func(ctx context.Context) error { <-ctx.Done(); return err }
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	err := process.Run(ctx, process.Options{Parts: []process.Part{
		{Name: "one", Run: last(broken)}, {Name: "two", Run: last(fmt.Errorf("read: %w", context.Canceled))},
	}})
	if !errors.Is(err, broken) || err.Error() != "one: flush: no space" {
		t.Errorf("error %v", err)
	}
}

func TestRunNeedsAFreeAddress(t *testing.T) {
	serve := func(h http.HandlerFunc) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	for addr, want := range map[string]string{
		serve(http.NotFound): "another web server answers there; stop it, or set BELLBUOY_HTTP_ADDR",
		serve(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", "bellbuoy/notifier") }): "a Bellbuoy (notifier) answers there; stop it",
		serve(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Server", "bellbuoy/IT 'S'") }):   "another web server answers",
	} {
		if err := process.Run(t.Context(), process.Options{HTTPAddr: addr}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	err := process.Run(t.Context(), process.Options{HTTPAddr: "8474"})
	if err == nil || !strings.Contains(err.Error(), `"8474"`) || !strings.Contains(err.Error(), "such as 127.0.0.1:8474") {
		t.Errorf("error %v", err)
	}
}

func TestRunLetsNobodyButThisMachineInWithoutAHost(t *testing.T) {
	taken := listen(t)
	_, port, _ := strings.Cut(taken.Addr().String(), ":")
	err := process.Run(t.Context(), process.Options{HTTPAddr: ":" + port})
	if err == nil || !strings.Contains(err.Error(), "listen on 127.0.0.1:"+port) {
		t.Errorf("error %v", err)
	}
}

func TestRunWithoutPartsWaitsForItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := process.Run(ctx, process.Options{}); err != nil {
		t.Error(err)
	}
}

func TestRunAnswersRequestsInFlightBeforeItEnds(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	slow := process.Part{
		Name: "slow",
		Run:  func(ctx context.Context) error { <-ctx.Done(); return nil },
		Handle: func(mux *http.ServeMux) {
			mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
				close(arrived)
				<-release
				_, _ = w.Write([]byte("in the end"))
			})
		},
	}
	d := daemon(t, process.Options{Parts: []process.Part{slow}})
	body := make(chan string, 1)
	go func() {
		_, text := d.get(t, "/slow")
		body <- text
	}()
	<-arrived
	d.stop()
	close(release)
	if got := <-body; got != "in the end" {
		t.Errorf("body %q", got)
	}
	if err := <-d.done; err != nil {
		t.Error(err)
	}
}
