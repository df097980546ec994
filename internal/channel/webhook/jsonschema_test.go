package webhook_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	generate "github.com/invopop/jsonschema"
	validate "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

const published = "../../../docs/schema/webhook.json"

func TestPublishedJSONSchemaOfTheNativeBodyIsCurrent(t *testing.T) {
	want := generated(t)
	if *update {
		if err := os.WriteFile(published, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(published)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./internal/channel/webhook -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not current, write it with: go test ./internal/channel/webhook -update (-want +got):\n%s", published, diff)
	}
}

// generated is the JSON Schema of the native body. Unknown fields are allowed: a receiver has to expect new ones.
func generated(t *testing.T) []byte {
	t.Helper()
	r := &generate.Reflector{Anonymous: true, AllowAdditionalProperties: true, RequiredFromJSONSchemaTags: true}
	for room, dir := range map[string]string{"schema": "../../schema", "channel": "..", "channel/webhook": "./"} {
		if err := r.AddGoComments("github.com/bellbuoy/bellbuoy/internal/"+room, dir); err != nil {
			t.Fatal(err)
		}
	}
	conversation, digest := webhook.NativeBodies()
	s, many := r.Reflect(conversation), r.Reflect(digest)
	s.Title = "bellbuoy webhook"
	s.Ref, s.OneOf = "", []*generate.Schema{{Ref: s.Ref}, {Ref: many.Ref}}
	maps.Copy(s.Definitions, many.Definitions)
	kind := func(name string) *generate.Schema { p, _ := s.Definitions[name].Properties.Get("type"); return p }
	kind("body").Pattern, kind("digestBody").Const = `^conversation\.`, "digest"
	required := map[string][]string{
		"body": {"type", "timestamp", "data"}, "data": {"text", "event", "events", "conversation", "links"}, "Link": {"title", "url"},
		"Conversation": {"schema", "id", "cluster", "object", "severity", "state", "episode", "messages", "revision"},
		"digestBody":   {"type", "timestamp", "data"}, "digestData": {"text", "reason", "since", "until", "conversations"},
		"Entry":  {"id", "revision", "episode", "cluster", "severity", "at", "line"},
		"Object": {"kind", "name"}, "Message": {"id", "at", "kind", "sender", "content"},
	}
	for name, def := range s.Definitions {
		def.Required = required[name]
		for pair := def.Properties.Oldest(); pair != nil; pair = pair.Next() {
			pair.Value = nullable(pair.Value)
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// nullable is p, which may be null as well if it is a list or a table: Go writes an empty one so.
func nullable(p *generate.Schema) *generate.Schema {
	if p.Type != "array" && (p.Type != "object" || p.AdditionalProperties == nil) {
		return p
	}
	inner := *p
	inner.Description = ""
	return &generate.Schema{Description: p.Description, OneOf: []*generate.Schema{&inner, {Type: "null"}}}
}

func compiled(t *testing.T) *validate.Schema {
	t.Helper()
	b, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validate.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := validate.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("file:///webhook.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("file:///webhook.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNativeBodiesFitTheirJSONSchema(t *testing.T) {
	s := compiled(t)
	check := func(body string) error {
		value, err := validate.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(value)
	}
	ch := newReceiver(t).channel(t, webhook.Config{})
	huge := channeltest.Add(channeltest.Opened("checkout"), schema.EventAnswered)
	huge.Messages[1].Content = strings.Repeat("x", 2*webhook.MaxBody)
	all := append(moments(), moment{name: "cut-to-what-fits", c: huge})
	for _, m := range all {
		p, ok := ch.Next(m.c, m.told, m.terms)
		if !ok {
			continue
		}
		if err := check(string(p.Body)); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		for _, missing := range []string{`"text"`, `"conversation":`, `"events"`, `"timestamp"`} {
			if check(strings.Replace(string(p.Body), missing, strings.Replace(missing, `"`, `"x`, 1), 1)) == nil {
				t.Errorf("%s: a body without %s fits the JSON Schema", m.name, missing)
			}
		}
	}
	for name, d := range digests() {
		d.Reason = channel.Collected
		p, ok := ch.Digest(d)
		if !ok {
			t.Fatalf("no digest of %s", name)
		}
		if err := check(string(p.Body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if check(strings.Replace(string(p.Body), `"digest"`, `"summary"`, 1)) == nil {
			t.Errorf("%s: a body of no known type fits the JSON Schema", name)
		}
	}
	if p, ok := ch.Next(huge, channel.Told{}, channel.Terms{}); !ok || !bytes.Contains(p.Body, []byte(`"omitted"`)) {
		t.Error("the huge one was not cut")
	}
}
