package doctor_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/doctor"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/docker"
)

const (
	childVariable = "DOCTOR_TEST_CHILD"
	modelKey      = "sk-llm-hunter2"
	secretPath    = "/hooks/hunter2"
	signature     = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// authority signs the certificates that this machine trusts for the length of the tests.
var authority certificate

func TestMain(m *testing.M) {
	if raw := os.Getenv(childVariable); raw != "" {
		os.Exit(child(raw))
	}
	dir, err := os.MkdirTemp("", "doctor")
	if err != nil {
		fatal(err)
	}
	authority = issue(nil, time.Now().Add(40*24*time.Hour))
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, authority.pem(), 0o644); err != nil {
		fatal(err)
	}
	for name, value := range map[string]string{"SSL_CERT_FILE": file, "SSL_CERT_DIR": dir} {
		if err := os.Setenv(name, value); err != nil {
			fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		fatal(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// fatal ends the process; it is for what happens outside any test.
func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// certificate is one for localhost and 127.0.0.1.
type certificate struct {
	key  *ecdsa.PrivateKey
	x509 *x509.Certificate
}

func (c certificate) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.x509.Raw})
}

func (c certificate) keyPEM() []byte {
	raw, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func (c certificate) tls() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{c.x509.Raw}, PrivateKey: c.key}
}

// issue makes a certificate that parent signs; nil: it signs itself.
func issue(parent *certificate, ends time.Time) certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fatal(err)
	}
	c := certificate{key: key}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(ends.UnixNano()), Subject: pkix.Name{CommonName: "test"}, NotBefore: ends.Add(-50 * 24 * time.Hour), NotAfter: ends,
		IsCA: parent == nil, BasicConstraintsValid: true, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signer := certificate{key: key, x509: template}
	if parent != nil {
		signer = *parent
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, signer.x509, &key.PublicKey, signer.key)
	if err != nil {
		fatal(err)
	}
	if c.x509, err = x509.ParseCertificate(raw); err != nil {
		fatal(err)
	}
	return c
}

// receiver is a webhook's endpoint. A post to it fails the test: the doctor sends nothing.
func receiver(t *testing.T, c certificate) (url string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the receiver got %s %s", r.Method, r.URL)
	}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{c.tls()}}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL + secretPath
}

// engine is a Docker engine that is asked to read only.
func engine(t *testing.T, socket, api string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", api)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			t.Errorf("the engine was asked to %s %s", r.Method, r.URL)
		case strings.HasSuffix(r.URL.Path, "/info"):
			fmt.Fprint(w, `{"ID":"x","Name":"box","ServerVersion":"28.0.0"}`)
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			fmt.Fprint(w, `[]`)
		}
	})}}
	s.Start()
	t.Cleanup(s.Close)
}

// stack is everything that Bellbuoy consists of and stands on, in good health.
type stack struct {
	nats    *bustest.NATS
	bus     *bus.Bus
	options doctor.Options

	analyzer, notifier func() // stop them, and wait until the server knows
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{nats: bustest.Server(t)}
	s.bus = s.nats.Connect(t)
	model := llmtest.New(t, llmtest.Options{Key: modelKey, Models: []string{"small", "large:latest"}})
	socket := filepath.Join(shortDir(t), "d.sock")
	engine(t, socket, "1.45")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	s.options = doctor.Options{
		NATS: bus.Options{URL: s.nats.URL(), Name: "bellbuoy"}, Named: true, Asked: true, Collects: true,
		Setup: bus.Setup{Channels: []string{webhook.Name}},
		HTTP:  freeAddress(t), DataDir: here, Docker: &docker.Config{Host: "unix://" + socket},
		LLM:     llm.Config{BaseURL: model.URL(), Model: "large", APIKey: modelKey},
		Webhook: webhook.Config{URL: config.Secret(receiver(t, issue(&authority, time.Now().Add(30*24*time.Hour)))), Secret: signature},
	}
	s.snapshot(t, schema.ClusterContext{})
	s.work(t)
	return s
}

// shortDir is a directory whose path fits into a socket's address, open to all users.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d") //nolint:usetesting // a test's own directory is closed to other users, and its path long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// snapshot publishes one of the cluster prod, taken now every hour unless s says otherwise.
func (s *stack) snapshot(t *testing.T, c schema.ClusterContext) {
	t.Helper()
	c.ClusterName, c.Source = "prod", "docker"
	if c.IntervalSeconds == 0 {
		c.IntervalSeconds = 3600
	}
	if c.TakenAt.IsZero() {
		c.TakenAt = time.Now().UTC()
	}
	body, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.bus.Publish(t.Context(), s.bus.Subjects().Context("prod"), body, ""); err != nil {
		t.Fatal(err)
	}
}

// tell stores the beginning of a conversation that no webhook is told.
func (s *stack) tell(t *testing.T) {
	t.Helper()
	o := schema.Object{Kind: schema.KindService, Name: "checkout"}
	e := schema.Message{ID: "1", At: time.Now().UTC(), Kind: schema.EventOpened, Sender: schema.SenderSystem}
	c := schema.Conversation{
		Schema: schema.ConversationVersion, ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o, Severity: schema.SeverityInfo,
		Conditions: []schema.Condition{}, Messages: []schema.Message{e}, Revision: 1,
	}
	if _, err := s.bus.Append(t.Context(), bus.Write{Conversation: c, Event: e}); err != nil {
		t.Fatal(err)
	}
}

// work starts an analyzer and a notifier, and waits until the server has both.
func (s *stack) work(t *testing.T) {
	t.Helper()
	a, err := analyzer.New(analyzer.Config{Calls: analyzer.Calls{Concurrency: 4}}, s.nats.Connect(t), bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	stopAnalyzer := bustest.Start(t, a.Part().Run)
	eventually(t, s.answers)
	s.analyzer = func() { stopAnalyzer(); eventually(t, func() bool { return !s.answers() }) }
	s.notify(t, notifier.NotifyOn)
}

// notify starts a notifier, and waits until the server has it.
func (s *stack) notify(t *testing.T, mode string) {
	t.Helper()
	n, err := notifier.New(notifier.Config{Notify: mode, Webhook: s.options.Webhook}, s.nats.Connect(t), bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := bustest.Start(t, n.Part().Run)
	eventually(t, s.reads)
	eventually(t, func() bool {
		_, err := client.New(s.bus).Channels(t.Context())
		return err == nil
	})
	s.notifier = func() { stop(); eventually(t, func() bool { return !s.reads() }) }
}

func (s *stack) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Within)
	defer cancel()
	found, err := s.bus.Instances(ctx, "bellbuoy")
	return err == nil && len(found) == 1
}

func (s *stack) reads() bool {
	i, err := s.bus.Inspect(context.Background(), s.options.Setup)
	if err != nil {
		return false
	}
	for _, c := range i.Consumers {
		if c.Name == bus.Notify(webhook.Name) {
			return c.Read()
		}
	}
	return false
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	late := time.NewTimer(bustest.Within)
	defer late.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("not within %s", bustest.Within)
		}
	}
}

// outdated is a way to the server at url on which it claims to be of an old version.
func outdated(t *testing.T, url string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go relay(c, strings.TrimPrefix(url, "nats://"))
		}
	}()
	return "nats://" + l.Addr().String()
}

func relay(c net.Conn, to string) {
	defer c.Close()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	go func() { _, _ = io.Copy(s, c) }()
	greeting := make([]byte, 64<<10)
	n, err := s.Read(greeting)
	if err != nil {
		return
	}
	before, after, _ := strings.Cut(string(greeting[:n]), `"version":"`)
	_, after, _ = strings.Cut(after, `"`)
	if _, err := io.WriteString(c, before+`"version":"2.10.29"`+after); err == nil {
		_, _ = io.Copy(c, s)
	}
}

// silent takes connections and says nothing.
func silent(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// asNobody examines as a user who may do little: in another process, as this one may be root's.
func asNobody(t *testing.T, o doctor.Options) []doctor.Finding {
	t.Helper()
	dir := shortDir(t)
	binary := filepath.Join(dir, "doctor.test")
	copyFile(t, binary, os.Args[0])
	arguments, err := json.Marshal([]string{
		o.NATS.URL, o.HTTP, o.DataDir, o.Docker.Host, o.LLM.BaseURL, o.LLM.Model, o.Webhook.URL.Reveal(),
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), childVariable+"="+string(arguments))
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("examine as nobody: %v", err)
	}
	var found []doctor.Finding
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	body, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, body, 0o755); err != nil {
		t.Fatal(err)
	}
}

func child(raw string) int {
	var a []string
	if err := json.Unmarshal([]byte(raw), &a); err != nil {
		fatal(err)
	}
	found := doctor.Examine(context.Background(), doctor.Options{
		NATS: bus.Options{URL: a[0], Name: "bellbuoy"}, Named: true, Asked: true, Collects: true,
		Setup: bus.Setup{Channels: []string{webhook.Name}}, HTTP: a[1], DataDir: a[2], Docker: &docker.Config{Host: a[3]},
		LLM:     llm.Config{BaseURL: a[4], Model: a[5], APIKey: modelKey},
		Webhook: webhook.Config{URL: config.Secret(a[6]), Secret: signature},
	})
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		return 1
	}
	return 0
}
