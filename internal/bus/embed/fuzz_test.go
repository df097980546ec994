package embed

import (
	"strings"
	"testing"
)

// Inside the package: what answers on a port is outside bytes, and describe is what reads them.
func FuzzDescribe(f *testing.F) {
	f.Add([]byte(`INFO {"server_name":"a","version":"2.10.0","jetstream":true} ` + "\r\n"))
	f.Add([]byte("INFO {}\r\n"))
	f.Add([]byte("SSH-2.0\r\n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		got := describe(line).words
		if len(got) > 1024 || strings.ContainsAny(got, "\n\r\x1b") {
			t.Errorf("%q for %q", got, line)
		}
	})
}
