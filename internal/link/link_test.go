package link_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func checkout() schema.Conversation {
	return schema.Conversation{
		ID: "0123abcd", Cluster: "prod", Object: schema.Object{Kind: schema.KindService, Namespace: "shop", Name: "checkout"},
		Condition: "service_down", Severity: schema.SeverityCritical, StartedAt: noon, UpdatedAt: noon.Add(time.Minute),
		Labels: map[string]string{"team": "shop & friends"},
	}
}

func named(name string) schema.Conversation {
	c := checkout()
	c.Object.Name = name
	return c
}

func addresses(list []schema.Link) []string {
	var all []string
	for _, l := range list {
		all = append(all, l.URL)
	}
	return all
}

func TestGapsAreFilled(t *testing.T) {
	node := checkout()
	node.Object = schema.Object{Kind: schema.KindNode, Name: "n7"}
	hostile := named(`a/b?c=d&e#f g+h%2F:@;,`)
	const escaped = "a%2Fb%3Fc%3Dd%26e%23f%20g%2Bh%252F%3A%40%3B%2C"
	for _, tt := range []struct {
		name, url string
		c         schema.Conversation
		nodes     []string
		want      []string
	}{
		{
			"all-of-an-object", "https://x/{cluster}/{namespace}/{name}?k={kind}&c={condition}&s={severity}#{id}", checkout(), nil,
			[]string{"https://x/prod/shop/checkout?k=service&c=service_down&s=critical#0123abcd"},
		},
		{"times-in-ms", "https://x/?from={since_ms}&to={until_ms}", checkout(), nil, []string{"https://x/?from=1795434300000&to=1795438860000"}},
		{"times", "https://x/?from={since}&to={until}", checkout(), nil, []string{"https://x/?from=2026-11-23T11%3A45%3A00Z&to=2026-11-23T13%3A01%3A00Z"}},
		{"team-is-escaped", "https://x/{team}?t={team}", checkout(), nil, []string{"https://x/shop%20%26%20friends?t=shop%20%26%20friends"}},
		{"hostile-name-stays-in-its-place", "https://x/d/{name}?v={name}#{name}", hostile, nil, []string{
			"https://x/d/" + escaped + "?v=" + escaped + "#" + escaped,
		}},
		{"node-of-a-service", "https://x/{node}", checkout(), []string{"n1", "n1"}, []string{"https://x/n1"}},
		{"node-of-a-node", "https://x/{node}", node, nil, []string{"https://x/n7"}},
		{"several-nodes-are-none", "https://x/{node}", checkout(), []string{"n1", "n2"}, nil},
		{"no-node", "https://x/{node}", checkout(), nil, nil},
		{"no-namespace", "https://x/{namespace}", node, nil, nil},
		{"upwards", "https://x/d/{name}/edit", named(".."), nil, nil},
		{"upwards-by-two-gaps", "https://x/d/.{name}/edit", named("."), nil, nil},
		{"upwards-for-a-server-that-decodes", "https://x/d/{name}", named("a/../../b"), nil, nil},
		{"quote", "https://x/?q={name}", named(`a"} or {b="c`), nil, nil},
		{"quote-of-rison", "https://x/?q={name}", named("a'"), nil, nil},
		{"escape-of-rison", "https://x/?q={name}", named("a!"), nil, nil},
		{"gap-in-a-name", "https://x/?q={name}", named("{id}"), nil, nil},
		{"line-break", "https://x/?q={name}", named("a\nb"), nil, nil},
		{"hidden", "https://x/?q={name}", named("a\u202eb"), nil, nil},
		{"secret", "https://x/?q={name}", named("ghp_0123456789abcdefghijABCDEFGHIJ012345"), nil, nil},
		{"long", "https://x/?q={name}{name}{name}", named(strings.Repeat("ü", 120)), nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if problem, fix := link.Check(tt.url); problem != "" {
				t.Fatalf("%s; %s", problem, fix)
			}
			got := link.Templates{{Title: "T", URL: tt.url}}.Of(&tt.c, tt.nodes)
			if diff := cmp.Diff(tt.want, addresses(got)); diff != "" {
				t.Errorf("links (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunbookIsFirstAndMatchesChoose(t *testing.T) {
	match := func(words ...string) *silence.Matcher {
		m, err := silence.Parse(words)
		if err != nil {
			t.Fatal(err)
		}
		return &m
	}
	ts := link.Templates{
		{Title: "nodes", URL: "https://x/nodes", Match: match("kind=node")},
		{Title: "worst", URL: "https://x/worst", Match: match("condition=service_*", "namespace=shop")},
		{Title: "on-n1", URL: "https://x/n1", Match: match("node=n1")},
		{Title: "team", URL: "https://x/team", Match: match("label.team=shop*")},
		{Title: "all", URL: "https://x/all"},
	}
	c := checkout()
	c.Labels["runbook"] = "https://runbooks.example/checkout"
	want := []schema.Link{
		{Title: "Runbook", URL: "https://runbooks.example/checkout"},
		{Title: "worst", URL: "https://x/worst"},
		{Title: "on-n1", URL: "https://x/n1"},
		{Title: "team", URL: "https://x/team"},
		{Title: "all", URL: "https://x/all"},
	}
	if diff := cmp.Diff(want, ts.Of(&c, []string{"n1", "n2"})); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	var many link.Templates
	for i := range 20 {
		many = append(many, link.Template{Title: "T", URL: fmt.Sprintf("https://x/%d", i)})
	}
	if got := many.Of(&c, nil); len(got) != schema.MaxLinks || got[0].Title != "Runbook" {
		t.Errorf("%d links: %v", len(got), got)
	}
}

func TestOnlyWholeWebAddressesAreLinks(t *testing.T) {
	for name, tt := range map[string]struct {
		address string
		ok      bool
	}{
		"https": {"https://runbooks.example/x?y=1#z", true}, "http": {"http://wiki/x", true}, "ip6": {"https://[::1]:8443/", true},
		"none": {"", false}, "script": {"javascript:alert(1)", false}, "file": {"file:///etc/passwd", false}, "no-host": {"https:///x", false},
		"port-alone": {"https://:443/", false}, "relative": {"//x/y", false}, "user": {"https://anna@x/", false}, "password": {"https://u:p@x/", false},
		"cut": {"https://x/abc…", false}, "taken-out": {"https://x/?t=[REDACTED:token]", false}, "break": {"https://x/\ny", false},
		"long": {"https://x/" + strings.Repeat("a", schema.MaxLinkBytes), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := link.Web(tt.address); ok != tt.ok {
				t.Errorf("%q, %v", got, ok)
			}
		})
	}
}

func TestMistakesInAddressesAreTold(t *testing.T) {
	for name, tt := range map[string]struct{ address, problem, fix string }{
		"gap-in-the-host":   {"https://{cluster}.example/", "a name in a cluster could say where it leads", "one link for each host"},
		"gap-after-a-host":  {"https://example{name}", "a name in a cluster could say where it leads", ""},
		"gap-in-the-port":   {"https://example:{name}/", "a name in a cluster could say where it leads", ""},
		"gap-in-the-scheme": {"{kind}://example/", "a name in a cluster could say where it leads", ""},
		"gap-alone":         {"{name}", "a name in a cluster could say where it leads", ""},
		"unknown-gap":       {"https://x/{pod}", "there is no {pod}", "take one of: cluster, namespace"},
		"empty-gap":         {"https://x/{}", "there is no {}", ""},
		"brace-open":        {`https://x/?q={job="{name}"}`, "the { at its byte 14 belongs to no gap", "%7B"},
		"brace-close":       {`https://x/?q=}`, "the } at its byte 14 belongs to no gap", "%7D"},
		"brace-of-json":     {`https://x/?q={"a":1}`, "the { at its byte 14 belongs to no gap", "%7B"},
		"not-closed":        {`https://x/{name`, "the { at its byte 11 belongs to no gap", ""},
		"ftp":               {"ftp://x/{name}", "no address of the web", "https://"},
		"script":            {"javascript:alert(1)", "no address of the web", ""},
		"nothing":           {"", "no address of the web", ""},
		"no-host":           {"https:///{name}", "no address of the web", ""},
		"password":          {"https://u:p@x/{name}", "a user or a password", ""},
		"upwards":           {"https://x/a/../{name}", "leads upwards", ""},
		"long":              {"https://x/" + strings.Repeat("a", link.MaxTemplate), "and may have 1024", ""},
		"secret":            {"https://x/?t=ghp_0123456789abcdefghijABCDEFGHIJ012345", "looks like a secret", ""},
	} {
		t.Run(name, func(t *testing.T) {
			problem, fix := link.Check(tt.address)
			if problem == "" || !strings.Contains(problem, tt.problem) || !strings.Contains(fix, tt.fix) || strings.Contains(problem+fix, "ghp_") {
				t.Errorf("%q; %q", problem, fix)
			}
		})
	}
}

func TestEveryGapIsKnownAndCanBeFilled(t *testing.T) {
	c := checkout()
	for _, gap := range link.Gaps() {
		address := "https://x/?v={" + gap + "}"
		if problem, _ := link.Check(address); problem != "" {
			t.Errorf("%s: %s", gap, problem)
		}
		if got := (link.Templates{{Title: "T", URL: address}}).Of(&c, []string{"n1"}); len(got) != 1 {
			t.Errorf("{%s} is not filled: %v", gap, got)
		}
	}
}

// Whatever an object is called, a link leads to the host, the path and the parameters that its template names, or is
// left out.
func FuzzNamesStayInTheirPlace(f *testing.F) {
	for _, seed := range []string{"checkout", "..", "a/b", "a&b=c", "%2e%2e", "a#b", "ü?", "@evil.example", "\\evil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		c := named(name)
		for _, l := range (link.Templates{{Title: "T", URL: "https://x.example/d/{name}/v?a={name}&b=1#s={name}&e"}}).Of(&c, nil) {
			u, err := url.Parse(l.URL)
			if err != nil || u.Scheme != "https" || u.Host != "x.example" || u.User != nil {
				t.Fatalf("%q: %v", l.URL, err)
			}
			segments := strings.Split(u.EscapedPath(), "/")
			if len(segments) != 4 || segments[1] != "d" || segments[3] != "v" || slices.Contains([]string{".", "..", ""}, segments[2]) {
				t.Errorf("path of %q", l.URL)
			}
			q, err := url.ParseQuery(u.RawQuery)
			if err != nil || len(q) != 2 || q.Get("a") != name || q.Get("b") != "1" {
				t.Errorf("query of %q: %v", l.URL, err)
			}
		}
	})
}
