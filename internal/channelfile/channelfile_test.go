package channelfile_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/channelfile"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/people"
	"github.com/bellbuoy/bellbuoy/internal/route"
)

var update = flag.Bool("update", false, "write what is said of the files of testdata anew")

// hook and chat are two kinds of channel as adapters declare them.
type hook struct {
	URL     config.Secret `env:"HOOK_URL"`
	Secret  config.Secret `env:"HOOK_SECRET"`
	Format  string        `env:"HOOK_FORMAT" default:"native" allowed:"native,slack"`
	Headers []string      `env:"HOOK_HEADERS"`
}

func (h hook) Validate() error {
	if h.URL != "" && !strings.HasPrefix(h.URL.Reveal(), "http") {
		return config.Mistake{Name: "HOOK_URL", Problem: "is no http or https URL, unlike that of HOOK_SECRET"}
	}
	return nil
}

type chat struct {
	Token   config.Secret `env:"CHAT_TOKEN"`
	Channel string        `env:"CHAT_CHANNEL"`
	Every   time.Duration `env:"CHAT_EVERY" default:"1s"`
}

func kinds() []channelfile.Kind {
	return []channelfile.Kind{
		{
			Name: "hook", Begin: "HOOK_", New: func() any { return new(hook{}) },
			Missing: func(o any) string {
				if o.(*hook).URL == "" {
					return "url"
				}
				return ""
			},
			Mentions: func(o any) bool { return o.(*hook).Format == "slack" },
		},
		{
			Name: "chat", Begin: "CHAT_", New: func() any { return new(chat{}) },
			Missing: func(any) string { return "" }, Mentions: func(any) bool { return true },
		},
	}
}

// key is a kind of inbound keys.
type key struct {
	Secret config.Secret `env:"KEY_SECRET"`
}

func (k key) Validate() error {
	if k.Secret != "" && !strings.HasPrefix(k.Secret.Reveal(), "whsec_") {
		return config.Mistake{Name: "KEY_SECRET", Problem: "does not begin with whsec_"}
	}
	return nil
}

func keys() channelfile.Kind {
	return channelfile.Kind{
		Name: "in", Begin: "KEY_", New: func() any { return new(key{}) },
		Missing: func(o any) string {
			if o.(*key).Secret == "" {
				return "secret"
			}
			return ""
		},
	}
}

func read(t *testing.T, text string) channelfile.Contents {
	t.Helper()
	c, err := channelfile.Read([]byte(text), kinds(), keys())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChannelsOfEveryKindAreRead(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("t0ken\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := read(t, `
channels:
  - {name: ops, kind: chat, channel: "#ops", token_file: `+secret+`, every: 2m}
  - name: pager-1
    kind: hook
    url: https://x/y
    format: slack
    headers: [a, b]
  - {kind: hook, name: pager-2, url: https://x/z}
`)
	want := []channelfile.Channel{
		{Name: "ops", Kind: "chat", Line: 3, Options: &chat{Token: "t0ken", Channel: "#ops", Every: 2 * time.Minute}},
		{Name: "pager-1", Kind: "hook", Line: 4, Options: &hook{URL: "https://x/y", Format: "slack", Headers: []string{"a", "b"}}},
		{Name: "pager-2", Kind: "hook", Line: 9, Options: &hook{URL: "https://x/z", Format: "native"}},
	}
	if diff := cmp.Diff(want, got.Channels); diff != "" {
		t.Errorf("channels (-want +got):\n%s", diff)
	}
	if o := got.Channels[0].Options.(*chat); o.Token.Reveal() != "t0ken" {
		t.Error("the file of the token was not read")
	}
	if diff := cmp.Diff([]string{"ops", "pager-1", "pager-2"}, got.Routes.Channels); diff != "" || got.Routes.Default != nil || got.Routes.Routes != nil {
		t.Errorf("without routes all are told of everything: %+v", got.Routes)
	}
}

const two = `
channels:
  - {name: ops, kind: chat}
  - {name: pager, kind: hook, url: https://x, format: slack}
`

func TestRoutesAreRead(t *testing.T) {
	got := read(t, two+`
routes:
  - name: all
    match: {severity: [warning, critical], kind: service, cluster: prod, namespace: [shop, pay-*], service: "check*", name: "*", condition: service_down, labels: {team: shop, tier: [dev, test]}, days: mon-fri, hours: "22:00-06:00", zone: Europe/Berlin}
    to: ops
    mention: "<!here>"
    escalate: {after: 15m, to: [pager], mention: "<@U1>"}
    digest: 15m
    continue: true
  - {to: [], match: {severity: info}}
  - {to: [pager, ops], digest: daily 8:05, zone: UTC, match: {days: [sat, sun], zone: UTC}}
default: [pager]
`).Routes
	var berlin *time.Location
	if w := got.Routes[0].Match.When; w != nil {
		berlin = w.Zone
	}
	week := [7]bool{false, true, true, true, true, true, false}
	want := route.Routes{Channels: []string{"ops", "pager"}, Default: []string{"pager"}, Routes: []route.Route{
		{
			Name: "all", Line: 7, To: []string{"ops"}, Mention: "<!here>", Continue: true, Digest: route.Digest{Every: 15 * time.Minute},
			Escalate: &route.Escalation{After: 15 * time.Minute, To: []string{"pager"}, Mention: "<@U1>"},
			Match: route.Match{
				Severity: []string{"warning", "critical"}, Kind: []string{"service"}, Cluster: []string{"prod"}, Namespace: []string{"shop", "pay-*"},
				Service: []string{"check*"}, Name: []string{"*"}, Condition: []string{"service_down"},
				Labels: map[string][]string{"team": {"shop"}, "tier": {"dev", "test"}},
				When:   &route.Window{Days: week, From: 22 * 60, To: 6 * 60, Zone: berlin},
			},
		},
		{Line: 14, To: []string{}, Match: route.Match{Severity: []string{"info"}}},
		{
			Line: 15, To: []string{"pager", "ops"}, Digest: route.Digest{At: 8*60 + 5, Zone: time.UTC},
			Match: route.Match{When: &route.Window{Days: [7]bool{true, 6: true}, To: 24 * 60, Zone: time.UTC}},
		},
	}}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	if berlin.String() != "Europe/Berlin" {
		t.Errorf("zone %v", berlin)
	}
}

const talking = two + `
people:
  - {name: " Anna  Lee ", role: responder, slack: U0123ABCD, webhook: anna, nats: [anna, UAJJK]}
  - name: Vera
    role: viewer
    slack: [U0123ABCE, W0123ABCF]
in:
  - {name: anna, secret: whsec_a}
  - name: portal
    secret: [whsec_b, whsec_c]
`

func TestPeopleAndKeysAreRead(t *testing.T) {
	got := read(t, talking)
	want := people.Roster{Others: people.Viewer, People: []people.Person{
		{Name: "Anna Lee", Role: people.Responder, IDs: map[string][]string{"slack": {"U0123ABCD"}, "webhook": {"anna"}, "nats": {"anna", "UAJJK"}}},
		{Name: "Vera", Role: people.Viewer, IDs: map[string][]string{"slack": {"U0123ABCE", "W0123ABCF"}}},
	}}
	if diff := cmp.Diff(want, got.People); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	wantKeys := []channelfile.Key{{Name: "anna", Line: 12, Options: &key{Secret: "whsec_a"}}, {Name: "portal", Line: 13, Options: &key{Secret: "whsec_b,whsec_c"}}}
	if diff := cmp.Diff(wantKeys, got.Keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	only, err := channelfile.ReadPeople([]byte(talking))
	if diff := cmp.Diff(want, only); diff != "" || err != nil {
		t.Errorf("people alone, %v (-want +got):\n%s", err, diff)
	}
}

func TestWithoutPeopleNobodyIsListed(t *testing.T) {
	for text, want := range map[string]people.Roster{two: {}, two + "others: viewer\n": {Others: people.Viewer}} {
		if diff := cmp.Diff(want, read(t, text).People); diff != "" {
			t.Errorf("people (-want +got):\n%s", diff)
		}
	}
}

// Whoever needs the people alone is not to fail over a channel or a secret that another process has.
func TestPeopleAreReadWhateverElseIsWrong(t *testing.T) {
	got, err := channelfile.ReadPeople([]byte("channels: [nonsense]\nrouts: x\nin: [{name: a, secret_file: /nowhere}]\npeople: [{name: Anna, role: responder, webhook: a}]\n"))
	if err != nil || len(got.People) != 1 || got.Others != people.Viewer {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{"people: [{name: Anna}]", "people: {", "others: boss", "- people"} {
		if got, err := channelfile.ReadPeople([]byte(text)); err == nil || len(got.People) > 0 {
			t.Errorf("%q gives %+v, %v", text, got, err)
		}
	}
}

func TestTheDefaultMayBeNobody(t *testing.T) {
	if got := read(t, two+"default: []\n").Routes; got.Default == nil || len(got.Default) > 0 {
		t.Errorf("default %#v", got.Default)
	}
}

// Each file of testdata holds mistakes; what is said of them stands in the file of the same name that ends in .txt.
func TestMistakesAreToldAllAtOnceWithLineAndFix(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := channelfile.Read(text, kinds(), keys())
			if err == nil {
				t.Fatal("no mistake")
			}
			if len(c.Channels) > 0 || len(c.Routes.Channels) > 0 {
				t.Errorf("a file with mistakes gave %+v", c)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Error("a secret is shown")
			}
			told := strings.TrimSuffix(file, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(told, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, failed := os.ReadFile(told)
			if failed != nil {
				t.Fatal(failed)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the text, the answer is channels and routes that name each other, or mistakes that each say something.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files, "../../docs/channels.example.yml") {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := channelfile.Read(text, kinds(), keys())
		var wrong yamlfile.Mistakes
		switch {
		case err == nil:
			if len(c.Channels) == 0 || len(c.Channels) != len(c.Routes.Channels) {
				t.Errorf("%+v", c)
			}
		case !errors.As(err, &wrong) || len(wrong) == 0:
			t.Errorf("error %v", err)
		default:
			for _, m := range wrong {
				if m.Problem == "" || m.Fix == "" || m.Line < 0 {
					t.Errorf("%+v", m)
				}
			}
		}
	})
}
