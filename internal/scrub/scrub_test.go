package scrub_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// pem is a key in PEM armour; nothing here is a key that anything accepts.
const pem = "-----BEGIN RSA PRIVATE KEY-----\n" +
	"MIIEowIBAAKCAQEA0Z3VS5JJcds3xfn/ygWyF0A5p2ZyF1m5tAKh9c8tqG2uW4aQ\n" +
	"7bq1Q9x1n0u1Y0m7QkF3vQ1y2u7r5u1Y0m7QkF3vQ1y2u7r5u1Y0m7QkF3vQ1y2u\n" +
	"-----END RSA PRIVATE KEY-----"

func planted() []struct{ name, text, want string } {
	jwt := "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
	return []struct{ name, text, want string }{
		{"postgres-password", "dial postgres://app:hunter2@db:5432/shop?sslmode=disable: refused", "dial postgres://app:[REDACTED:url]@db:5432/shop?sslmode=disable: refused"},
		{"redis-password-without-user", "redis://:s3cr3t@cache:6379/0", "redis://:[REDACTED:url]@cache:6379/0"},
		{"password-with-at-sign", "amqp://svc:p@ss@mq/vhost", "amqp://svc:[REDACTED:url]@mq/vhost"},
		{"nats-token", "connected to nats://Tok3n@nats.internal:4222", "connected to nats://[REDACTED:url]@nats.internal:4222"},
		{"bearer-header", "> Authorization: Bearer abc.def-123", "> Authorization: Bearer [REDACTED:auth]"},
		{"basic-header-in-json", `{"Authorization":"Basic dXNlcjpwYXNz","x":1}`, `{"Authorization":"Basic [REDACTED:auth]","x":1}`},
		{"go-header-map", "map[Authorization:[Bearer hunter2hunter2] Accept:[*/*]]", "map[Authorization:[Bearer [REDACTED:auth]] Accept:[*/*]]"},
		{"header-without-scheme", "authorization: 9f8a7b6c5d", "authorization: [REDACTED:auth]"},
		{"bearer-in-prose", "sending bearer 4f5e6d7c8b9a to upstream", "sending bearer [REDACTED:auth] to upstream"},
		{"proxy-authorization", "Proxy-Authorization: Basic dXNlcjpwYXNz", "Proxy-Authorization: Basic [REDACTED:auth]"},
		{"digest", `Authorization: Digest username="bob", response="6629fae4"`, "Authorization: [REDACTED:auth]"},
		{"cookie", "Cookie: sid=8f7; theme=dark", "Cookie: [REDACTED:cookie]"},
		{"set-cookie", "< Set-Cookie: session=abc; Path=/; HttpOnly", "< Set-Cookie: [REDACTED:cookie]"},
		{"cookie-before-escaped-json", `Cookie: a=b; msg="{\"password\":\"hunter2\"}"`, `Cookie: [REDACTED:cookie]\":\"[REDACTED:secret]\"}"`},
		{"cookie-with-quoted-value", `cookie: a="b c"; sid=9`, "cookie: [REDACTED:cookie]"},
		{"curl-cookie", `curl -H 'Cookie: sid=8f7' https://x.test/`, `curl -H 'Cookie: [REDACTED:cookie]' https://x.test/`},
		{"env-password", "DB_PASSWORD=hunter2 LOG=info", "DB_PASSWORD=[REDACTED:secret] LOG=info"},
		{"json-password", `{"user":"bob","password":"correct horse","n":1}`, `{"user":"bob","password":"[REDACTED:secret]","n":1}`},
		{"escaped-json-password", `msg="{\"password\":\"hunter2\",\"n\":1}"`, `msg="{\"password\":\"[REDACTED:secret]\",\"n\":1}"`},
		{"json-with-escapes", `{"client_secret":"a\"b","n":1}`, `{"client_secret":"[REDACTED:secret]","n":1}`},
		{"low-entropy-api-key", "api_key=letmein", "api_key=[REDACTED:secret]"},
		{"api-key-header", "X-Api-Key: 12345678", "X-Api-Key: [REDACTED:secret]"},
		{"yaml-password", "  password: swordfish", "  password: [REDACTED:secret]"},
		{"ini-password", "password = swordfish", "password = [REDACTED:secret]"},
		{"password-in-prose", "login with password: hunter2 was refused", "login with password: [REDACTED:secret] was refused"},
		{"query-token", "GET /cb?token=abc123&next=/home 200", "GET /cb?token=[REDACTED:secret]&next=/home 200"},
		{"azure-signature", "https://x.blob.test/c?sv=2020&sig=Ab%2Fc&se=1", "https://x.blob.test/c?sv=2020&sig=[REDACTED:secret]&se=1"},
		{"aws-secret", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AWS_SECRET_ACCESS_KEY=[REDACTED:secret]"},
		{"camel-case", `secretKey: 'x y z'`, `secretKey: '[REDACTED:secret]'`},
		{"go-map", "map[password:hunter2 user:bob]", "map[password:[REDACTED:secret] user:bob]"},
		{"ado-string", "Server=db;User Id=sa;Password=hunter2;Encrypt=true", "Server=db;User Id=sa;Password=[REDACTED:secret];Encrypt=true"},
		{"option-with-space", "mysqld --root-password hunter2 --port 3306", "mysqld --root-password [REDACTED:secret] --port 3306"},
		{"cut-value", `{"password":"hunt`, `{"password":"[REDACTED:secret]`},
		{"jwt", "got " + jwt + " from peer", "got [REDACTED:jwt] from peer"},
		{"cut-jwt", "got " + jwt[:60], "got [REDACTED:jwt]"},
		{"aws-key", "using AKIAIOSFODNN7EXAMPLE now", "using [REDACTED:credential] now"},
		{"github-token", "clone with ghp_16C7e42F292c6912E7710c838347Ae178B4a", "clone with [REDACTED:credential]"},
		{"github-fine-grained", "github_pat_11AAAAAAA0abcdefghijkl_mnopqrstuv", "[REDACTED:credential]"},
		{"slack-token", "xoxb-123456789012-abcdefghij", "[REDACTED:credential]"},
		{"openai-key", "model said 401 for sk-proj-abcDEF0123456789xyz", "model said 401 for [REDACTED:credential]"},
		{"gitlab-token", "glpat-abcdefghij0123456789", "[REDACTED:credential]"},
		{"google-key", "AIzaSyA1234567890abcdefghijklmnopqrstuv", "[REDACTED:credential]"},
		{"webhook-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "[REDACTED:credential]"},
		{"slack-webhook", "POST https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX", "POST https://hooks.slack.com/services/[REDACTED:credential]"},
		{"telegram-token", "bot 123456789:AAFakeFakeFakeFakeFakeFakeFakeFake123 is up", "bot [REDACTED:credential] is up"},
		{"nats-seed", "seed SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY ok", "seed [REDACTED:nats-seed] ok"},
		{"email", "mail to anna.b+ops@example.co.uk bounced", "mail to [REDACTED:email] bounced"},
		{"private-key", "loaded " + pem + "\nready", "loaded [REDACTED:private-key]\nready"},
		{"private-key-in-json", `{"key":"` + strings.ReplaceAll(pem, "\n", `\n`) + `","n":1}`, `{"key":"[REDACTED:private-key]","n":1}`},
		{"private-key-without-end", "a\n" + pem[:130] + "\nnext line stays", "a\n[REDACTED:private-key]next line stays"},
		{"private-key-without-begin", "a\n" + pem[32:] + "\nnext", "a[REDACTED:private-key]\nnext"},
		{"two-private-keys", pem + "\nbetween\n" + pem, "[REDACTED:private-key]\nbetween\n[REDACTED:private-key]"},
		{"secret-on-second-line", "all well\ntoken=abc\nall well", "all well\ntoken=[REDACTED:secret]\nall well"},
		{"two-in-one-line", "password=a token=b", "password=[REDACTED:secret] token=[REDACTED:secret]"},
	}
}

func TestTextTakesPlantedSecretsOut(t *testing.T) {
	for _, tt := range planted() {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, scrub.Text(tt.text)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func harmless() []string {
	return []string{
		"",
		"2026-11-23T08:00:00Z INFO server listening on http://0.0.0.0:8080/health",
		"GET http://proxy:8080/a/b?x=1 200 0.003s",
		"pulling registry.test:5000/shop/web@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"cloning git@github.com:bellbuoy/bellbuoy.git",
		"user@1000.service: Succeeded.",
		"getty@tty1.service: Main process exited, code=exited",
		"npm WARN lodash@4.17.21 is deprecated",
		"basic authentication failed for user bob",
		"WWW-Authenticate: Bearer realm=\"registry\"",
		"bearer authentication required",
		"authorization: denied",
		"cookie: expired",
		"accept cookies: yes",
		"invalid token: unexpected end of input",
		"SyntaxError: unexpected token: '}' at line 5",
		"password incorrect",
		"wrong password: access denied",
		"password=",
		"password=***",
		"password: ${DB_PASSWORD}",
		`{"password":null,"token":true}`,
		"PWD=/srv/app",
		"DB_PASSWORD_FILE=/run/secrets/db",
		"max_tokens=4096 tokens: 17",
		"tokenizer=bpe",
		"secretName: web-tls",
		"task-runner-controller-manager-abc is up",
		"disk-usage-warning-threshold-90",
		"panic: runtime error: index out of range [5] with length 3",
		"\tat com.example.shop.Checkout.pay(Checkout.java:42)",
		"[ERROR] 2026/11/23 08:00:00 [error] 31#31: *1 connect() failed (111: Connection refused) while connecting to upstream",
		"level=warn msg=\"slow query\" took=1.2s rows=12 query=\"select * from orders where id = $1\"",
		"container 4f5e6d7c8b9a4f5e6d7c8b9a4f5e6d7c8b9a4f5e6d7c8b9a4f5e6d7c8b9a4f5e died: exit 137",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"[REDACTED:secret] was here, password=[REDACTED:secret]",
	}
}

func TestTextLeavesHarmlessLinesAlone(t *testing.T) {
	for _, line := range harmless() {
		if diff := cmp.Diff(line, scrub.Text(line)); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}
	}
}

func TestCountSaysHowManyOfWhichKind(t *testing.T) {
	text := "password=a token=b\nto anna@example.org\n" + pem
	got, counts := scrub.Count(text)
	want := map[string]int{"secret": 2, "email": 1, "private-key": 1}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if got != scrub.Text(text) {
		t.Errorf("Count and Text differ: %q", got)
	}
	if _, counts = scrub.Count("nothing here"); counts != nil {
		t.Errorf("counts of a harmless text: %v", counts)
	}
}

func TestCleanDropsWhatDeceivesTheReader(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"newline-and-tab-stay", "a\n\tb", "a\n\tb"},
		{"colours", "\x1b[1;31merror\x1b[0m done", "error done"},
		{"c1-colours", "\u009b31merror", "error"},
		{"window-title", "\x1b]0;owned\x07ok", "ok"},
		{"link", "\x1b]8;;http://evil.test\x1b\\ok\x1b]8;;\x1b\\", "ok"},
		{"lone-escape", "a\x1b", "a"},
		{"control", "a\x00b\x08c\x7f", "abc"},
		{"carriage-return", "10%\r20%\r\nend", "10%\n20%\nend"},
		{"line-separator", "a\u2028b\u0085c", "a\nb\nc"},
		{"bidirectional", "user\u202enimda\u202c ok", "usernimda ok"},
		{"zero-width", "pay\u200bload\ufeff", "payload"},
		{"tags", "hi\U000e0041\U000e0042!", "hi!"},
		{"variation-selectors", "x\ufe0f\U000e0101y", "xy"},
		{"invalid-utf8", "a\xffb", "a\ufffdb"},
		{"secret-hidden-by-control", "pass\x00word=\x1b[1mhunter2\x1b[0m", "password=[REDACTED:secret]"},
		{"other-scripts-stay", "Ошибка 設定 é", "Ошибка 設定 é"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, scrub.Clean(tt.text)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLineIsOneLineWithinItsLimit(t *testing.T) {
	tests := []struct {
		name, text string
		limit      int
		want       string
	}{
		{"short-stays", "all well", 400, "all well"},
		{"lines-are-joined", " a\nb\tc\n", 400, "a b c"},
		{"cut-to-the-byte", "abcdef", 3, "abc"},
		{"cut-before-a-character", "aé", 2, "a"},
		{"secret-out-before-the-cut", "password=" + strings.Repeat("x1", 50), 30, "password=[REDACTED:secret]"},
		{"key-out-before-joining", "k " + pem + " e", 400, "k [REDACTED:private-key] e"},
		{"nothing-left", "abc", 0, ""},
		{"negative-limit", "abc", -1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, scrub.Line(tt.text, tt.limit)); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzScrub(f *testing.F) {
	for _, tt := range planted() {
		f.Add(tt.text, 40)
	}
	for _, line := range harmless() {
		f.Add(line, 400)
	}
	f.Add("\x1b[31m\x00\xff\u202e\U000e0041", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		text := scrub.Text(s)
		if again := scrub.Text(text); again != text {
			t.Errorf("scrubbing %q twice: %q, then %q", s, text, again)
		}
		if len(text) > 8*len(s) {
			t.Errorf("%d bytes became %d", len(s), len(text))
		}
		clean := scrub.Clean(s)
		if again := scrub.Clean(clean); again != clean || !utf8.ValidString(clean) {
			t.Errorf("cleaning %q: %q, then %q", s, clean, again)
		}
		line := scrub.Line(s, limit)
		if len(line) > max(limit, 0) || !utf8.ValidString(line) || strings.ContainsAny(line, "\n\t\x1b") {
			t.Errorf("line of %q within %d is %q", s, limit, line)
		}
		if again := scrub.Line(line, limit); again != line {
			t.Errorf("line %q again is %q", line, again)
		}
	})
}

func BenchmarkText(b *testing.B) {
	logs := strings.Repeat(strings.Join(harmless()[1:], "\n")+"\n", 50)
	plain := strings.Repeat("10.0.0.7 - - [23/Nov/2026:08:00:00 +0000] \"GET /shop/cart HTTP/1.1\" 200 512 \"-\" \"curl/8.5\"\n"+
		"2026-11-23T08:00:00.123Z level=info msg=\"request done\" path=/shop/cart status=200 took=3ms trace=4f5e6d7c8b9a\n", 500)
	secrets := strings.Repeat(plain[:4000]+"DB_PASSWORD=hunter2 dial postgres://app:hunter2@db\n", 20)
	every := strings.Repeat("2026-11-23T08:00:00.123Z level=info msg=\"dial postgres://app:hunter2@db:5432/shop\" DB_PASSWORD=hunter2 took=3ms\n", 500)
	for name, text := range map[string]string{"ordinary-logs": plain, "two-secrets-in-every-line": every, "secret-in-every-fortieth-line": secrets, "lines-that-nearly-match": logs} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			began := processorTime(b)
			for b.Loop() {
				scrub.Text(text)
			}
			b.ReportMetric(float64(b.N*len(text))/1e6/(processorTime(b)-began).Seconds(), "MB/cpu-s")
		})
	}
}

// processorTime is what this process has had, collections of garbage included; other work on the machine hardly shows in it.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Hostile text costs more than logs do, but in proportion to its length: both lengths have about the same MB/s.
func BenchmarkCleanHostile(b *testing.B) {
	for name, unit := range map[string]string{
		"key-begins": "-----BEGIN PRIVATE KEY-----", "key-ends": "-----END PRIVATE KEY-----", "values": "password=a ",
		"at-signs": "a@", "urls": "://a:b@", "cookies": "cookie: a=", "escapes": "\x1b[", "escaped-quotes": `\"token\":\"`,
	} {
		for size, n := range map[string]int{"10kB": 10_000, "100kB": 100_000} {
			text := strings.Repeat(unit, n/len(unit))
			b.Run(name+"-"+size, func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					scrub.Clean(text)
				}
			})
		}
	}
}
