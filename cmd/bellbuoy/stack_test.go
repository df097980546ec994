package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/process"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// stack is an analyzer that knows of shop/checkout, which is down, and the variables that lead the commands to it.
func stack(t *testing.T) *bus.Bus {
	t.Helper()
	s := bustest.Server(t)
	t.Setenv("BELLBUOY_NATS_URL", s.URL())
	t.Setenv("BELLBUOY_USER", "ada")
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	for n := range 2 {
		e2e.Publish(t, b, e2e.Snapshot("prod", n, 0))
		bustest.Settled(t, b, bus.Notify("webhook"))
	}
	e2e.Await(t, b, "prod", e2e.CheckoutID("prod"), "the opening", func(schema.Conversation) bool { return true })
	return b
}

// typed runs a command as if somebody had typed it and gives what it prints.
func typed(t *testing.T, words ...string) (string, error) {
	t.Helper()
	for _, c := range commands() {
		if c.name == words[0] {
			var out bytes.Buffer
			err := c.startOn(t.Context(), &out, words[1:])
			return out.String(), err
		}
	}
	t.Fatalf("there is no command %s", words[0])
	return "", nil
}

// into decodes what a command printed as JSON.
func into[T any](t *testing.T, words ...string) T {
	t.Helper()
	var v T
	out, err := typed(t, words...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &v)
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", words, err, out)
	}
	return v
}

func TestPeopleListShowAskAndAcknowledge(t *testing.T) {
	stack(t)
	short := e2e.CheckoutID("prod")[:client.MinPrefix]
	for _, c := range []struct{ words, want string }{
		{"list", short + "  CRIT  shop/checkout  down: 0 of 1 running  investigating"},
		{"show checkout", "CRIT shop/checkout down: 0 of 1 running"},
		{"ack checkout", short + " shop/checkout ada has it. (api, unverified)"},
		{"list", "acknowledged   ada"},
		{"reply checkout why?", short + " shop/checkout answer: "},
		{"unack " + short, "ada gives it back. (api, unverified)"},
		{"silence checkout 1h", "Silenced by ada until "},
		{"resolve checkout", "ada says it is resolved. Watching for "},
		{"reopen checkout", "shop/checkout reopened by ada. (api, unverified)"},
		{"dismiss checkout", "Dismissed by ada: "},
		{"reopen " + short, "shop/checkout reopened by ada. (api, unverified)"},
		{"why", "everything that is seen is watched"},
		{"why checkout", "service_down: alerting since"},
	} {
		out, err := typed(t, strings.Fields(c.words)...)
		if err != nil || !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(c.want), " ")) {
			t.Errorf("bellbuoy %s: %v, printed\n%swant %q in it", c.words, err, out, c.want)
		}
	}
}

// The name is a claim that the variable makes, or else the login name.
func TestWhoTypesIsTheAuthor(t *testing.T) {
	stack(t)
	for _, who := range []struct{ variable, login, want string }{{"ada", "root", "ada"}, {"", "grace", "grace"}, {"", "", "someone"}} {
		t.Setenv("BELLBUOY_USER", who.variable)
		t.Setenv("USER", who.login)
		e := into[schema.Alert](t, "ack", "checkout", "--json").Event
		if e.Kind != schema.EventAcknowledged || e.Author == nil || e.Author.Name != who.want || e.Author.Verified {
			t.Errorf("%+v: %s by %+v", who, e.Kind, e.Author)
		}
	}
}

func TestProgramsReadJSON(t *testing.T) {
	stack(t)
	id := e2e.CheckoutID("prod")
	list := into[client.ListResponse](t, "list", "--json")
	if list.Total != 1 || list.Conversations[0].Short != id[:4] || list.Closed != 0 {
		t.Errorf("list: %+v", list)
	}
	if c := into[schema.Conversation](t, "show", "checkout", "--json"); c.ID != id {
		t.Errorf("show: %s", c.ID)
	}
	alert := into[schema.Alert](t, "dismiss", "checkout", "--json")
	if alert.Event.Kind != schema.EventDismissed || alert.Conversation.ClosedAs != schema.StateDismissed {
		t.Errorf("dismiss: %s, %s", alert.Event.Kind, alert.Conversation.ClosedAs)
	}
	why := into[client.WhyResponse](t, "why", "--json")
	if len(why.Clusters) != 1 || why.Clusters[0].Cluster != "prod" || why.Clusters[0].Firing != 1 {
		t.Errorf("why: %+v", why)
	}
	if v := into[map[string]string](t, "version", "--json"); v["version"] != process.Version() {
		t.Errorf("version: %v", v)
	}
	if out, err := typed(t, "list"); err != nil || out != "nothing is open; 1 conversation is closed: bellbuoy list --all\n" {
		t.Errorf("list of nothing: %q, %v", out, err)
	}
	var refsOut bytes.Buffer
	if err := refs(t.Context(), &refsOut); err != nil || refsOut.String() != "" {
		t.Errorf("completes %q, %v, though nothing is open", refsOut.String(), err)
	}
}

func TestListFetchesPageByPage(t *testing.T) {
	b := stack(t)
	for n := range 2 {
		for _, cluster := range []string{"east", "west"} {
			e2e.Publish(t, b, e2e.Snapshot(cluster, n, 0))
		}
		bustest.Settled(t, b, bus.Notify("webhook"))
	}
	want := into[client.ListResponse](t, "list", "--json")
	got, err := everyPage(t.Context(), client.New(b), false, 1)
	if err != nil || len(got.Conversations) != 3 {
		t.Fatalf("%d conversations, %v", len(got.Conversations), err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in one page and in three (-one +three):\n%s", diff)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	stack(t)
	for words, want := range map[string]string{
		"show nothing": "bellbuoy list --all shows those there are",
		"ack nothing":  "bellbuoy list --all",
	} {
		if _, err := typed(t, strings.Fields(words)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("bellbuoy %s: error %v, want %q", words, err, want)
		}
	}
	if err := run(t.Context(), []string{"shwo"}); err == nil || !strings.Contains(err.Error(), "did you mean bellbuoy show?") {
		t.Errorf("a slip: %v", err)
	}
	t.Setenv("BELLBUOY_NATS_URL", bustest.Server(t).URL())
	if _, err := typed(t, "list"); err == nil || !strings.Contains(err.Error(), "no analyzer answers on nats://127.0.0.1:") || !strings.Contains(err.Error(), "bellbuoy up") {
		t.Errorf("without an analyzer: %v", err)
	}
	t.Setenv("BELLBUOY_NATS_URL", "nats://user:secret@"+nobody(t))
	_, err := typed(t, "list")
	if err == nil || !strings.Contains(err.Error(), "nats://***@127.0.0.1:") || !strings.Contains(err.Error(), "bellbuoy up") || strings.Contains(err.Error(), "secret") {
		t.Errorf("without a server: %v", err)
	}
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// up runs the whole of it on a recorded snapshot, and its terminal says first what is watched.
func TestUpSaysWhatIsWatchedThenWhatHappens(t *testing.T) {
	var lines bytes.Buffer
	for n := range 3 {
		s := e2e.Snapshot("box7", n, 0)
		s.Source = ""
		s.Unread = []schema.UnreadPart{{Part: schema.PartGPUs, Reason: "no GPU"}}
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "%s\n", body)
	}
	file := filepath.Join(t.TempDir(), "snapshots.jsonl")
	if err := os.WriteFile(file, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"SOURCE": "file:" + file, "INTERVAL": "1s", "NATS_LISTEN": "127.0.0.1:0", "HTTP_ADDR": "127.0.0.1:0",
		"DATA_DIR": t.TempDir(), "NATS_URL": "", "WEBHOOK_URL": "", "LLM_BASE_URL": "",
	} {
		t.Setenv(process.Prefix+"_"+name, value)
	}
	var cfg upConfig
	if err := config.Load(process.Prefix, &cfg); err != nil {
		t.Fatal(err)
	}
	got := upUntil(t, cfg, "CRIT")
	for _, want := range []string{
		"watching box7: ", "not alerting on   nothing is left out   bellbuoy why\n",
		"this terminal only (set BELLBUOY_WEBHOOK_URL)", "leaves this host  nothing   ·   kept 90 days in " + cfg.Server.DataDir,
		"BELLBUOY_NATS_URL=nats://127.0.0.1:", " CRIT ", " shop/checkout down: 0 of 1 running",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("up does not say %q:\n%s", want, got)
		}
	}
}

// upUntil runs up until it has printed a text, and gives all that it had printed.
func upUntil(t *testing.T, cfg upConfig, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := up(ctx, w, cfg)
		_ = w.Close()
		ended <- err
	}()
	var all strings.Builder
	chunk := make([]byte, 4096)
	for {
		n, err := r.Read(chunk)
		all.Write(chunk[:n])
		if strings.Contains(all.String(), text) {
			cancel()
		}
		if err != nil {
			break
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("up: %v", err)
	}
	return all.String()
}
