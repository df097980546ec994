package main

import (
	"encoding/json"
	"net"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
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

func TestDoctorBeforeUpHasNoFaultAndSaysThatUpIsNotRunning(t *testing.T) {
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
