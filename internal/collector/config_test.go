package collector_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/collector"
	"github.com/bellbuoy/bellbuoy/internal/config"
)

func TestConfigIsReadFromTheEnvironment(t *testing.T) {
	t.Setenv("BELLBUOY_SOURCE", "docker,file:/tmp/x.jsonl")
	t.Setenv("BELLBUOY_INTERVAL", "5s")
	t.Setenv("BELLBUOY_CLUSTER", "prod")
	var got collector.Config
	if err := config.Load("BELLBUOY", &got); err != nil {
		t.Fatal(err)
	}
	want := collector.Config{
		Cluster: "prod", Source: []string{"docker", "file:/tmp/x.jsonl"}, Interval: 5 * time.Second,
		CollectLabels: []string{"team", "owner", "tier", "runbook"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestConfigNamesEveryMistake(t *testing.T) {
	const there = "there are auto, docker, host, file:PATH, none"
	tests := []struct {
		name   string
		config collector.Config
		want   []string // in the error; none: no error
	}{
		{"zero-value", collector.Config{}, nil},
		{"auto", collector.Config{Source: []string{"auto"}}, nil},
		{"none", collector.Config{Source: []string{"none"}}, nil},
		{"two-files", collector.Config{Source: []string{"file:a", "file:b"}}, nil},
		{"unknown", collector.Config{Source: []string{"mesos"}}, []string{`SOURCE="mesos"`, there}},
		{"swarm", collector.Config{Source: []string{"swarm"}}, []string{there}},
		{"kubernetes", collector.Config{Source: []string{"kubernetes"}}, []string{there}},
		{"prometheus", collector.Config{Source: []string{"prometheus"}}, []string{there}},
		{"orca", collector.Config{Source: []string{"orca"}}, []string{there}},
		{"host", collector.Config{Source: []string{"docker", "host"}}, nil},
		{"docker-with-argument", collector.Config{Source: []string{"docker:x"}}, []string{there}},
		{"file-without-path", collector.Config{Source: []string{"file:"}}, []string{"file:PATH"}},
		{"none-and-more", collector.Config{Source: []string{"none", "docker"}}, []string{"stands alone"}},
		{"twice", collector.Config{Source: []string{"docker", "docker"}}, []string{"listed twice"}},
		{"own-cluster", collector.Config{Cluster: "bellbuoy"}, []string{`CLUSTER="bellbuoy"`, "reserved"}},
		{"short-interval", collector.Config{Interval: time.Millisecond}, []string{"INTERVAL", "1s"}},
		{"several", collector.Config{Interval: 1, Source: []string{"x", "y"}}, []string{"INTERVAL", `"x"`, `"y"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.config.Validate()
			if (err != nil) != (tt.want != nil) {
				t.Fatalf("validate: %v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

func TestSourcesOfAutoAreToldThatNobodyAskedForThem(t *testing.T) {
	for source, want := range map[string][]string{"auto": {"docker", "host"}, "host": nil} {
		got, err := collector.Unasked(collector.Config{Source: []string{source}})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, unasked (-want +got):\n%s", source, err, diff)
		}
	}
}

func TestNewRefusesWhatCannotRun(t *testing.T) {
	b := bustest.New(t)
	if _, err := collector.New(collector.Config{Source: []string{"none"}}, b, nil, nil); !errors.Is(err, collector.ErrNone) {
		t.Errorf("none: %v", err)
	}
	if _, err := collector.New(collector.Config{Source: []string{"file:" + filepath.Join(t.TempDir(), "missing")}}, b, nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := collector.New(collector.Config{Source: []string{"orca"}}, b, nil, nil); err == nil {
		t.Error("orca was accepted")
	}
}
