package diagnose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/diagnose"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// looked is a look-up at the object's lines, as an analyzer has it.
func looked(kind, name string, lines ...string) diagnose.Looked {
	o := schema.Object{Kind: schema.KindService, Namespace: "shop", Name: name}
	l := diagnose.Looked{Asked: schema.Inspection{Schema: schema.InspectionVersion, Cluster: "prod", Kind: kind, Object: o}}
	l.Result = &schema.InspectionResult{Cluster: "prod", Kind: kind, Object: o, At: at("08:05:00"), Source: "docker"}
	for i, text := range lines {
		l.Result.Lines = append(l.Result.Lines, schema.InspectedLine{At: at("08:04:00").Add(time.Duration(i) * time.Second), From: "shop-" + name + "-1", Text: text})
	}
	return l
}

func failed(kind, name, problem string) diagnose.Looked {
	l := looked(kind, name)
	l.Result, l.Problem = nil, problem
	return l
}

func TestLookupIsTheAnswerWithoutAModel(t *testing.T) {
	tests := []struct {
		name, question string
		looks          []diagnose.Looked
		says, not      []string
	}{
		{
			"logs", "logs of db",
			[]diagnose.Looked{looked("logs", "db", "ready", "FATAL: disk full")},
			[]string{"Looked up at 08:05:00 UTC: logs of shop/db:\nL1 08:04:00 UTC shop-db-1 “ready”\nL2 08:04:01 UTC shop-db-1 “FATAL: disk full”"},
			[]string{"lookup db: no such host", "Likely", "frozen evidence"},
		},
		{
			"status-and-why", "why is db not running",
			[]diagnose.Looked{looked("status", "db", "state exited")},
			[]string{"L1 08:04:00 UTC shop-db-1 “state exited”", "Likely: db is not running"},
			[]string{"Now: shop/db"},
		},
		{
			"nobody-there", "logs of db",
			[]diagnose.Looked{failed("logs", "db", "nobody answered within 3 s")},
			[]string{"Not looked up: logs of shop/db; nobody answered within 3 s: the answer is from the frozen evidence.", "E8 log of shop/checkout"},
			[]string{"Looked up at"},
		},
		{
			"one-of-two", "logs of db and cache",
			[]diagnose.Looked{looked("logs", "db", "ready"), failed("logs", "cache", "too busy")},
			[]string{"L1 08:04:00 UTC shop-db-1 “ready”", "Not looked up: logs of shop/cache; too busy"},
			nil,
		},
		{
			"same-reason-once", "is db the cause?",
			[]diagnose.Looked{failed("status", "db", "nobody answered within 3 s"), failed("logs", "db", "nobody answered within 3 s")},
			[]string{"Not looked up: status of shop/db, logs of shop/db; nobody answered within 3 s"},
			nil,
		},
		{"nothing-there", "events of db", []diagnose.Looked{looked("events", "db")}, []string{"Looked up at 08:05:00 UTC: events of shop/db."}, []string{"E6"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, s := incident()
			got := diagnose.AnswerByRules(c, &s, schema.Message{Content: tt.question}, tt.looks...)
			for _, want := range tt.says {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in:\n%s", want, got)
				}
			}
			for _, no := range tt.not {
				if strings.Contains(got, no) {
					t.Errorf("%q has no place in:\n%s", no, got)
				}
			}
		})
	}
}

func many(n int, text string) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("%d %s", i, text))
	}
	return all
}

func TestLookupKeepsItsNewestLinesWithinBounds(t *testing.T) {
	c, s := incident()
	for _, text := range []string{strings.Repeat("x", 390), strings.Repeat("<", 390), "short"} {
		l := looked("logs", "db", many(40, text)...)
		l.Result.Omitted = map[string]int{schema.OmittedLines: 40}
		looks := []diagnose.Looked{l, looked("status", "db", many(40, text)...), failed("events", "db", "too busy"), looked("logs", "cache", "ready")}
		answers := map[string]string{
			"rules": diagnose.AnswerByRules(c, &s, schema.Message{Content: "logs of db"}, looks...),
			"model": diagnose.WithLooked(strings.Repeat("a", 4000), looks),
		}
		for by, got := range answers {
			encoded, _ := json.Marshal(got)
			if len(encoded) > 10_400 || !strings.Contains(got, "L40 ") && text == "short" || !strings.Contains(got, "too busy") {
				t.Errorf("by %s: %d bytes of %q…", by, len(encoded), got[:60])
			}
		}
		p := diagnose.QuestionPrompt(c, &s, schema.Message{Content: "logs of db"}, looks...)
		if tokens := (len(p.System) + len(p.User)) / 3; tokens > diagnose.MaxPromptTokens {
			t.Errorf("about %d tokens", tokens)
		}
		for _, want := range []string{`"id":"E1"`, `"id":"E10"`, `"id":"L40"`, `"id":"L81"`, `"omitted":{"lines":40}`, `"left_out":`, "too busy"} {
			if !strings.Contains(p.User, want) && (text != "short" || want != `"left_out":`) {
				t.Errorf("%s is missing of:\n%s", want, p.User)
			}
		}
	}
}

func TestModelsAnswerShowsTheLinesThatItCites(t *testing.T) {
	looks := []diagnose.Looked{looked("logs", "db", many(20, "line")...)}
	got := diagnose.WithLooked("The disk is full (L3), says db.", looks)
	if !strings.Contains(got, "L3 08:04:02 UTC shop-db-1 “2 line”") || strings.Contains(got, "L20") || !strings.Contains(got, "1 of at least 20 lines") {
		t.Errorf("cited:\n%s", got)
	}
	got = diagnose.WithLooked("All is well.", looks)
	if !strings.Contains(got, "L20 ") || !strings.Contains(got, "L16 ") || strings.Contains(got, "L15 ") {
		t.Errorf("nothing cited:\n%s", got)
	}
	if got := diagnose.WithLooked("All is well.", nil); got != "All is well." {
		t.Errorf("nothing looked up: %q", got)
	}
}

func TestHostileLinesStayDataAndChangeNothingBeforeThem(t *testing.T) {
	c, s := incident()
	question := schema.Message{ID: "q", Content: "logs of db"}
	plain := diagnose.QuestionPrompt(c, &s, question)
	for _, payload := range payloads() {
		l := looked("logs", "db", payload, "password=hunter2hunter2 "+payload)
		l.Result.Note, l.Result.Lines[0].From = payload, payload
		p := diagnose.QuestionPrompt(c, &s, question, l)
		fences(t, p)
		_, second, _ := strings.Cut(p.User[1:], "\nDATA ")
		p.User = "DATA " + second
		fences(t, p)
		p = diagnose.QuestionPrompt(c, &s, question, l)
		first, _, _ := strings.Cut(plain.User, "\nThe operator's question")
		if !strings.HasPrefix(p.User, first) || p.System != plain.System {
			t.Errorf("%q changed what stands before it", payload)
		}
		answer := diagnose.AnswerByRules(c, &s, question, l)
		for _, text := range []string{p.User, answer} {
			if strings.Contains(text, "hunter2") || strings.ContainsAny(text, "\x00\x1b\u202e\U000E0041") {
				t.Errorf("%q came through in:\n%s", payload, text)
			}
		}
		if n := strings.Count(answer, "\n"); n > 3 { // the heading, two lines, and how it was in the snapshot
			t.Errorf("%q makes %d lines of:\n%s", payload, n+1, answer)
		}
	}
}

func TestIdenticalLookupsGiveAnIdenticalPrompt(t *testing.T) {
	c, s := incident()
	ask := func() string {
		l := looked("logs", "db", many(40, "line")...)
		l.Result.Omitted = map[string]int{schema.OmittedLines: 4, schema.OmittedCut: 2}
		return diagnose.QuestionPrompt(c, &s, schema.Message{Content: "logs of db"}, l).User
	}
	first := ask()
	for range 20 {
		if ask() != first {
			t.Fatal("two prompts of the same differ")
		}
	}
}
