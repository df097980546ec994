package doctor_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

// planted is a fault that the test put there: what the doctor has to say of it, and how it is put right.
type planted struct {
	name  string
	plant func(t *testing.T, s *stack)
	what  string // level, area, name, and words of what is said
	fix   string // words of the fix
}

func configurationFaults() []planted {
	return []planted{
		{"unknown-variable", func(t *testing.T, s *stack) {
			t.Setenv("TRIAL_LLM_APIKEY", "x")
			s.options.Unknown = config.Unknown("TRIAL", llm.Config{})
		}, "FAULT configuration/configuration TRIAL_LLM_APIKEY is set, and nobody reads it", "rename it to TRIAL_LLM_API_KEY"},
		{"mistaken-variable", func(t *testing.T, s *stack) {
			t.Setenv("TRIAL_LLM_TIMEOUT", "soon")
			problem, ok := errors.AsType[*config.Error](config.Load("TRIAL", new(llm.Config{})))
			if !ok {
				t.Fatal("no mistake")
			}
			s.options.Mistakes = problem.Mistakes
		}, `FAULT configuration/configuration TRIAL_LLM_TIMEOUT="soon" is not a duration`, "docs/configuration.md"},
		{"mistake-with-its-fix", func(_ *testing.T, s *stack) {
			s.options.Mistakes = []config.Mistake{{Name: "TRIAL_RULES_FILE", Value: "r.yml", Problem: "line 3: cpu is sick", Fix: "write cpu: off"}}
		}, `FAULT configuration/configuration TRIAL_RULES_FILE="r.yml" line 3: cpu is sick`, "write cpu: off"},
	}
}

func serverFaults() []planted {
	return []planted{
		{"nothing-listens", func(t *testing.T, s *stack) {
			s.options.NATS.URL = "nats://anna:hunter2@" + freeAddress(t)
		}, "FAULT NATS/server connect to NATS at", "set BELLBUOY_NATS_URL to one that runs"},
		{"up-is-not-running", func(t *testing.T, s *stack) {
			s.options.NATS.URL, s.options.Named = "nats://"+freeAddress(t), false
		}, "warn NATS/server `bellbuoy up` is not running", "start `bellbuoy up`"},
		{"server-says-nothing", func(t *testing.T, s *stack) {
			s.options.NATS.URL = "nats://" + silent(t)
		}, "FAULT NATS/server connect to NATS at", "set BELLBUOY_NATS_URL to one that runs"},
		{"wrong-password", func(t *testing.T, s *stack) {
			url := bustest.Raw(t, `authorization { user: u, password: p }`)
			s.options.NATS.URL = strings.Replace(url, "nats://", "nats://u:hunter2@", 1)
		}, "FAULT NATS/server connect to NATS at", "the server does not know this user: set BELLBUOY_NATS_CREDS"},
		{"untrusted-server", func(t *testing.T, s *stack) {
			s.options.NATS.URL = secureNATS(t)
		}, "FAULT NATS/server connect to NATS at", "set BELLBUOY_NATS_CA"},
		{"server-too-old", func(t *testing.T, s *stack) {
			s.options.NATS.URL = outdated(t, s.nats.URL())
		}, "FAULT NATS/version", "update nats-server to 2.12 or newer"},
		{"max-payload-too-small", func(t *testing.T, s *stack) {
			s.options.NATS.URL = bustest.Raw(t, "jetstream {}")
		}, "FAULT NATS/max_payload", "max_payload: 8MB"},
		{"jetstream-off", func(t *testing.T, s *stack) {
			s.options.NATS.URL = bustest.Raw(t, "max_payload: 8MB")
		}, "FAULT NATS/JetStream use JetStream: JetStream is off", "start nats-server with JetStream"},
		{"user-may-not-look", func(t *testing.T, s *stack) {
			url := bustest.Raw(t, `jetstream {}, max_payload: 8MB, authorization { users [
				{ user: admin, password: p }
				{ user: u, password: p, permissions: { publish: { deny: ["$JS.API.STREAM.INFO.ALERTS"] } } } ] }`)
			admin := connect(t, strings.Replace(url, "nats://", "nats://admin:p@", 1))
			if err := admin.Setup(t.Context(), s.options.Setup); err != nil {
				t.Fatal(err)
			}
			s.options.NATS.URL = strings.Replace(url, "nats://", "nats://u:p@", 1)
		}, "FAULT NATS/permissions this user may not publish to $JS.API.STREAM.INFO.ALERTS", "permit this user of the NATS server to publish to $JS.API.STREAM.INFO.ALERTS"},
		{"user-may-not-hear-answers", func(t *testing.T, s *stack) {
			url := bustest.Raw(t, `jetstream {}, max_payload: 8MB, authorization { users [
				{ user: u, password: p, permissions: { subscribe: { deny: ["_INBOX_bellbuoy.>"] } } } ] }`)
			s.options.NATS.URL = strings.Replace(url, "nats://", "nats://u:p@", 1)
		}, "FAULT NATS/permissions this user may not subscribe to _INBOX_bellbuoy.", "permit this user of the NATS server to subscribe to _INBOX_bellbuoy."},
		{"clock-is-off", func(_ *testing.T, s *stack) {
			s.options.Now = func() time.Time { return time.Now().Add(-5 * time.Minute) }
		}, "FAULT NATS/clock the NATS server's is 5m0s ahead of this machine's", "timedatectl set-ntp true"},
	}
}

func connect(t *testing.T, url string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(t.Context(), bus.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// secureNATS is a server whose certificate nobody here trusts.
func secureNATS(t *testing.T) (url string) {
	t.Helper()
	dir, own := t.TempDir(), issue(nil, time.Now().Add(time.Hour))
	crt, key := filepath.Join(dir, "c.pem"), filepath.Join(dir, "k.pem")
	if err := os.WriteFile(crt, own.pem(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, own.keyPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return bustest.Raw(t, fmt.Sprintf("tls { cert_file: %q, key_file: %q }", crt, key))
}

func topologyFaults() []planted {
	return []planted{
		{"stream-missing", func(t *testing.T, s *stack) {
			bustest.Lose(t, s.bus, bus.StreamDead)
		}, "FAULT NATS/streams there is no stream DEAD", "run `bellbuoy setup`"},
		{"nothing-set-up", func(t *testing.T, s *stack) {
			s.options.NATS.URL = bustest.Raw(t, "jetstream {}, max_payload: 8MB")
		}, "FAULT NATS/streams there is no stream CONTEXT, ALERTS, REPLIES", "run `bellbuoy setup`"},
		{"stream-drifted", func(t *testing.T, s *stack) {
			bustest.Drift(t, s.bus, bus.StreamAlerts, time.Hour)
		}, "FAULT NATS/stream ALERTS max age is 1h0m0s, not 2160h0m0s", "run `bellbuoy setup`"},
		{"foreign-stream", func(t *testing.T, s *stack) {
			bustest.Usurp(t, s.bus, bus.StreamFindings, "orders.>")
		}, "FAULT NATS/stream FINDINGS is not Bellbuoy's: it keeps orders.>", "give Bellbuoy a NATS account of its own"},
		{"consumer-missing", func(t *testing.T, s *stack) {
			bustest.LoseConsumer(t, s.bus, bus.StreamAlerts, "notify-webhook")
		}, "FAULT NATS/consumer notify-webhook is missing", "run `bellbuoy setup`"},
		{"analyzers-consumer-missing", func(t *testing.T, s *stack) {
			bustest.LoseConsumer(t, s.bus, bus.StreamReplies, bus.Hear)
		}, "FAULT NATS/consumer hear is missing", "run `bellbuoy setup`"},
		{"consumer-drifted", func(t *testing.T, s *stack) {
			bustest.DriftConsumer(t, s.bus, bus.StreamReplies, bus.Hear, time.Minute)
		}, "FAULT NATS/consumer hear ack wait is 1m0s, not 10s", "run `bellbuoy setup`"},
		{"consumer-paused", func(t *testing.T, s *stack) {
			bustest.Pause(t, s.bus, bus.StreamAlerts, "notify-webhook")
		}, "FAULT NATS/consumer notify-webhook is paused", "nats consumer resume ALERTS notify-webhook"},
		{"other-number-of-calls", func(_ *testing.T, s *stack) {
			s.options.Setup.LLMConcurrency = 5
		}, "warn NATS/consumer diagnose messages at once is 4, not 5", "set BELLBUOY_LLM_CONCURRENCY to the same number"},
		{"channel-left-behind", func(t *testing.T, s *stack) {
			if err := s.bus.Setup(t.Context(), bus.Setup{Channels: []string{"pager"}}); err != nil {
				t.Fatal(err)
			}
			s.tell(t)
			bustest.Settled(t, s.bus, "notify-pager")
		}, "warn NATS/consumer notify-pager has 1 messages waiting, and nobody reads it", "nats consumer rm ALERTS notify-pager"},
	}
}

func partFaults() []planted {
	return []planted{
		{"no-analyzer", func(_ *testing.T, s *stack) { s.analyzer() }, "FAULT parts/analyzer none answers", "start `bellbuoy up` or `analyzer`"},
		{"no-notifier", func(_ *testing.T, s *stack) { s.notifier() }, "FAULT parts/notifier webhook nobody reads notify-webhook", "start `bellbuoy up` or `notifier`"},
		{"no-snapshot", func(t *testing.T, s *stack) {
			if err := purge(t, s); err != nil {
				t.Fatal(err)
			}
		}, "FAULT parts/collector no snapshot is kept", "start `bellbuoy up` or `collector`"},
		{"snapshot-too-old", func(t *testing.T, s *stack) {
			s.snapshot(t, schema.ClusterContext{IntervalSeconds: 0.001})
			old := time.NewTimer(10 * time.Millisecond) // intervals
			<-old.C
		}, "FAULT parts/collector prod its newest snapshot is", "start the collector of prod again"},
		{"snapshots-clock", func(t *testing.T, s *stack) {
			s.snapshot(t, schema.ClusterContext{TakenAt: time.Now().Add(-10 * time.Minute)})
		}, "FAULT parts/collector prod its clock is 10m0s behind the NATS server's", "timedatectl set-ntp true"},
		{"source-not-readable", func(t *testing.T, s *stack) {
			s.snapshot(t, schema.ClusterContext{Stale: []schema.StalePart{{Source: "docker", Error: "permission denied"}}})
		}, "FAULT parts/collector prod could not read docker yet: permission denied", "where that collector runs"},
		{"snapshot-not-readable", func(t *testing.T, s *stack) {
			bustest.Inject(t, s.bus, s.bus.Subjects().Context("prod"), nil, []byte(`{"cluster_name": 7}`))
			bustest.Settled(t, s.bus)
			bustest.Lose(t, s.bus, bus.StreamDead) // where the analyzer buried it
			if err := s.bus.Setup(t.Context(), s.options.Setup); err != nil {
				t.Fatal(err)
			}
		}, "FAULT parts/collector prod its newest snapshot is not readable", "correct whoever publishes to bellbuoy.context.prod"},
		{"dead-letters", func(t *testing.T, s *stack) {
			if err := s.bus.Dead(t.Context(), "webhook", bus.DeadLetter{Reason: "410 Gone"}); err != nil {
				t.Fatal(err)
			}
		}, "warn parts/dead letters 1 in the last 24 h; the newest, of webhook: 410 Gone", "bellbuoy dead"},
		{"nothing-is-sent", func(t *testing.T, s *stack) {
			s.notifier()
			s.notify(t, notifier.NotifyShadow)
		}, "warn parts/shadow webhook SHADOW: a notifier runs with BELLBUOY_NOTIFY=shadow", "unset BELLBUOY_NOTIFY"},
	}
}

func purge(t *testing.T, s *stack) error {
	bustest.Lose(t, s.bus, bus.StreamContext)
	return s.bus.Setup(t.Context(), s.options.Setup)
}

func machineFaults() []planted {
	return []planted{
		{"no-docker-socket", func(_ *testing.T, s *stack) {
			s.options.Docker = &docker.Config{Host: "unix:///nowhere/d.sock"}
		}, "FAULT sources/docker reach the Docker engine at unix:///nowhere/d.sock", "there is no such socket"},
		{"nobody-on-docker-socket", func(t *testing.T, s *stack) {
			socket := filepath.Join(shortDir(t), "dead.sock")
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
			if err != nil {
				t.Fatal(err)
			}
			l.SetUnlinkOnClose(false)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			s.options.Docker = &docker.Config{Host: "unix://" + socket}
		}, "FAULT sources/docker reach the Docker engine at", "nothing listens there"},
		{"docker-too-old", func(t *testing.T, s *stack) {
			socket := filepath.Join(shortDir(t), "old.sock")
			engine(t, socket, "1.40")
			s.options.Docker = &docker.Config{Host: "unix://" + socket}
		}, "FAULT sources/docker use the Docker engine at", "update Docker to 20.10 or newer"},
		{"data-directory-is-a-file", func(t *testing.T, s *stack) {
			s.options.DataDir = filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(s.options.DataDir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "FAULT machine/data", "set BELLBUOY_DATA_DIR to a directory that this user may write"},
		{"http-address-taken", func(t *testing.T, s *stack) {
			other := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(other.Close)
			s.options.HTTP = other.Listener.Addr().String()
		}, "FAULT machine/HTTP", "stop that program, or set BELLBUOY_HTTP_ADDR"},
		{"http-address-of-another-machine", func(_ *testing.T, s *stack) {
			s.options.HTTP = "192.0.2.7:8474"
		}, "FAULT machine/HTTP 192.0.2.7:8474 is no address and port of this machine", "set BELLBUOY_HTTP_ADDR"},
		{"not-ready", func(t *testing.T, s *stack) {
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, "analyzer: not ready: it is reading the conversations\n")
			}))
			t.Cleanup(other.Close)
			s.options.HTTP = other.Listener.Addr().String()
		}, "FAULT machine/HTTP Bellbuoy at", "put right what it says"},
	}
}

func outwardFaults() []planted {
	return []planted{
		{"key-refused", func(_ *testing.T, s *stack) {
			s.options.LLM.APIKey = "sk-wrong-hunter2"
		}, "FAULT model/model 127.0.0.1:", "set BELLBUOY_LLM_API_KEY"},
		{"model-unknown", func(_ *testing.T, s *stack) {
			s.options.LLM.Model = "huge"
		}, "FAULT model/model 127.0.0.1:", "set BELLBUOY_LLM_MODEL to one of those"},
		{"model-host-down", func(t *testing.T, s *stack) {
			s.options.LLM.BaseURL = "http://" + freeAddress(t)
		}, "FAULT model/model 127.0.0.1:", "start that server, or correct BELLBUOY_LLM_BASE_URL"},
		{"model-says-nothing", func(t *testing.T, s *stack) {
			s.options.LLM.BaseURL = "http://" + silent(t)
			s.options.Within = 2 * time.Second
		}, "FAULT model/model 127.0.0.1:", "start that server, or correct BELLBUOY_LLM_BASE_URL"},
		{"no-list-of-models", func(t *testing.T, s *stack) {
			other := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(other.Close)
			s.options.LLM.BaseURL = other.URL
		}, "warn model/model 127.0.0.1:", "check that BELLBUOY_LLM_BASE_URL is the address of the API"},
		{"receiver-down", func(t *testing.T, s *stack) {
			s.options.Webhook.URL = config.Secret("https://" + freeAddress(t) + secretPath)
		}, "FAULT channels/webhook connect to https://127.0.0.1:", "start the receiver"},
		{"no-such-receiver", func(_ *testing.T, s *stack) {
			s.options.Webhook.URL = "https://receiver.invalid" + secretPath
		}, "FAULT channels/webhook connect to https://receiver.invalid", "correct the host in BELLBUOY_WEBHOOK_URL"},
		{"certificate-expired", func(t *testing.T, s *stack) {
			s.options.Webhook.URL = config.Secret(receiver(t, issue(&authority, time.Now().Add(-time.Hour))))
		}, "FAULT channels/webhook make TLS with https://127.0.0.1:", "renew the receiver's certificate"},
		{"certificate-ends-soon", func(t *testing.T, s *stack) {
			s.options.Webhook.URL = config.Secret(receiver(t, issue(&authority, time.Now().Add(48*time.Hour))))
		}, "warn channels/webhook https://127.0.0.1:", "renew the certificate of https://127.0.0.1:"},
		{"certificate-untrusted", func(t *testing.T, s *stack) {
			s.options.Webhook.URL = config.Secret(receiver(t, issue(nil, time.Now().Add(time.Hour))))
		}, "FAULT channels/webhook make TLS with https://127.0.0.1:", "give the receiver a certificate that this machine trusts"},
		{"metadata-address", func(_ *testing.T, s *stack) {
			s.options.Webhook.URL = "http://169.254.169.254" + secretPath
		}, "FAULT channels/webhook connect to http://169.254.169.254: the address may not be posted to", "never posted to"},
		{"posts-not-signed", func(_ *testing.T, s *stack) {
			s.options.Webhook.Secret = ""
		}, "warn channels/webhook posts are not signed", "set BELLBUOY_WEBHOOK_SECRET"},
	}
}

// bad is every finding that asks somebody to do something.
func bad(all []doctor.Finding) []doctor.Finding {
	var found []doctor.Finding
	for _, f := range all {
		if f.Level == doctor.Fault || f.Level == doctor.Warn {
			found = append(found, f)
		}
	}
	return found
}

func says(f doctor.Finding) string {
	return fmt.Sprintf("%s %s/%s %s", f.Level, f.Area, f.Name, f.What)
}

// want fails unless the planted fault is the one finding, with its fix.
func (p planted) want(t *testing.T, all []doctor.Finding) {
	t.Helper()
	found := bad(all)
	if len(found) != 1 || !strings.HasPrefix(says(found[0]), p.what) || !strings.Contains(found[0].Fix, p.fix) {
		t.Errorf("found %d:", len(found))
		for _, f := range found {
			t.Errorf("%s; fix: %s", says(f), f.Fix)
		}
		t.Errorf("want one: %s…; fix: …%s…", p.what, p.fix)
	}
	for _, f := range all {
		if strings.Contains(f.Name+f.What+f.Fix, "hunter2") {
			t.Errorf("a secret shows: %+v", f)
		}
	}
}

func TestEveryPlantedFaultIsNamedWithItsFixAndNoOther(t *testing.T) {
	well := newStack(t)
	for _, group := range [][]planted{configurationFaults(), serverFaults(), machineFaults(), outwardFaults()} {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) {
				s := *well // these change only what is configured
				p.plant(t, &s)
				p.want(t, doctor.Examine(t.Context(), s.options))
			})
		}
	}
	for _, group := range [][]planted{topologyFaults(), partFaults()} {
		for _, p := range group {
			t.Run(p.name, func(t *testing.T) {
				s := newStack(t)
				p.plant(t, s)
				p.want(t, doctor.Examine(t.Context(), s.options))
			})
		}
	}
}

func TestFaultsOfAnotherUserAreNamedWithTheirFixes(t *testing.T) {
	s := newStack(t)
	socket := strings.TrimPrefix(s.options.Docker.Host, "unix://")
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	open := shortDir(t)
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	s.options.DataDir = filepath.Join(open, "later")
	if diff := cmp.Diff([]doctor.Finding(nil), withoutVolatile(bad(asNobody(t, s.options)))); diff != "" {
		t.Fatalf("before anything is planted (-want +got):\n%s", diff)
	}
	t.Run("docker-socket-forbidden", func(t *testing.T) {
		if err := os.Chmod(socket, 0); err != nil {
			t.Fatal(err)
		}
		p := planted{what: "FAULT sources/docker reach the Docker engine at", fix: "add it to the group docker"}
		p.want(t, withoutVolatile(asNobody(t, s.options)))
		if err := os.Chmod(socket, 0o666); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("data-directory-not-writable", func(t *testing.T) {
		if err := os.Chmod(open, 0o555); err != nil {
			t.Fatal(err)
		}
		p := planted{what: "FAULT machine/data user", fix: "sudo chown -R"}
		p.want(t, asNobody(t, s.options))
	})
}

// withoutVolatile leaves out that the temporary directory is in memory on some machines.
func withoutVolatile(all []doctor.Finding) []doctor.Finding {
	var rest []doctor.Finding
	for _, f := range all {
		if f.Area != doctor.AreaMachine || f.Level != doctor.Warn {
			rest = append(rest, f)
		}
	}
	return rest
}

func TestAHealthyStackHasNoFault(t *testing.T) {
	s := newStack(t)
	s.options.Host = true
	all := doctor.Examine(t.Context(), s.options)
	if diff := cmp.Diff([]doctor.Finding(nil), bad(all)); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	var names []string
	for _, f := range all {
		if !strings.HasPrefix(f.Name, "host ") { // what this machine has not
			names = append(names, fmt.Sprintf("%s %s/%s", f.Level, f.Area, f.Name))
		}
	}
	want := []string{
		"ok configuration/configuration", "ok NATS/server", "ok NATS/clock", "ok NATS/streams", "ok NATS/consumers",
		"ok parts/analyzer", "ok parts/notifier webhook", "ok parts/channel webhook", "ok parts/collector prod", "ok parts/dead letters",
		"ok sources/docker", "ok sources/host", "ok machine/data", "ok machine/HTTP", "ok model/model", "ok channels/webhook",
		"ok leaves/nothing", "ok leaves/stays here",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("looked at (-want +got):\n%s", diff)
	}
}
