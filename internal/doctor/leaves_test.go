package doctor_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/doctor"
)

func TestWhatIsElsewhereIsNamedByItsHost(t *testing.T) {
	for urls, want := range map[string][]string{
		"":                      nil,
		"nats://127.0.0.1:4222": nil,
		"http://[::1]:80/v1":    nil,
		"localhost:4222":        nil,
		"nats.example.com:4222": {"nats.example.com:4222"},
		"nats://a:4222,nats://127.0.0.1:1,tls://b:4222":      {"a:4222", "b:4222"},
		"https://user:secret@hooks.example/secret?key=value": {"hooks.example"},
	} {
		if diff := cmp.Diff(want, doctor.Elsewhere(urls)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", urls, diff)
		}
	}
}
