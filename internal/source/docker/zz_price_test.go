package docker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	needed "github.com/bellbuoy/bellbuoy/internal/need/engine"
)

func cpuOf(t *testing.T, names ...string) time.Duration {
	comms, _ := filepath.Glob("/proc/[0-9]*/comm")
	var total time.Duration
	for _, c := range comms {
		b, _ := os.ReadFile(c)
		for _, n := range names {
			if strings.TrimSpace(string(b)) == n {
				s, _ := os.ReadFile(filepath.Dir(c) + "/stat")
				f := strings.Fields(string(s[strings.LastIndexByte(string(s), ')')+1:]))
				for _, x := range f[11:13] {
					v, _ := strconv.ParseInt(x, 10, 64)
					total += time.Duration(v) * 10 * time.Millisecond
				}
			}
		}
	}
	return total
}

func TestPrice(t *testing.T) {
	e := needed.New(t)
	for n := range 20 {
		s := needed.Spec{}
		if n < 4 {
			s.Args = []string{"spam"}
		}
		e.Run(t, fmt.Sprint("s", n), s)
	}
	time.Sleep(15 * time.Second)
	s, err := Open(t.Context(), Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	list, err := s.engine.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := running(list)
	idle0 := cpuOf(t, "dockerd", "containerd")
	time.Sleep(10 * time.Second)
	idle := cpuOf(t, "dockerd", "containerd") - idle0
	for _, what := range []string{"logs", "stats"} {
		const rounds = 60
		c0, own0, began := cpuOf(t, "dockerd", "containerd"), cpuOf(t, "docker.test"), time.Now()
		var lines int64
		for range rounds {
			if what == "logs" {
				since := time.Now().Add(-15 * time.Second)
				each(t.Context(), ids, countTogether, countPatience, func(ctx context.Context, id string) {
					got, _ := s.engine.countErrors(ctx, id, since)
					_ = got
				})
			} else if rounds > 0 {
				each(t.Context(), ids[:0], 8, statsPatience, func(ctx context.Context, id string) { _, _, _ = s.engine.stats(ctx, id) })
			}
		}
		took := time.Since(began)
		spent := cpuOf(t, "dockerd", "containerd") - c0 - time.Duration(float64(idle)*took.Seconds()/10)
		own := cpuOf(t, "docker.test") - own0
		t.Logf("%s: %d containers, %d rounds in %v, idle %v in 10 s; engine %v a round = %.3f %% of a core at 15 s; own %v a round; %d", what, len(ids), rounds, took, idle,
			spent/rounds, 100*(spent/rounds).Seconds()/15, own/rounds, lines)
	}
}
