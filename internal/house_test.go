package internal_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/bellbuoy/bellbuoy"

// room is one package of the house. What is not listed may not be imported.
type room struct {
	path  string
	sees  string // rooms of this house that it may import; "internal/" is left off
	needs string // other people's modules that it may import, by the names of outside
	tests string // rooms that its tests may import on top of that, and of the kits
}

// plan is every room there is. Imports point down: cmd, then the daemons, then what they are made of, then scrub and
// schema. Adapters see their parent, schema, scrub and config, never the bus or a sibling.
var plan = []room{
	{"cmd/bellbuoy", "collector analyzer notifier daemon doctor rules console demo drill replay llm llm/fake client source/docker bus bus/embed process config conversation scrub schema", "prometheus", "detect diagnose channel channel/webhook source source/file"},
	{"cmd/collector", "collector daemon bus process", "", ""},
	{"cmd/analyzer", "analyzer daemon bus process", "", ""},
	{"cmd/notifier", "notifier daemon bus process", "", ""},

	{"internal/collector", "source source/docker source/file source/host source/procfs bus process config scrub schema", "prometheus sync", ""},
	{"internal/rules", "detect link silence config config/yamlfile schema", "yaml", ""},
	{"internal/analyzer", "channelfile people rules decide detect conversation diagnose link silence spend breaker llm client finding bus process config scrub schema", "prometheus sync", ""},
	{"internal/channelfile", "config config/yamlfile people route schema", "yaml", ""},
	{"internal/gateway", "channel/webhook people conversation config scrub schema", "rate", ""},
	{"internal/notifier", "channel channel/slack channel/webhook channelfile gateway people route config/yamlfile client conversation finding pace bus process config scrub schema", "prometheus sync", ""},

	{"internal/daemon", "bus process config", "prometheus", ""},
	{"internal/doctor", "client bus llm channel/webhook detect source source/docker source/host config scrub schema", "", "analyzer notifier diagnose"},
	{"internal/bus", "scrub schema", "nats orbit prometheus", ""},
	{"internal/bus/embed", "", "nats nats-server", "bus schema"},
	{"internal/client", "conversation silence bus scrub schema", "", ""},
	{"internal/finding", "scrub schema", "", ""},
	{"internal/demo", "analyzer notifier client drill llm llm/fake channel channel/webhook bus bus/embed process config schema", "prometheus", ""},
	{"internal/drill", "client bus schema", "", "llm notifier"},
	{"internal/replay", "decide detect conversation diagnose link silence source/file channel channel/webhook client bus scrub schema", "", "llm"},
	{"internal/llm", "diagnose config scrub schema", "openai prometheus sync", ""},
	{"internal/llm/fake", "", "", "llm diagnose schema"},
	{"internal/source", "scrub schema", "", ""},
	{"internal/source/docker", "source source/procfs config scrub schema", "moby sync", ""},
	{"internal/source/file", "source config scrub schema", "", ""},
	{"internal/source/host", "source source/procfs config scrub schema", "", ""},
	{"internal/source/procfs", "source config scrub schema", "", ""},
	{"internal/channel", "link scrub schema", "", ""},
	{"internal/channel/slack", "channel channel/slack/socket config scrub schema", "slack sync", ""},
	{"internal/channel/slack/socket", "", "websocket", ""},
	{"internal/channel/webhook", "channel config scrub schema", "ssrf", ""},

	{"internal/decide", "detect conversation diagnose link silence schema", "", ""},
	{"internal/detect", "glob scrub schema", "", ""},
	{"internal/conversation", "scrub schema", "", ""},
	{"internal/diagnose", "scrub schema", "", ""},
	{"internal/link", "silence scrub schema", "", ""},
	{"internal/pace", "", "", ""},
	{"internal/silence", "schema", "", ""},
	{"internal/route", "glob silence schema", "", ""},
	{"internal/people", "conversation schema", "", ""},
	{"internal/spend", "", "", ""},
	{"internal/breaker", "", "", ""},
	{"internal/glob", "", "", ""},
	{"internal/scrub", "schema", "", ""},
	{"internal/schema", "", "", ""},

	{"internal/config", "", "envconfig", ""},
	{"internal/config/yamlfile", "config silence", "yaml", ""},
	{"internal/console", "client silence scrub schema", "isatty term", ""},
	{"internal/process", "config scrub", "tint isatty prometheus sync", ""},

	{"internal/bus/bustest", "bus bus/embed schema", "nats nats-server", ""},
	{"internal/channel/channeltest", "channel schema", "cmp", "scrub"},
	{"internal/channel/slack/slackdraw", "", "", ""},
	{"internal/channel/slack/slacktest", "", "slack websocket", ""},
	{"internal/llm/llmtest", "llm/fake", "", "llm"},
	{"internal/e2e", "gateway collector rules analyzer notifier daemon client llm llm/llmtest channel channel/webhook bus bus/embed bus/bustest process config conversation scrub schema need need/engine", "prometheus sync", "detect spend replay source/docker source/host channel/slack channelfile"},
	{"internal/eval", "replay detect source/file schema", "", "need diagnose channel channel/slack channel/webhook config"},
	{"internal/need", "", "", ""},
	{"internal/need/engine", "need", "", ""},
	{"internal/need/steady", "need", "", ""},
}

// pure rooms decide and do nothing else: the same input gives the same output.
var pure = strings.Fields("internal/decide internal/detect internal/conversation internal/diagnose internal/link internal/pace internal/silence internal/route internal/people internal/spend internal/breaker internal/glob internal/scrub internal/schema")

// impure is what they keep away from, with everything below it but net/url, which only takes addresses apart.
var impure = strings.Fields("net os context syscall log math/rand runtime testing")

// kits are the rooms that exist for tests. No binary sees them.
var kits = strings.Fields("bus/bustest channel/channeltest channel/slack/slackdraw channel/slack/slacktest llm/llmtest e2e eval need need/engine need/steady")

// outside names the modules of others that code may import. Those in testOutside are for tests of all rooms.
var outside = map[string][]string{
	"cmp":         {"github.com/google/go-cmp"},
	"envconfig":   {"github.com/kelseyhightower/envconfig"},
	"isatty":      {"github.com/mattn/go-isatty"},
	"jsonschema":  {"github.com/invopop/jsonschema", "github.com/santhosh-tekuri/jsonschema/v6"},
	"moby":        {"github.com/moby/moby/api", "github.com/moby/moby/client", "github.com/containerd/errdefs"},
	"nats":        {"github.com/nats-io/nats.go", "github.com/nats-io/nkeys"},
	"nats-server": {"github.com/nats-io/nats-server/v2"},
	"openai":      {"github.com/sashabaranov/go-openai"},
	"orbit":       {"github.com/synadia-io/orbit.go/jetstreamext"},
	"prometheus":  {"github.com/prometheus/client_golang"},
	"slack":       {"github.com/slack-go/slack"},
	"ssrf":        {"code.dny.dev/ssrf"},
	"rate":        {"golang.org/x/time"},
	"sync":        {"golang.org/x/sync"},
	"term":        {"golang.org/x/term"},
	"tint":        {"github.com/lmittmann/tint"},
	"yaml":        {"go.yaml.in/yaml/v3"},
	"websocket":   {"github.com/gorilla/websocket"},
	"webhooks":    {"github.com/standard-webhooks/standard-webhooks/libraries"},
}

const testOutside = "cmp jsonschema prometheus sync webhooks"

// source is one parsed Go file. The room is its directory.
type source struct {
	name, room string
	text       []byte
	ast        *ast.File
	set        *token.FileSet
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.name, s.set.Position(pos).Line)
}

func (s source) lines() int { return strings.Count(string(s.text), "\n") }

// files walks the texts of the repository.
func files(t *testing.T, each func(name string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(p, ".."+string(filepath.Separator)))
		if d.IsDir() && slices.Contains([]string{".git", "bin"}, d.Name()) {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(p)
		if err == nil && !bytes.Contains(text, []byte{0}) {
			each(name, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	files(t, func(name string, text []byte) {
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "/testdata/") {
			return
		}
		set := token.NewFileSet()
		f, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{name: name, room: path.Dir(name), text: text, ast: f, set: set})
	})
	return all
}

func rooms() map[string]room {
	all := map[string]room{}
	for _, r := range plan {
		all[r.path] = r
	}
	return all
}

// allows tells whether code, or a test, in the room may import what lies at the path.
func (r room) allows(imported string, test bool) bool {
	own, isOwn := strings.CutPrefix(imported, module+"/")
	if isOwn {
		sees := strings.Fields(r.sees)
		if test {
			sees = slices.Concat(sees, strings.Fields(r.tests), kits, []string{strings.TrimPrefix(r.path, "internal/")})
		}
		return slices.Contains(sees, strings.TrimPrefix(own, "internal/"))
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return test || !slices.Contains(pure, r.path) || imported == "net/url" || !below(imported, impure)
	}
	needs := strings.Fields(r.needs)
	if test {
		needs = append(needs, strings.Fields(testOutside)...)
	}
	return slices.ContainsFunc(needs, func(n string) bool { return below(imported, outside[n]) })
}

func below(imported string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return imported == root || strings.HasPrefix(imported, root+"/") })
}

func TestEveryImportIsInThePlan(t *testing.T) {
	planned := rooms()
	for _, s := range sources(t) {
		r, ok := planned[s.room]
		if !ok {
			if s.name != "internal/house_test.go" {
				t.Errorf("%s: the room %s is not in the plan; add it to the table in internal/house_test.go, or put the file elsewhere", s.name, s.room)
			}
			continue
		}
		for _, spec := range s.ast.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !r.allows(imported, s.test()) {
				t.Errorf("%s: %s may not import %s: see the table in internal/house_test.go", s.at(spec.Pos()), s.room, imported)
			}
		}
	}
}

func TestThePlanHasNoEmptyRooms(t *testing.T) {
	empty := rooms()
	for _, s := range sources(t) {
		delete(empty, s.room)
	}
	for _, name := range slices.Sorted(maps.Keys(empty)) {
		t.Errorf("%s is in the plan but not in the house", name)
	}
	for _, r := range plan {
		for seen := range strings.FieldsSeq(r.sees + " " + r.tests) {
			if slices.Contains(kits, seen) && !slices.Contains(kits, strings.TrimPrefix(r.path, "internal/")) {
				t.Errorf("the plan lets %s see %s, which is for tests", r.path, seen)
			}
		}
		for name := range strings.FieldsSeq(r.needs) {
			if outside[name] == nil {
				t.Errorf("the plan says that %s needs %s, which outside does not name", r.path, name)
			}
		}
	}
}

func TestEveryPackageHasOnePackageDoc(t *testing.T) {
	docs := map[string][]string{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		with := docs[s.room]
		if strings.TrimSpace(s.ast.Doc.Text()) != "" {
			with = append(with, s.name)
		}
		docs[s.room] = with
	}
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		if with := docs[name]; len(with) != 1 {
			t.Errorf("%s has %d package docs, not one: %v", name, len(with), with)
		}
	}
}

const (
	maxFile     = 500
	maxFunction = 80
	maxDaemon   = 50 // lines of a daemon's main package
)

func TestFilesAndFunctionsAreSmall(t *testing.T) {
	for _, s := range sources(t) {
		if n := s.lines(); n > maxFile {
			t.Errorf("%s has %d lines, more than %d", s.name, n, maxFile)
		}
		if s.test() {
			continue
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > maxFunction {
				t.Errorf("%s: %s has %d lines, more than %d", s.at(f.Pos()), f.Name.Name, n, maxFunction)
			}
		}
	}
}

func TestDaemonMainsAreThin(t *testing.T) {
	lines := map[string]int{}
	for _, s := range sources(t) {
		if !s.test() {
			lines[s.room] += s.lines()
		}
	}
	for _, daemon := range []string{"cmd/collector", "cmd/analyzer", "cmd/notifier"} {
		if n := lines[daemon]; n > maxDaemon {
			t.Errorf("%s has %d lines, more than %d", daemon, n, maxDaemon)
		}
	}
}

// tags calls each with the tag of every field of every struct.
func tags(t *testing.T, each func(s source, f *ast.Field, tag reflect.StructTag)) {
	t.Helper()
	for _, s := range sources(t) {
		ast.Inspect(s.ast, func(n ast.Node) bool {
			f, ok := n.(*ast.Field)
			if !ok || f.Tag == nil {
				return true
			}
			tag, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			each(s, f, reflect.StructTag(tag))
			return true
		})
	}
}

// An envconfig tag would make a variable's bare name, without our prefix, count as well.
func TestNoFieldHasAnEnvconfigTag(t *testing.T) {
	tags(t, func(s source, f *ast.Field, tag reflect.StructTag) {
		if _, bad := tag.Lookup("envconfig"); bad {
			t.Errorf("%s: an envconfig tag; use env", s.at(f.Pos()))
		}
	})
}

// The compose file has a NATS server of its own, without users, and nobody's data but that server's.
func TestComposePassesEveryVariableOn(t *testing.T) {
	compose, err := os.ReadFile("../deploy/docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	tags(t, func(s source, f *ast.Field, tag reflect.StructTag) {
		name := tag.Get("env")
		if name == "" || s.test() || s.room == "cmd/bellbuoy" || strings.HasPrefix(name, "NATS_") {
			return
		}
		if !strings.Contains(string(compose), " BELLBUOY_"+name+":") {
			t.Errorf("%s: deploy/docker-compose.yml does not pass BELLBUOY_%s on", s.at(f.Pos()), name)
		}
	})
}

// machinePath finds directories that exist on one developer's machine only.
var machinePath = regexp.MustCompile(`(^|[^\w./-])/(` + `work|root|home/\w+|Users/\w+|tmp/team` + `)/`)

func TestNothingNamesOneMachinesPaths(t *testing.T) {
	files(t, func(name string, text []byte) {
		if name == "internal/house_test.go" {
			return
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := machinePath.FindString(line); m != "" {
				t.Errorf("%s:%d: names %s, a path of one machine", name, i+1, strings.TrimSpace(m))
			}
		}
	})
}

// requirements lists the modules that go.mod requires directly.
func requirements(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var direct []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		switch {
		case len(fields) > 0 && fields[0] == "replace":
			t.Errorf("go.mod has a replace: %s", line)
		case len(fields) == 2 && strings.HasPrefix(fields[1], "v") && strings.Contains(fields[0], "/"):
			direct = append(direct, fields[0])
		}
	}
	return direct
}

func TestEveryDirectDependencyIsArguedFor(t *testing.T) {
	text, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	var argued []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(string(text), -1) {
		argued = append(argued, m[1])
	}
	required := requirements(t)
	for _, m := range required {
		if !slices.Contains(argued, m) {
			t.Errorf("go.mod requires %s, which docs/dependencies.md does not argue for", m)
		}
	}
	for _, m := range argued {
		if !slices.Contains(required, m) {
			t.Errorf("docs/dependencies.md argues for %s, which go.mod does not require directly", m)
		}
	}
}

func TestDaemonsDoNotLinkTheServerOrTheKits(t *testing.T) {
	list := func(of ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps"}, of...)...)
		cmd.Dir = ".."
		var problems strings.Builder
		cmd.Stderr = &problems
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list -deps %v: %v\n%s", of, err, problems.String())
		}
		return string(out)
	}
	daemons := list("./cmd/collector", "./cmd/analyzer", "./cmd/notifier")
	if strings.Contains(daemons, "github.com/nats-io/nats-server") {
		t.Error("a daemon links the NATS server, which belongs to bellbuoy up alone")
	}
	all := daemons + list("./cmd/bellbuoy")
	for _, kit := range kits {
		if strings.Contains(all, module+"/internal/"+kit+"\n") {
			t.Errorf("a binary links internal/%s, which is for tests", kit)
		}
	}
	if strings.Contains(all, "\ntesting\n") {
		t.Error("a binary links the package testing")
	}
}
