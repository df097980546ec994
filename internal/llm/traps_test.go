package llm_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/llm/llmtest"
)

// The client library has eighteen traps that its users fall into. Each has its test here. Some we fix below the library;
// into the others we never get, because of what we do not use, and TestOnlyThisOfTheLibraryIsUsed holds that down.

// used is all of the library that this house may use: whole answers, no tools, no streams, OpenAI's kind of address and
// of authorization, nothing of its sub-packages.
var used = []string{
	"ChatCompletionMessage", "ChatCompletionRequest", "ChatCompletionResponse", "ChatCompletionResponseFormat",
	"ChatCompletionResponseFormatJSONSchema", "ChatCompletionResponseFormatTypeJSONObject", "ChatCompletionResponseFormatTypeJSONSchema",
	"ChatMessageRoleSystem", "ChatMessageRoleUser", "ClientConfig", "DefaultConfig", "FinishReasonContentFilter", "FinishReasonLength",
	"NewClientWithConfig",
}

const library = "github.com/sashabaranov/go-openai"

func TestOnlyThisOfTheLibraryIsUsed(t *testing.T) {
	root := filepath.Join("..", "..")
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil //nolint:nilerr // what does not parse is not compiled; testdata may hold such
		}
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			switch {
			case strings.HasPrefix(name, library+"/"):
				t.Errorf("%s imports %s", path, name)
			case name == library:
				selected(f, func(s *ast.SelectorExpr) {
					found[s.Sel.Name] = true
					if !slices.Contains(used, s.Sel.Name) {
						t.Errorf("%s uses openai.%s: see the traps in internal/llm/traps_test.go first", set.Position(s.Pos()), s.Sel.Name)
					}
				})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range used {
		if !found[name] {
			t.Errorf("openai.%s is allowed and not used: take it off the list", name)
		}
	}
}

func selected(f *ast.File, each func(*ast.SelectorExpr)) {
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "openai" {
				each(s)
			}
		}
		return true
	})
}

// whole asks the verdict of a server that answers as fault does, and gives the text, the error and the requests.
func whole(t *testing.T, fault llmtest.Fault) (string, error, []llmtest.Request) { //nolint:staticcheck // the error is what is looked at
	t.Helper()
	s := server(t)
	s.Always(fault)
	got, err := client(t, s).Complete(t.Context(), prompt())
	return got.Text, err, s.Requests()
}

func TestTrap01TemperatureZeroIsSentAsZero(t *testing.T) {
	s := server(t)
	c := client(t, s, func(cfg *llm.Config) { cfg.Temperature = 0 })
	if _, err := c.Complete(t.Context(), prompt()); err != nil {
		t.Fatal(err)
	}
	var sent map[string]json.RawMessage
	if err := json.Unmarshal(s.Requests()[0].Body, &sent); err != nil || string(sent["temperature"]) != "0" {
		t.Errorf("temperature is sent as %q: %v", sent["temperature"], err)
	}
}

func TestTrap02NoMessageIsEmpty(t *testing.T) {
	s := server(t)
	c := client(t, s)
	p := question()
	p.System = ""
	if _, err := c.Complete(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if r := s.Requests()[0]; len(r.Messages) != 1 || r.Refused != "" {
		t.Errorf("messages %v, refused %q", r.Messages, r.Refused)
	}
	_, err := c.Complete(t.Context(), diagnose.Prompt{System: "You answer.", User: " \n"})
	if e := failed(t, err); e.Outcome != llm.OutcomeRefused || len(s.Requests()) != 1 {
		t.Errorf("an empty prompt: outcome %s after %d requests", e.Outcome, len(s.Requests()))
	}
}

func TestTrap03NoToolIsOfferedAndNoneIsCalled(t *testing.T) {
	text, err, requests := whole(t, llmtest.ToolCall())
	if e := failed(t, err); e.Outcome != llm.OutcomeBroken || text != "" || len(requests) != 1 {
		t.Errorf("outcome %s, text %q after %d requests", e.Outcome, text, len(requests))
	}
	for _, name := range []string{"tools", "tool_choice", "functions", "parallel_tool_calls"} {
		if v, ok := fields(t, requests[0])[name]; ok {
			t.Errorf("%s is sent: %v", name, v)
		}
	}
}

func TestTrap04AnErrorAsTextKeepsItsStatus(t *testing.T) {
	_, err, _ := whole(t, llmtest.Raw(429, "application/json", `{"error":"slow down"}`))
	if e := failed(t, err); e.Status != 429 || e.Outcome != llm.OutcomeThrottled || !strings.Contains(err.Error(), "slow down") {
		t.Errorf("status %d, outcome %s: %v", e.Status, e.Outcome, err)
	}
}

func TestTrap05EveryErrorBodyIsRead(t *testing.T) {
	for name, body := range map[string]string{
		"flat": `{"object":"error","message":"no room left","code":400}`, "detail": `{"detail":"no room left"}`,
		"list": `[{"error":{"message":"no room left"}}]`, "html": "<html><p>no room left</p></html>", "text": "no room left",
	} {
		_, err, _ := whole(t, llmtest.Raw(400, "text/plain", body))
		if e := failed(t, err); e.Status != 400 || !strings.Contains(err.Error(), "400 Bad Request: no room left;") {
			t.Errorf("%s: status %d: %v", name, e.Status, err)
		}
	}
}

func TestTrap06AnErrorInside200IsOne(t *testing.T) {
	for name, body := range map[string]string{
		"nested": `{"error":{"code":503,"message":"no instance"}}`, "text": `{"error":"no instance"}`,
		"flat": `{"object":"error","message":"no instance","code":503}`, "detail": `{"detail":"no instance"}`,
	} {
		_, err, requests := whole(t, llmtest.Raw(200, "application/json", body))
		if e := failed(t, err); e.Outcome != llm.OutcomeServer || e.Status < 500 || len(requests) != 3 || !strings.Contains(err.Error(), "no instance") {
			t.Errorf("%s: outcome %s after %d requests: %v", name, e.Outcome, len(requests), err)
		}
	}
	_, err, _ := whole(t, llmtest.NoChoices())
	if e := failed(t, err); e.Outcome != llm.OutcomeBroken {
		t.Errorf("no choices: outcome %s", e.Outcome)
	}
}

func TestTrap07RetryAfterIsHeeded(t *testing.T) {
	_, err, requests := whole(t, llmtest.Throttled(7200))
	if e := failed(t, err); e.Wait != 2*time.Hour || len(requests) != 1 {
		t.Errorf("wait %s after %d requests", e.Wait, len(requests))
	}
}

func TestTrap08AStreamWithoutItsEndIsNoAnswer(t *testing.T) {
	text, err, requests := whole(t, llmtest.StreamCut())
	if e := failed(t, err); e.Outcome != llm.OutcomeUnreachable || text != "" || len(requests) != 3 {
		t.Errorf("outcome %s, text %q after %d requests", e.Outcome, text, len(requests))
	}
}

func TestTrap09TheLastLineNeedsNoLineBreak(t *testing.T) {
	text, err, _ := whole(t, llmtest.Raw(200, "text/event-stream",
		"data: {\"choices\":[{\"delta\":{\"content\":\"all \"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"of it\"},\"finish_reason\":\"stop\"}]}"))
	if err != nil || text != "all of it" {
		t.Errorf("said %q, error %v", text, err)
	}
}

func TestTrap10CommentsDoNotHideAnError(t *testing.T) {
	_, err, _ := whole(t, llmtest.Raw(200, "text/event-stream", ": PROCESSING\n\nevent: error\ndata: {\"error\":{\"code\":401,\"message\":\"the key has ended\"}}\n\n"))
	if e := failed(t, err); e.Outcome != llm.OutcomeUnauthorized || !strings.Contains(err.Error(), "the key has ended") {
		t.Errorf("outcome %s: %v", e.Outcome, err)
	}
}

func TestTrap11AnyNumberOfCommentsMayComeFirst(t *testing.T) {
	for name, fault := range map[string]llmtest.Fault{"stream": llmtest.Streamed(1000), "whole": llmtest.Commented(1000)} {
		if text, err, _ := whole(t, fault); err != nil || text != llmtest.VerdictOn("shop/web", "logs") {
			t.Errorf("%s: said %q, error %v", name, text, err)
		}
	}
}

func TestCommentsMayStandBeforeAnythingAndOddLinesInside(t *testing.T) {
	for name, body := range map[string]string{
		"whole": ": one\n\n: two\n\n{\n  \"choices\": [\n    {\"message\": {\"content\": \"all of it\"}, \"finish_reason\": \"stop\"}\n  ]\n}\n",
		"odd":   "data: {\"choices\":[{\"delta\":{\"content\":\"all \"}}]}\n{\"error\":1}\nid: 7\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"of it\"}}]}\n\ndata: [DONE]\n",
	} {
		if text, err, _ := whole(t, llmtest.Raw(200, "application/json", body)); err != nil || text != "all of it" {
			t.Errorf("%s: said %q, error %v", name, text, err)
		}
	}
}

func TestTrap12AnErrorIsOneWhereverItStandsInItsEvent(t *testing.T) {
	_, err, _ := whole(t, llmtest.StreamError(503, "no instance is left")) // behind an id, two blanks, half an answer; nothing follows
	if e := failed(t, err); e.Outcome != llm.OutcomeServer || e.Status != 503 || !strings.Contains(err.Error(), "no instance is left") {
		t.Errorf("outcome %s, status %d: %v", e.Outcome, e.Status, err)
	}
}

func TestTrap13AnEventWithoutChoicesIsItsUsage(t *testing.T) {
	s := server(t)
	s.Always(llmtest.Streamed(0))
	got, err := client(t, s).Complete(t.Context(), prompt())
	if err != nil || got.Usage.Tokens != s.Requests()[0].Tokens()+9 {
		t.Errorf("usage %+v, error %v", got.Usage, err)
	}
	if _, ok := fields(t, s.Requests()[0])["stream_options"]; ok {
		t.Error("stream_options are sent without a stream")
	}
}

func TestTrap14AnthropicIsSentTheKeyAndNoVersion(t *testing.T) {
	d := dialect(t, "anthropic")
	s := llmtest.New(t, llmtest.Options{Key: key, Dialect: d}) // refuses whoever has not the key
	if _, err := dialled(t, s, d, "m").Complete(t.Context(), prompt()); err != nil {
		t.Fatal(err)
	}
	if r := s.Requests()[0]; r.Header.Get("Authorization") != "Bearer "+key || r.Path != "/v1/chat/completions" || r.Header.Get("Anthropic-Version") != "" {
		t.Errorf("asked %s with %v", r.Path, r.Header)
	}
}

func TestTrap15AzureIsAskedByItsPresentAPI(t *testing.T) {
	d := dialect(t, "azure")
	s := llmtest.New(t, llmtest.Options{Key: key, Dialect: d})
	for _, base := range []string{"http://" + d.Host, "http://" + d.Host + "/openai", "http://" + d.Host + "/openai/v1/"} {
		c, err := llm.New(llm.Config{BaseURL: base, Model: "my-deployment", APIKey: key}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.DialOnly(s.Addr())
		if _, err := c.Complete(t.Context(), prompt()); err != nil {
			t.Errorf("%s: %v", base, err)
		}
	}
	for _, r := range s.Requests() {
		if r.Path != "/openai/v1/chat/completions" || r.Model != "my-deployment" || r.Schema == nil {
			t.Errorf("asked %s for %s, with a schema: %v", r.Path, r.Model, r.Schema != nil)
		}
	}
	_, err := llm.New(llm.Config{BaseURL: "https://shop.openai.azure.com/openai/deployments/x", Model: "m"}, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "/openai/v1, and the deployment's name in LLM_MODEL") {
		t.Errorf("an address of the older API: %v", err)
	}
}

func TestTrap16AHugeErrorBecomesAShortOne(t *testing.T) {
	_, err, _ := whole(t, llmtest.Huge(500, 4<<20))
	failed(t, err)
	if len(err.Error()) > 1000 {
		t.Errorf("the error is %d bytes long", len(err.Error()))
	}
}

func TestTrap17TheSchemaIsWrittenByHandAndStrict(t *testing.T) {
	s := server(t) // refuses a schema that strict output does not take
	if _, err := client(t, s).Complete(t.Context(), prompt()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(diagnose.VerdictSchema()), string(s.Requests()[0].Schema)); diff != "" {
		t.Errorf("the schema on the wire (-want +got):\n%s", diff)
	}
}

// What is sent again after an answer is text in the user's turn, so that no tool call and no turn of the assistant's
// can be malformed.
func TestTrap18ARepairSendsNoTurnOfTheModels(t *testing.T) {
	s := server(t)
	p := diagnose.RepairPrompt(prompt(), `{"x":1}`, errors.New("summary: empty"))
	if _, err := client(t, s).Complete(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	var roles []string
	for _, m := range s.Requests()[0].Messages {
		roles = append(roles, m.Role)
	}
	if diff := cmp.Diff([]string{"system", "user"}, roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}
