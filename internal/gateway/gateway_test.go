package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/gateway"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const (
	known = "9f2c51d07be34a68"
	anna  = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	vera  = "whsec_VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV"
	next  = "whsec_NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN"
)

// desk keeps replies as NATS does, unless it is down.
type desk struct {
	down error

	mu     sync.Mutex
	stored []schema.Reply
}

func (d *desk) Find(_ context.Context, digits string) (string, error) {
	switch {
	case d.down != nil:
		return "", d.down
	case strings.HasPrefix(digits, "aaaa"):
		return "", fmt.Errorf("%w: aaaa0 and aaaa1", gateway.ErrAmbiguous)
	case !strings.HasPrefix(known, digits):
		return "", fmt.Errorf("%w: %s", gateway.ErrUnknown, digits)
	}
	return known, nil
}

func (d *desk) Store(_ context.Context, r schema.Reply) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.stored {
		if s.ID == r.ID {
			return true, nil
		}
	}
	d.stored = append(d.stored, r)
	return false, d.down
}

// door is a gateway that listens.
type door struct {
	*desk
	url    string
	counts map[string]int
	log    *bytes.Buffer
}

func open(t *testing.T, roster people.Roster) *door {
	t.Helper()
	d := &door{desk: &desk{}, counts: map[string]int{}, log: &bytes.Buffer{}}
	keys := []gateway.Key{{Name: "anna", Secret: anna + "," + next}, {Name: "vera", Secret: vera}}
	count := func(reason string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.counts[reason]++
	}
	g, err := gateway.New(keys, roster, d.desk, count, slog.New(slog.NewTextHandler(d.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func roster() people.Roster {
	return people.Roster{Others: people.Viewer, People: []people.Person{
		{Name: "Anna", Role: people.Responder, IDs: map[string][]string{people.Webhook: {"anna"}}},
	}}
}

// message is a request before it is sent.
type message struct {
	secret, id, kind, body string
	at                     time.Time
	header                 map[string]string // instead of what is right
}

func say(body string) message {
	return message{secret: anna, id: "m1", kind: "application/json", body: body, at: time.Now()}
}

// answer is what comes back.
type answer struct {
	status int
	header http.Header
	text   string
	body   struct {
		Stored, Repeated           bool
		Reply, Conversation, Error string
		Mistakes                   []string
	}
}

func (d *door) post(t *testing.T, m message) answer {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(m.secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := hook.Sign(m.id, m.at, []byte(m.body))
	if err != nil {
		t.Fatal(err)
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.url+gateway.Path, strings.NewReader(m.body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Content-Type", m.kind)
	q.Header.Set("Webhook-Id", m.id)
	q.Header.Set("Webhook-Timestamp", strconv.FormatInt(m.at.Unix(), 10))
	q.Header.Set("Webhook-Signature", signature)
	for name, value := range m.header {
		q.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: text.String()}
	if err := json.Unmarshal(text.Bytes(), &a.body); err != nil {
		t.Fatalf("answer %q: %v", text.String(), err)
	}
	return a
}

func TestASignedReplyIsStoredUnderItsSender(t *testing.T) {
	until := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		m    message
		want schema.Reply
	}{
		{"a-question", say(`{"conversation":"9f2c","text":"why?","actor":"somebody"}`), schema.Reply{Text: "why?"}},
		{"a-verb-with-a-reason", say(`{"conversation":"` + known + `","verb":"ack","text":"mine"}`), schema.Reply{Verb: "ack", Text: "mine"}},
		{"a-verb-as-text", say(`{"conversation":"9f2c51d0","text":"silence 2h"}`), schema.Reply{Text: "silence 2h"}},
		{"until", say(`{"conversation":"9f2c","verb":"silence","until":"2026-11-25T08:00:00Z"}`), schema.Reply{Verb: "silence", Until: until}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := open(t, roster())
			tt.want.Schema, tt.want.Conversation, tt.want.ID = schema.ReplyVersion, known, "webhook-anna-m1"
			tt.want.Author = schema.Author{Name: "Anna", Channel: "webhook", Verified: true}
			got := d.post(t, tt.m)
			if got.status != http.StatusAccepted || !got.body.Stored || got.body.Reply != tt.want.ID || got.body.Conversation != known {
				t.Errorf("answer %d %s", got.status, got.text)
			}
			if diff := cmp.Diff([]schema.Reply{tt.want}, d.stored); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoIsNotListedIsShownWithTheKey(t *testing.T) {
	d := open(t, people.Roster{})
	for actor, want := range map[string]string{`"Anna"`: "Anna (vera)", `""`: "vera", `"a\nb\u202e"`: "a b (vera)"} {
		m := say(`{"conversation":"9f2c","verb":"ack","actor":` + actor + `}`)
		m.secret, m.id = vera, "m"+strconv.Itoa(len(d.stored))
		if a := d.post(t, m); a.status != http.StatusAccepted {
			t.Fatalf("answer %d %s", a.status, a.text)
		}
		if got := d.stored[len(d.stored)-1].Author; got.Name != want || !got.Verified {
			t.Errorf("actor %s: %+v, want %s", actor, got, want)
		}
	}
}

func TestBothSecretsCountWhileTheyAreExchanged(t *testing.T) {
	d := open(t, roster())
	for _, secret := range []string{anna, next} {
		m := say(`{"conversation":"9f2c","verb":"ack"}`)
		m.secret, m.id = secret, "m"+secret[6:9]
		if a := d.post(t, m); a.status != http.StatusAccepted {
			t.Errorf("answer %d %s", a.status, a.text)
		}
	}
}

func TestWhatIsRefusedIsNotStoredAndCountedWithItsReason(t *testing.T) {
	const ack = `{"conversation":"9f2c","verb":"ack"}`
	with := func(m message, change func(*message)) message {
		change(&m)
		return m
	}
	header := func(name, value string) func(*message) {
		return func(m *message) { m.header = map[string]string{name: value} }
	}
	tests := []struct {
		name   string
		m      message
		status int
		reason string
		says   string
	}{
		{"another-secret", with(say(ack), func(m *message) { m.secret = "whsec_ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ" }), 401, "signature", "not signed"},
		{"another-signature", with(say(ack), header("Webhook-Signature", "v1,AAAA")), 401, "signature", "not signed"},
		{"no-signature", with(say(ack), header("Webhook-Signature", "")), 401, "signature", "not signed"},
		{"a-signature-of-another-message", with(say(ack), header("Webhook-Id", "m2")), 401, "signature", "not signed"},
		{"a-signature-of-another-second", with(say(ack), header("Webhook-Timestamp", strconv.FormatInt(time.Now().Unix()-30, 10))), 401, "signature", "not signed"},
		{"too-old", with(say(ack), func(m *message) { m.at = m.at.Add(-6 * time.Minute) }), 401, "time", "not signed"},
		{"too-early", with(say(ack), func(m *message) { m.at = m.at.Add(6 * time.Minute) }), 401, "time", "not signed"},
		{"no-time", with(say(ack), header("Webhook-Timestamp", "")), 401, "time", "not signed"},
		{"a-time-in-another-spelling", with(say(ack), header("Webhook-Timestamp", fmt.Sprintf("+%d", time.Now().Unix()))), 401, "time", "not signed"},
		{"a-dot-in-the-id", with(say(ack), func(m *message) { m.id = "m.1" }), 401, "id", "not signed"},
		{"no-id", with(say(ack), header("Webhook-Id", "")), 401, "id", "not signed"},
		{"a-long-id", with(say(ack), func(m *message) { m.id = strings.Repeat("m", 129) }), 401, "id", "not signed"},
		{"says-that-it-is-verified", say(`{"conversation":"9f2c","verb":"ack","verified":true,"author":{"name":"Anna","verified":true}}`), 400, "body", "verified"},
		{"no-json", say("ack"), 400, "body", "not one JSON object"},
		{"two-objects", say(ack + ack), 400, "body", "not one JSON object"},
		{"a-list", say("[]"), 400, "body", "not one JSON object"},
		{"null", say("null"), 400, "body", "conversation"},
		{"nothing-said", say(`{"conversation":"9f2c","text":" "}`), 400, "body", "neither a text nor a verb"},
		{"no-verb-there-is", say(`{"conversation":"9f2c","verb":"restart"}`), 400, "body", "restart"},
		{"until-of-an-ack", say(`{"conversation":"9f2c","verb":"ack","until":"2026-11-25T08:00:00Z"}`), 400, "body", "silence alone"},
		{"until-is-no-time", say(`{"conversation":"9f2c","verb":"silence","until":"tomorrow"}`), 400, "body", "write a time"},
		{"no-string", say(`{"conversation":"9f2c","verb":7}`), 400, "body", "write a string"},
		{"three-digits", say(`{"conversation":"9f2","verb":"ack"}`), 400, "body", "first 4 digits"},
		{"a-name", say(`{"conversation":"checkout","verb":"ack"}`), 400, "body", "first 4 digits"},
		{"a-long-text", say(`{"conversation":"9f2c","text":"` + strings.Repeat("x", schema.MaxMessageBytes+1) + `"}`), 400, "body", "longer than"},
		{"unknown", say(`{"conversation":"0000","verb":"ack"}`), 404, "unknown", "no such conversation"},
		{"ambiguous", say(`{"conversation":"aaaa","verb":"ack"}`), 409, "ambiguous", "aaaa0 and aaaa1"},
		{"too-large", say(`{"conversation":"9f2c","text":"` + strings.Repeat("x", 64<<10) + `"}`), 413, "size", "64 KB"},
		{"another-type", with(say(ack), func(m *message) { m.kind = "text/plain" }), 415, "type", "application/json"},
		{"no-type", with(say(ack), func(m *message) { m.kind = "" }), 415, "type", "application/json"},
		{"a-viewer", with(say(ack), func(m *message) { m.secret = vera }), 403, "role", "Anna may"},
		{"a-viewer-in-words", with(say(`{"conversation":"9f2c","text":"on it!"}`), func(m *message) { m.secret = vera }), 403, "role", "not ack"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := open(t, roster())
			got := d.post(t, tt.m)
			if got.status != tt.status || !strings.Contains(got.text, tt.says) || got.body.Error == "" {
				t.Errorf("answer %d %s, want %d and %q", got.status, got.text, tt.status, tt.says)
			}
			if len(d.stored) > 0 {
				t.Errorf("stored %+v", d.stored)
			}
			if diff := cmp.Diff(map[string]int{tt.reason: 1}, d.counts); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			for _, secret := range []string{"AAAAAAAAAA", "NNNNNNNNNN", "VVVVVVVVVV", "v1,"} {
				if strings.Contains(got.text+d.log.String(), secret) {
					t.Errorf("a secret is shown: %s\n%s", got.text, d.log)
				}
			}
		})
	}
}

// Whoever cannot sign is to learn nothing from the answers.
func TestAllThatIsNotSignedIsAnsweredAlike(t *testing.T) {
	d := open(t, roster())
	var texts []string
	for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		m := say(`{"conversation":"9f2c","verb":"ack"}`)
		m.header = map[string]string{name: "1"}
		texts = append(texts, d.post(t, m).text)
	}
	if texts[0] != texts[1] || texts[1] != texts[2] {
		t.Errorf("answers %q", texts)
	}
}

func TestAllMistakesOfABodyAreToldAtOnce(t *testing.T) {
	got := open(t, roster()).post(t, say(`{"conversation":7,"verb":[],"until":"x","author":"me","Text":"why?"}`))
	if len(got.body.Mistakes) != 5 {
		t.Errorf("mistakes %q", got.body.Mistakes)
	}
}

func TestAViewerMayAsk(t *testing.T) {
	d := open(t, roster())
	for i, text := range []string{"why?", "help", "silence, how long?"} {
		m := say(`{"conversation":"9f2c","text":"` + text + `"}`)
		m.secret, m.id = vera, "m"+strconv.Itoa(i)
		if a := d.post(t, m); a.status != http.StatusAccepted {
			t.Errorf("%q: answer %d %s", text, a.status, a.text)
		}
	}
}

func TestAReplayedMessageIsStoredOnce(t *testing.T) {
	d := open(t, roster())
	m := say(`{"conversation":"9f2c","verb":"ack"}`)
	first, second := d.post(t, m), d.post(t, m)
	if first.status != http.StatusAccepted || first.body.Repeated || second.status != http.StatusAccepted || !second.body.Repeated || second.body.Reply != first.body.Reply {
		t.Errorf("answers %s and %s", first.text, second.text)
	}
	if diff := cmp.Diff(map[string]int{"": 1, "repeated": 1}, d.counts); diff != "" || len(d.stored) != 1 {
		t.Errorf("stored %d, counts (-want +got):\n%s", len(d.stored), diff)
	}
}

func TestOneKeysIDsAreNotAnothers(t *testing.T) {
	d := open(t, people.Roster{})
	for _, secret := range []string{anna, vera} {
		m := say(`{"conversation":"9f2c","verb":"ack"}`)
		m.secret = secret
		if a := d.post(t, m); a.body.Repeated {
			t.Errorf("answer %s", a.text)
		}
	}
	if len(d.stored) != 2 {
		t.Errorf("stored %+v", d.stored)
	}
}

func TestWhileNothingCanBeStoredTheSenderTriesAgain(t *testing.T) {
	d := open(t, roster())
	d.down = errors.New("no route to s3cret")
	got := d.post(t, say(`{"conversation":"9f2c","verb":"ack"}`))
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "5" || strings.Contains(got.text, "s3cret") {
		t.Errorf("answer %d %s %s", got.status, got.header.Get("Retry-After"), got.text)
	}
	if d.counts["unavailable"] != 1 {
		t.Errorf("counts %v", d.counts)
	}
}

func TestAKeyThatSendsTooFastIsToldWhenToGoOn(t *testing.T) {
	d := open(t, roster())
	slow := 0
	for i := range 100 {
		m := say(`{"conversation":"9f2c","text":"why?"}`)
		m.id = "m" + strconv.Itoa(i)
		if a := d.post(t, m); a.status == http.StatusTooManyRequests {
			slow++
			if n, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || n < 1 || n > 5 {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
		}
	}
	if slow == 0 || d.counts["rate"] != slow || len(d.stored) != 100-slow {
		t.Errorf("%d were too fast, %d stored, counts %v", slow, len(d.stored), d.counts)
	}
	m := say(`{"conversation":"9f2c","text":"why?"}`)
	m.secret = vera
	if a := d.post(t, m); a.status != http.StatusAccepted {
		t.Errorf("another key is slowed down as well: %d %s", a.status, a.text)
	}
}

func TestMistakesOfKeysShowNoSecret(t *testing.T) {
	for name, keys := range map[string][]gateway.Key{
		"no-secret-at-all": {{Name: "a", Secret: "s3cret"}},
		"short":            {{Name: "a", Secret: "whsec_c2hvcnQ="}},
		"in-common":        {{Name: "a", Secret: anna}, {Name: "b", Secret: vera + "," + anna}},
	} {
		_, err := gateway.New(keys, people.Roster{}, &desk{}, func(string) {}, slog.New(slog.DiscardHandler))
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "c2hvcnQ") || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (gateway.Config{Secret: config.Secret("s3cret")}).Validate(); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("configuration: %v", err)
	}
	if err := (gateway.Config{}).Validate(); err != nil {
		t.Errorf("without a secret: %v", err)
	}
}

func TestWhatTheSchemaAllowsIsTaken(t *testing.T) {
	text, err := os.ReadFile("../../docs/schema/webhook-in.json")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("in.json", parsed); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("in.json")
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, roster())
	for body, want := range map[string]bool{
		`{"conversation":"9f2c","verb":"silence","text":"the move","until":"2026-11-25T08:00:00Z","actor":"x"}`: true,
		`{"conversation":7,"text":"why?"}`: false,
		`{"text":"why?"}`:                  false,
	} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if valid := schema.Validate(value) == nil; valid != want {
			t.Errorf("%s: valid %v", body, valid)
		}
		if taken := d.post(t, say(body)).status == http.StatusAccepted; taken != want {
			t.Errorf("%s: taken %v", body, taken)
		}
	}
}
