package fake_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/fake"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var at = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// shop is a snapshot with a database that has failed, and a service that needs it.
func shop(failure *schema.Failure) schema.ClusterContext {
	return schema.ClusterContext{
		ClusterName: "prod", TakenAt: at, Source: "docker",
		Services: []schema.ServiceSummary{
			{
				Name: "db", Namespace: "shop", ReplicasRunning: new(0), ReplicasDesired: new(1), LastFailure: failure,
				RecentLogs: []string{"FATAL: no space left on device"}, Instances: []schema.Instance{{Name: "shop-db-1", State: "exited"}},
			},
			{Name: "cart", Namespace: "shop", ReplicasRunning: new(0), ReplicasDesired: new(1), DependsOn: []string{"db"}},
		},
	}
}

func incident(s schema.ClusterContext, name string) schema.Conversation {
	o := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}
	conditions := []schema.Condition{{Name: "service_down", Severity: schema.SeverityCritical, Since: at, Title: name + ": 0 of 1 running"}}
	return schema.Conversation{
		ID: schema.ConversationID("prod", o), Cluster: "prod", Object: o, Conditions: conditions, Title: conditions[0].Title,
		Evidence: diagnose.Freeze(s, o, conditions),
	}
}

func serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(fake.New(fake.Options{Models: []string{"scripted"}}))
	t.Cleanup(server.Close)
	return server.URL
}

// The real client asks over HTTP, and Bellbuoy's own check accepts what comes.
func TestEveryVerdictHoldsAndSaysThatItIsScripted(t *testing.T) {
	model, err := llm.New(llm.Config{BaseURL: serve(t), Model: "scripted"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		failure             *schema.Failure
		about               string
		component, category string
	}{
		"an-exit":           {&schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: at}, "db", "shop/db", diagnose.CategoryCrash},
		"memory":            {&schema.Failure{Reason: schema.FailureOOM, OOM: true, At: at}, "db", "shop/db", diagnose.CategoryMemory},
		"a-start":           {&schema.Failure{Reason: schema.FailureStart, At: at}, "db", "shop/db", diagnose.CategoryStart},
		"nothing-to-go-on":  {nil, "db", "shop/db", diagnose.CategoryUnknown},
		"a-dependency-gone": {&schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: at}, "cart", "shop/db", diagnose.CategoryDependency},
	} {
		t.Run(name, func(t *testing.T) {
			s := shop(c.failure)
			about := incident(s, c.about)
			said, err := model.Complete(t.Context(), diagnose.VerdictPrompt(about, &s))
			if err != nil {
				t.Fatal(err)
			}
			d, err := diagnose.CheckVerdict(said.Text, said.Model, about, &s)
			if err != nil {
				t.Fatalf("%v\n%s", err, said.Text)
			}
			if d.RootCause.Component != c.component || d.RootCause.Category != c.category {
				t.Errorf("blames %s for %s, want %s for %s", d.RootCause.Component, d.RootCause.Category, c.component, c.category)
			}
			for _, text := range []string{d.Summary, d.RootCause.Statement} {
				if !strings.Contains(text, fake.Mark) { // a verdict on too little says that first
					t.Errorf("does not say that it is scripted: %q", text)
				}
			}
			if d.Source != "scripted" || said.Usage.Tokens == 0 {
				t.Errorf("source %q, %d tokens", d.Source, said.Usage.Tokens)
			}
		})
	}
}

func TestQuestionsAreAnsweredFromTheEvidence(t *testing.T) {
	s := shop(&schema.Failure{Reason: schema.FailureExit, ExitCode: new(1), At: at})
	c := incident(s, "db")
	for question, want := range map[string]string{
		"what does the log say?": "no space left on device (E",
		"why?":                   "exit code 1",
	} {
		p := diagnose.QuestionPrompt(c, &s, schema.Message{ID: "q", Content: question})
		got := fake.Script(fake.Request{Messages: []fake.Message{{Role: "user", Content: p.User}}})
		if !strings.HasPrefix(got, fake.Mark) || !strings.Contains(got, want) {
			t.Errorf("%s is answered with %q, want %q in it", question, got, want)
		}
	}
}

func post(t *testing.T, url, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

const hello = `"messages":[{"role":"user","content":"hello"}]`

// said is the text of a whole answer.
func said(t *testing.T, answer string) string {
	t.Helper()
	var a struct {
		Choices []struct{ Message fake.Message }
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil || len(a.Choices) != 1 {
		t.Fatalf("%v in %s", err, answer)
	}
	return a.Choices[0].Message.Content
}

func TestAnySchemaIsAnsweredWithSomethingValid(t *testing.T) {
	url := serve(t)
	for name, s := range map[string]string{
		"verdict": string(diagnose.VerdictSchema()),
		"other": `{"type":"object","additionalProperties":false,"required":["a","b","c","d","e","f","g"],"properties":{
			"a":{"type":"string"},"b":{"type":"string","enum":["x","y"]},"c":{"type":"array","items":{"type":"string"}},
			"d":{"type":["string","null"]},"e":{"anyOf":[{"type":"integer"},{"type":"string"}]},"f":{"const":3},
			"g":{"type":"object","additionalProperties":false,"required":["h"],"properties":{"h":{"type":"boolean"}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := post(t, url, `{"model":"scripted",`+hello+`,"response_format":{"type":"json_schema","json_schema":{"name":"v","schema":`+s+`}}}`)
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, answer)
			}
			if err := valid(t, s, said(t, answer)); err != nil {
				t.Errorf("%v\n%s", err, said(t, answer))
			}
		})
	}
	_, answer := post(t, url, `{"model":"scripted",`+hello+`,"response_format":{"type":"json_object"}}`)
	if text := said(t, answer); !json.Valid([]byte(text)) || !strings.Contains(text, fake.Mark) {
		t.Errorf("an object of no shape is %s", text)
	}
}

func valid(t *testing.T, against, text string) error {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(against))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

func TestAStreamBringsTheSameTextInPiecesAndWhatItCost(t *testing.T) {
	url := serve(t)
	_, whole := post(t, url, `{"model":"scripted",`+hello+`}`)
	status, stream := post(t, url, `{"model":"scripted",`+hello+`,"stream":true,"stream_options":{"include_usage":true}}`)
	text, tokens, done := "", 0, false
	for line := range strings.SplitSeq(stream, "\n") {
		data, ok := strings.CutPrefix(line, "data: ")
		if done = done || data == "[DONE]"; !ok || done {
			continue
		}
		var piece struct {
			Choices []struct{ Delta fake.Message }
			Usage   struct {
				Total int `json:"total_tokens"`
			}
		}
		if err := json.Unmarshal([]byte(data), &piece); err != nil {
			t.Fatalf("%v in %s", err, data)
		}
		for _, c := range piece.Choices {
			text += c.Delta.Content
		}
		tokens += piece.Usage.Total
	}
	if status != http.StatusOK || text != said(t, whole) || tokens == 0 || !done {
		t.Errorf("%d, %q for %q, %d tokens, ended: %v", status, text, said(t, whole), tokens, done)
	}
}

func TestOtherModelsAndMalformedRequestsAreRefusedInWords(t *testing.T) {
	url := serve(t)
	for name, c := range map[string]struct {
		body, says string
		status     int
	}{
		"another-model": {`{"model":"gpt-4",` + hello + `}`, "does not exist", http.StatusNotFound},
		"no-json":       {`{"model":`, "could not parse", http.StatusBadRequest},
		"no-messages":   {`{"model":"scripted","messages":[]}`, "too short", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			if status, answer := post(t, url, c.body); status != c.status || !strings.Contains(answer, c.says) {
				t.Errorf("%d %s, want %d with %q", status, answer, c.status, c.says)
			}
		})
	}
}
