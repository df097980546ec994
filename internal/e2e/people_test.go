package e2e_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/need"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	annasSecret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	verasSecret = "whsec_VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV"
)

// inlet serves the pages of a notifier and gives the address where replies are posted to. Its channels do not run.
func inlet(t *testing.T, s *bustest.NATS, cfg notifier.Config) (url string, reg *prometheus.Registry) {
	t.Helper()
	reg = prometheus.NewRegistry()
	cfg.Notify = notifier.NotifyOn
	n, err := notifier.New(cfg, s.ConnectWith(t, bus.Options{Log: e2e.Quiet()}), slog.New(slog.DiscardHandler), reg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	n.Part().Handle(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + gateway.Path, reg
}

// signed posts a reply and gives the status.
func signed(t *testing.T, url, secret, id, body string) (status int) {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Error(err)
		return 0
	}
	now := time.Now()
	signature, err := hook.Sign(id, now, []byte(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	q.Header = http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Webhook-Signature": {signature},
	}
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// checkoutDown makes checkout of prod fail.
func checkoutDown(t *testing.T, b *bus.Bus) (id string) {
	t.Helper()
	for n := range 2 {
		e2e.Publish(t, b, e2e.Snapshot("prod", n, 0))
		bustest.Settled(t, b, bus.Notify("webhook"))
	}
	return e2e.CheckoutID("prod")
}

func TestRepliesByWebhookReachTheConversation(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "channels.yml")
	text := `
channels: [{name: ops, kind: webhook, url: "http://127.0.0.1:9/x"}]
routes: [{match: {cluster: nowhere}, to: [ops]}]
default: []
people:
  - {name: Anna, role: responder, webhook: anna}
in:
  - {name: anna, secret: ` + annasSecret + `}
  - {name: vera, secret: ` + verasSecret + `}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := bustest.Server(t)
	b := s.Connect(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	url, reg := inlet(t, s, notifier.Config{ChannelsFile: file})
	id := checkoutDown(t, b)
	for _, tt := range []struct {
		secret, id, body string
		want             int
	}{
		{annasSecret, "1", `{"conversation":"` + id[:4] + `","verb":"ack"}`, http.StatusAccepted},
		{annasSecret, "1", `{"conversation":"` + id[:4] + `","verb":"ack"}`, http.StatusAccepted},
		{verasSecret, "1", `{"conversation":"` + id + `","verb":"dismiss"}`, http.StatusForbidden},
		{verasSecret, "2", `{"conversation":"` + id + `","text":"since when?","actor":"Vera"}`, http.StatusAccepted},
		{annasSecret, "2", `{"conversation":"0123456789abcdef","verb":"ack"}`, http.StatusNotFound},
		{annasSecret, "3", `{"conversation":"` + other(id) + `","verb":"ack"}`, http.StatusNotFound},
		{"whsec_" + strings.Repeat("Z", 32), "4", `{"conversation":"` + id + `","verb":"dismiss"}`, http.StatusUnauthorized},
	} {
		if got := signed(t, url, tt.secret, tt.id, tt.body); got != tt.want {
			t.Errorf("%s is answered with %d, want %d", tt.body, got, tt.want)
		}
	}
	got := e2e.Await(t, b, "prod", id, "the question", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventAsked) == 1 })
	if got.Owner != "Anna" || e2e.Count(got, schema.EventAcknowledged) != 1 || e2e.Count(got, schema.EventRefused) != 0 || got.Closed() {
		t.Errorf("owner %q, %v", got.Owner, e2e.Kinds(got))
	}
	counted := map[string]float64{}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "reason" {
					counted[l.GetValue()] = m.GetCounter().GetValue()
				}
			}
		}
	}
	if diff := cmp.Diff(map[string]float64{"repeated": 1, "role": 1, "unknown": 2, "signature": 1}, counted); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// other is the beginning of no id that there is.
func other(id string) string {
	if strings.HasPrefix(id, "0000") {
		return "1111"
	}
	return "0000"
}

func TestWithoutNATSAReplyByWebhookIsToBeSentAgain(t *testing.T) {
	s := bustest.Server(t)
	b := s.Connect(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	url, _ := inlet(t, s, notifier.Config{In: gateway.Config{Secret: config.Secret(annasSecret)}})
	id := checkoutDown(t, b)
	body := `{"conversation":"` + id + `","verb":"ack","actor":"Anna"}`
	s.Stop(t)
	if got := signed(t, url, annasSecret, "1", body); got != http.StatusServiceUnavailable {
		t.Errorf("answered with %d", got)
	}
	s.Start(t)
	for status := 0; status != http.StatusAccepted; {
		status = signed(t, url, annasSecret, "1", body)
		if status != http.StatusAccepted && status != http.StatusServiceUnavailable && status != http.StatusTooManyRequests {
			t.Fatalf("answered with %d", status)
		}
	}
	got := e2e.Await(t, b, "prod", id, "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged })
	if got.Owner != "Anna (webhook)" || e2e.Count(got, schema.EventAcknowledged) != 1 {
		t.Errorf("owner %q, %v", got.Owner, e2e.Kinds(got))
	}
}

func TestWithoutAKeyNothingIsTaken(t *testing.T) {
	s := bustest.Server(t)
	url, _ := inlet(t, s, notifier.Config{})
	if got := signed(t, url, annasSecret, "1", `{"conversation":"0000","verb":"ack"}`); got != http.StatusNotFound {
		t.Errorf("answered with %d", got)
	}
}

// A hundred people who reply at once over all ways are all heard, each once, in one order that every reader sees.
func TestAHundredPeopleReplyAtOnce(t *testing.T) {
	const people = 100
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartAnalyzer(t, s, llm.Config{})
	url, _ := inlet(t, s, notifier.Config{In: gateway.Config{Secret: config.Secret(annasSecret)}})
	b := s.Connect(t)
	id := checkoutDown(t, b)
	api := client.New(b)
	var all sync.WaitGroup
	for n := range people {
		all.Go(func() {
			name := fmt.Sprintf("person %d", n)
			var err error
			switch n % 4 {
			case 0:
				body := fmt.Sprintf(`{"conversation":%q,"verb":"ack","actor":%q}`, id, name)
				if got := signed(t, url, annasSecret, strconv.Itoa(n), body); got != http.StatusAccepted {
					err = fmt.Errorf("answered with %d", got)
				}
			case 1:
				_, err = api.Reply(t.Context(), client.ReplyRequest{Ref: id, Verb: "ack", Author: name})
			default:
				to := id[:16-8*(n%2)] // some say its beginning alone
				_, err = b.Publish(t.Context(), b.Subjects().Replies(to), fmt.Appendf(nil, `{"verb":"ack","author":{"name":%q}}`, name), "")
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	all.Wait()
	got := e2e.Await(t, b, "prod", id, "all", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventAcknowledged) == people })
	var order []string
	for _, m := range got.Messages {
		if m.Kind == schema.EventAcknowledged {
			order = append(order, strings.TrimSuffix(m.Author.Name, " (webhook)"))
		}
	}
	for n := range people {
		if name := fmt.Sprintf("person %d", n); !slices.Contains(order, name) {
			t.Errorf("%s is not heard", name)
		}
	}
	if strings.TrimSuffix(got.Owner, " (webhook)") != order[people-1] {
		t.Errorf("%s has it, though %s spoke last", got.Owner, order[people-1])
	}
	bustest.Settled(t, b, bus.Notify("webhook"))
	for reader, read := range map[string]func() (schema.Conversation, error){
		"api": func() (schema.Conversation, error) { return api.Get(t.Context(), id) },
		"another-connection": func() (schema.Conversation, error) {
			h, err := s.Connect(t).HeadByID(t.Context(), id)
			return h.Conversation, err
		},
	} {
		c, err := read()
		if err != nil {
			t.Fatal(err)
		}
		var theirs []string
		for _, m := range c.Messages {
			if m.Kind == schema.EventAcknowledged {
				theirs = append(theirs, strings.TrimSuffix(m.Author.Name, " (webhook)"))
			}
		}
		if diff := cmp.Diff(order, theirs); diff != "" {
			t.Errorf("%s reads another order (-want +got):\n%s", reader, diff)
		}
	}
	if stored := bustest.Events(t, b, id); len(stored) != len(got.Messages) {
		t.Errorf("%d events are stored, and the conversation has %d", len(stored), len(got.Messages))
	}
}

func TestTwoAnalyzersShareTheMicroService(t *testing.T) {
	cli := need.NATS(t)
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	id := checkoutDown(t, b)
	nats := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), cli, append([]string{"--server", s.URL()}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("nats %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	const asked = 40
	for range asked {
		if _, err := client.New(b).Get(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	instance := regexp.MustCompile(`\b[A-Za-z0-9]{22}\b`)
	if out := nats("micro", "ls"); len(instance.FindAllString(out, -1)) != 2 {
		t.Errorf("micro ls does not show two:\n%s", out)
	}
	if out := nats("micro", "info", "bellbuoy"); !strings.Contains(out, "bellbuoy.api.reply") {
		t.Errorf("micro info:\n%s", out)
	}
	out, served := nats("micro", "stats", "bellbuoy"), 0
	for _, row := range regexp.MustCompile(`\bget\s+│\s+(\d+)`).FindAllStringSubmatch(out, -1) {
		n, err := strconv.Atoi(row[1])
		if err != nil || n == 0 {
			t.Errorf("one of the two answered nothing:\n%s", out)
		}
		served += n
	}
	if served != asked {
		t.Errorf("%d requests are counted, want %d:\n%s", served, asked, out)
	}
	if out := nats("req", "--raw", "bellbuoy.replies."+id, "why?"); !strings.Contains(out, `"stream":"REPLIES"`) {
		t.Errorf("a reply is answered with %s", out)
	}
	if out := nats("req", "--raw", "bellbuoy.replies."+id[:6], "since when?"); !strings.Contains(out, `"stream":"REPLIES"`) {
		t.Errorf("a reply is answered with %s", out)
	}
	e2e.Await(t, b, "prod", id, "both questions", func(c schema.Conversation) bool { return e2e.Count(c, schema.EventAsked) == 2 })
}
