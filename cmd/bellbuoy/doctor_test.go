package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/need"
)

// unused is an address that nobody listens at.
func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// alone takes what continuous integration sets out of the environment: to the commands it is a slip.
func alone(t *testing.T) { t.Setenv(need.RequireAll, "") }

func TestDoctorBeforeUpHasNoFaultAndSaysThatUpIsNotRunning(t *testing.T) {
	alone(t)
	listen := unused(t)
	for name, value := range map[string]string{"NATS_LISTEN": listen, "DATA_DIR": t.TempDir(), "HTTP_ADDR": unused(t), "SOURCE": "none"} {
		t.Setenv("BELLBUOY_"+name, value)
	}
	var out strings.Builder
	if err := examine(t.Context(), &out, false); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"`bellbuoy up` is not running", "nats://" + listen, "what leaves this machine", "no fault, 1 warning"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q:\n%s", want, out.String())
		}
	}
}

func TestDoctorFailsWithAFaultAndTellsItInJSON(t *testing.T) {
	alone(t)
	for name, value := range map[string]string{
		"NATS_URL": bustest.Server(t).URL(), "SOURCE": "none", "HTTP_ADDR": unused(t), "INTERVAL": "soon", "LLM_APIKEY": "hunter2",
	} {
		t.Setenv("BELLBUOY_"+name, value)
	}
	var out strings.Builder
	if err := examine(t.Context(), &out, true); err == nil || !strings.Contains(err.Error(), "3 faults") {
		t.Errorf("error %v, want one that counts the faults", err)
	}
	var found []doctor.Finding
	if err := json.Unmarshal([]byte(out.String()), &found); err != nil {
		t.Fatal(err)
	}
	var faults []string
	for _, f := range found {
		if f.Level == doctor.Fault {
			faults = append(faults, f.What)
		}
	}
	for i, want := range []string{`BELLBUOY_INTERVAL="soon"`, "BELLBUOY_LLM_APIKEY is set", "none answers"} {
		if i >= len(faults) || !strings.HasPrefix(faults[i], want) {
			t.Errorf("fault %d of %q is not %s…", i+1, faults, want)
		}
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Error("the value of an unknown variable shows")
	}
}

func TestDoctorReadsTheRulesFile(t *testing.T) {
	alone(t)
	s := bustest.Server(t)
	for name, value := range map[string]string{"NATS_URL": s.URL(), "SOURCE": "none", "HTTP_ADDR": unused(t)} {
		t.Setenv("BELLBUOY_"+name, value)
	}
	b := s.Connect(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	now := e2e.Snapshot("prod", 1, 1)
	now.TakenAt = time.Now()
	e2e.Publish(t, b, now)
	for _, tt := range []struct {
		name, rules string
		want        []string
	}{
		{"good", "rules:\n  cpu: off\n", []string{"1 setting changed for all, no override", "cpu: switched off by RULES_FILE line 2"}},
		{"windows", "windows:\n  - {name: a, match: {cluster: prod}, days: mon, from: 1:00, to: 2:00, time_zone: Europe/Berlin, reason: x}\n", []string{"1 weekly window of silence"}},
		{"bad", "windows: [{name: a}]\nrules: {cpu: out}\n", []string{"line 1: the window has no time_zone", "line 2: cpu"}},
		{"bad", "rules:\n  cpu: out\n  dsk: off\n", []string{"line 2: cpu", "line 3: rules has no", "write cpu: off, cpu: on"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rules.yml")
			if err := os.WriteFile(path, []byte(tt.rules), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("BELLBUOY_RULES_FILE", path)
			var out strings.Builder
			err := examine(t.Context(), &out, true)
			if tt.name == "bad" && err == nil {
				t.Error("no fault")
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the report does not say %q:\n%s", want, out.String())
				}
			}
		})
	}
}
