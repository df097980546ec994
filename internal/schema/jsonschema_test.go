package schema_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	generate "github.com/invopop/jsonschema"
	validate "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var update = flag.Bool("update", false, "write the JSON Schemas in docs/schema anew")

const published = "../../docs/schema"

// bodies are the types that have a JSON Schema of their own, by its file's name.
func bodies() map[string]any {
	return map[string]any{
		"context": schema.ClusterContext{}, "alert": schema.Alert{}, "reply": schema.Reply{}, "finding": schema.Finding{},
		"inspection": schema.Inspection{}, "inspection-result": schema.InspectionResult{},
		"webhook-in": schema.SignedReply{},
	}
}

// required fields; everything else may be missing.
func required() map[string][]string {
	return map[string][]string{
		"ClusterContext": {"cluster_name"}, "ServiceSummary": {"name"}, "NodeSummary": {"id"},
		"Alert": {"event", "conversation"}, "Conversation": {"schema", "id", "cluster", "object"}, "Object": {"kind", "name"},
		"Finding":    {"schema", "cluster", "object", "condition", "firing", "source"},
		"Inspection": {"schema", "cluster", "kind", "object"}, "InspectionResult": {"schema", "cluster", "kind", "object", "at", "lines"},
		"InspectedLine": {"text"}, "SignedReply": {"conversation"},
	}
}

// allowed values, where Validate knows a list; the empty string means unknown.
func allowed() map[string][]any {
	return map[string][]any{
		"ServiceSummary.status": {"", schema.ServiceHealthy, schema.ServiceDegraded, schema.ServiceStopped},
		"ServiceSummary.health": {"", schema.HealthStarting, schema.HealthHealthy, schema.HealthUnhealthy},
		"NodeSummary.status":    {"", schema.NodeHealthy, schema.NodeDraining, schema.NodeDown},
		"Inspection.kind":       {schema.LookLogs, schema.LookStatus, schema.LookEvents},
		"InspectionResult.kind": {schema.LookLogs, schema.LookStatus, schema.LookEvents},
		"Finding.severity":      {"", schema.SeverityInfo, schema.SeverityWarning, schema.SeverityCritical},
	}
}

func TestPublishedJSONSchemasAreCurrent(t *testing.T) {
	for name, body := range bodies() {
		path := filepath.Join(published, name+".json")
		want := generated(t, name, body)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v; write it with: go test ./internal/schema -update", err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not current, write it with: go test ./internal/schema -update (-want +got):\n%s", path, diff)
		}
	}
}

// generated is the JSON Schema of one type. Unknown fields are allowed, as they are in the decoders.
func generated(t *testing.T, name string, body any) []byte {
	t.Helper()
	r := &generate.Reflector{Anonymous: true, AllowAdditionalProperties: true, RequiredFromJSONSchemaTags: true}
	if err := r.AddGoComments("github.com/bellbuoy/bellbuoy/internal/schema", "./"); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(body)
	s.Title = "bellbuoy " + name
	types := map[string]reflect.Type{}
	gather(reflect.TypeOf(body), types)
	for name, def := range s.Definitions {
		refine(t, name, types[name], def)
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

// gather lists the types of this package that a body is made of.
func gather(t reflect.Type, into map[string]reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		gather(t.Elem(), into)
	case reflect.Struct:
		if !strings.HasSuffix(t.PkgPath(), "internal/schema") || into[t.Name()] != nil {
			return
		}
		into[t.Name()] = t
		for f := range fields(t) {
			gather(t.Field(f).Type, into)
		}
	default:
	}
}

// fields are the numbers of a type's fields that are on the wire, with their names there.
func fields(t reflect.Type) map[int]string {
	all := map[int]string{}
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "-" {
			all[i] = name
		}
	}
	return all
}

// refine tells what the types cannot: what is required, what may be null, which values there are, and that an event
// may be a plain string.
func refine(t *testing.T, name string, of reflect.Type, def *generate.Schema) {
	t.Helper()
	if of == nil {
		t.Fatalf("definition %s is of no known type", name)
	}
	def.Required = required()[name]
	for i, property := range fields(of) {
		p, ok := def.Properties.Get(property)
		if !ok {
			t.Fatalf("%s.%s is not in the JSON Schema", name, property)
		}
		p.Enum = allowed()[name+"."+property]
		if kind := of.Field(i).Type.Kind(); slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Map}, kind) {
			def.Properties.Set(property, nullable(p))
		}
	}
	if name == "ClusterEvent" {
		object := *def
		object.Description = ""
		*def = generate.Schema{Description: def.Description, OneOf: []*generate.Schema{&object, {Type: "string"}}}
	}
}

func nullable(p *generate.Schema) *generate.Schema {
	inner := *p
	inner.Description = ""
	return &generate.Schema{Description: p.Description, OneOf: []*generate.Schema{&inner, {Type: "null"}}}
}

// compiled is a published schema, ready to check bodies with.
func compiled(t *testing.T, name string) *validate.Schema {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(published, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := validate.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := validate.NewCompiler()
	if err := c.AddResource("file:///"+name+".json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("file:///" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSONSchemasAgreeWithTheDecoders(t *testing.T) {
	alert, id := alertBody()
	decode := map[string]func(string) error{
		"context": func(s string) error { _, err := schema.DecodeContext([]byte(s)); return err },
		"alert":   func(s string) error { _, err := schema.DecodeAlert([]byte(s), "prod", id); return err },
		"reply":   func(s string) error { _, err := schema.DecodeReply([]byte(s)); return err },
		"finding": func(s string) error { _, err := schema.DecodeFinding([]byte(s)); return err },
		"inspection": func(s string) error {
			_, err := schema.DecodeInspection([]byte(s), "p", schema.LookLogs)
			return err
		},
		"inspection-result": func(s string) error {
			_, err := schema.DecodeInspectionResult([]byte(s), logsOfDB())
			return err
		},
	}
	tests := []struct {
		name, of, body string
		valid          bool
	}{
		{"example-snapshot", "context", exampleContext, true},
		{"shortest-snapshot", "context", `{"cluster_name":"p"}`, true},
		{"snapshot-with-string-events-and-nulls", "context", `{"cluster_name":"p","recent_events":["x"],"nodes":null,"services":[{"name":"a","replicas_running":null,"new":1}]}`, true},
		{"snapshot-as-written", "context", written(t, schema.ClusterContext{ClusterName: "p", Services: []schema.ServiceSummary{{Name: "a"}}, Nodes: []schema.NodeSummary{{ID: "n"}}}), true},
		{"snapshot-without-name", "context", `{}`, false},
		{"service-without-name", "context", `{"cluster_name":"p","services":[{}]}`, false},
		{"unknown-status", "context", `{"cluster_name":"p","services":[{"name":"a","status":"sick"}]}`, false},
		{"text-for-a-number", "context", `{"cluster_name":"p","nodes":[{"id":"n","cpu_percent":"9"}]}`, false},
		{"example-alert", "alert", alert, true},
		{"alert-of-nothing", "alert", `{}`, false},
		{"reply", "reply", `{"text":"ack","author":{"name":"anna","verified":false}}`, true},
		{"reply-of-numbers", "reply", `{"text":7}`, false},
		{"example-finding", "finding", exampleFinding, true},
		{"finding-that-is-over", "finding", `{"schema":"bellbuoy.finding/v1","cluster":"p","object":{"kind":"alert","name":"a"},"condition":"c","firing":false,"source":"s"}`, true},
		{"finding-of-nothing", "finding", `{}`, false},
		{"inspection", "inspection", written(t, logsOfDB()), true},
		{"inspection-of-a-shell", "inspection", strings.Replace(written(t, logsOfDB()), `"logs"`, `"exec"`, 1), false},
		{"inspection-of-nothing", "inspection", `{}`, false},
		{"inspection-result", "inspection-result", written(t, linesOfDB()), true},
		{"inspection-result-of-nothing", "inspection-result", `{}`, false},
		{"finding-of-another-severity", "finding", strings.Replace(exampleFinding, "warning", "bad", 1), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := decode[tt.of](tt.body); (err == nil) != tt.valid {
				t.Errorf("the decoder says: %v", err)
			}
			value, err := validate.UnmarshalJSON(strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled(t, tt.of).Validate(value); (err == nil) != tt.valid {
				t.Errorf("the JSON Schema says: %v", err)
			}
		})
	}
}

func written(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
