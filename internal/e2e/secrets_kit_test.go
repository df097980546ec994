package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// secret is one text with a secret in it, and the part of it that may be nowhere else.
type secret struct{ kind, text, core string }

// secrets are of every kind that is known; none is accepted anywhere.
func secrets() []secret {
	c := func(n int) string { return fmt.Sprintf("Zq%02dxV7kW3mT9pLs", n) }
	base32 := "CSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY5"
	all := []secret{
		{"postgres-url", "dial postgres://app:" + c(1) + "@db:5432/shop failed", c(1)},
		{"redis-url", "redis://:" + c(2) + "@cache:6379/0", c(2)},
		{"nats-token-url", "nats://" + c(3) + "@bus:4222", c(3)},
		{"amqp-url", "amqp://svc:" + c(4) + "@mq/vhost", c(4)},
		{"bearer", "Authorization: Bearer " + c(5), c(5)},
		{"basic", "Proxy-Authorization: Basic " + c(6) + "==", c(6)},
		{"cookie", "Cookie: sid=" + c(7) + "; theme=dark", c(7)},
		{"set-cookie", "Set-Cookie: session=" + c(8) + "; HttpOnly", c(8)},
		{"env", "DB_PASSWORD=" + c(9), c(9)},
		{"json", `{"user":"bob","client_secret":"` + c(10) + `"}`, c(10)},
		{"escaped-json", `msg="{\"password\":\"` + c(11) + `\"}"`, c(11)},
		{"yaml", "api_key: " + c(12), c(12)},
		{"option", "mysqld --root-password " + c(13), c(13)},
		{"query", "GET /cb?access_token=" + c(14) + "&x=1", c(14)},
		{"azure-signature", "https://x.blob.test/c?sv=2020&sig=" + c(15), c(15)},
		{"jwt", "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI" + c(16) + "." + c(16), c(16)},
		{"aws-key", "using AKIAZQ17XV7KW3MT9PLS now", "ZQ17XV7KW3MT9PLS"},
		{"github", "ghp_" + c(18) + "aB3dE5gH7jK9", c(18)},
		{"gitlab", "glpat-" + c(19), c(19)},
		{"slack", "xoxb-123456789012-" + c(20), c(20)},
		{"openai", "401 for sk-proj-" + c(21), c(21)},
		{"stripe", "sk_live_" + c(22), c(22)},
		{"webhook", "whsec_" + c(23), c(23)},
		{"telegram", "bot 123456789:AAFake" + c(24) + "FakeFakeFake1 is up", c(24)},
		{"nats-seed", "seed SU" + base32, base32},
		{"google", "AIzaSyA" + c(26) + "abcdefghijklm", c(26)},
		{"slack-webhook", "POST https://hooks.slack.com/services/T0/B0/" + c(27), c(27)},
		{"aws-secret", "aws_secret_access_key = " + c(28), c(28)},
		{"ado", "Server=db;User Id=sa;Password=" + c(29) + ";Encrypt=true", c(29)},
		{"email", "mail to anna." + c(30) + "@example.org bounced", c(30)},
		{"hidden", "pass\u200bword=\x1b[1m" + c(31) + "\x1b[0m", c(31)},
	}
	return all
}

// pemLines is a key over several lines, its end cut off.
func pemLines() []string {
	return []string{"-----BEGIN RSA PRIVATE KEY-----", "MIIEZq99xV7kW3mT9pLsAQEA0Z3VS5JJcds3xfn/ygWyF0A5p2ZyF1m5tAKh9c8t", "7bq1Zq99xV7kW3mT9pLs7QkF3vQ1y2u7r5u1Y0m7QkF3vQ1y2u7r5u1Y0m7QkF3v"}
}

const pemCore = "Zq99xV7kW3mT9pLs"

// leaks names the secrets that text holds, also as JSON would write them.
func leaks(text string) []string {
	var found []string
	for _, s := range append(secrets(), secret{"pem", "", pemCore}) {
		if strings.Contains(text, s.core) {
			found = append(found, s.kind)
		}
	}
	return found
}

// outlet takes what is posted, as it comes.
type outlet struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
}

func newOutlet(t *testing.T) *outlet {
	t.Helper()
	o := &outlet{}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.bodies = append(o.bodies, body)
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *outlet) all() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([][]byte{}, o.bodies...)
}

// buffer is a log's other end for several writers.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
