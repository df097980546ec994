package conversation_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

var update = flag.Bool("update", false, "rewrite the scripts with what happens now; read the diff")

// TestScripts plays every story in testdata. A line that is not indented is an event:
//
//	12:00 found service_down critical unhealthy warning   all that the rules hold to be true
//	12:00 found service_down critical linking Runbook     with such links
//	12:00 well        12:00 removed                       nothing is true; the object has left the cluster
//	12:00 unjudged WHY                                    nothing is found, because the rules no longer look
//	12:00 said anna silence 2h                            a reply; in quotes, \n starts a new line
//	12:00 said vera ack [may only ask]                    a reply of somebody to whom verbs are denied
//	12:00 verdict gpt SUMMARY [=> COMMAND]                a model's diagnosis, for the one that is owed
//	12:00 failed WHY                                      the model's failure, for the first thing that is owed
//	12:00 answer TEXT                                     for the oldest question
//	12:00 woke                                            the deadline's clock
//	12:00 again                                           the event before, delivered a second time
//	12:00 hushed s1 14:00 anna WHY                        from now on a silence by scope covers it, or a window:NAME
//	12:00 forgotten ben                                   nobody needs it any more
//	12:00 lifted ben                                      none does any more
//
// A name before the event says whom it is about; without one it is shop/checkout. Such conversations fold:
//
//	12:00 db: found service_down critical explaining api web +3    so many victims; those that are open hand down what they have; ~web is not critical
//	12:00 api: found service_down critical because of db           a victim
//	12:00 api: found service_down critical quietly                 people heard of it as part of another one
//	12:00 db: said anna ack [to api]                               a reply to a folded conversation, in the one that explains it
//	12:00 api: said anna ack [goes on to db]                       the same in the folded one
//
// "day2 12:00" is a day later. The indented lines below an event are what it adds, then what the conversation is.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d scripts found, want at least 20 (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := gocmp.Diff(string(want), got); diff != "" && !*update {
				t.Errorf("story (-want +got):\n%s", diff)
			}
		})
	}
}

// play returns the script with what happens in it.
func play(t *testing.T, script string) string {
	t.Helper()
	var out strings.Builder
	p := player{talks: map[string]*talk{}}
	for text := range strings.Lines(script) {
		switch text = strings.TrimRight(text, "\n"); {
		case text == "" || strings.HasPrefix(text, "#"):
			fmt.Fprintln(&out, text)
		case !strings.HasPrefix(text, " "):
			fmt.Fprintln(&out, text)
			e := p.event(t, text)
			before := p.c
			var reason string
			p.c, reason = conversation.Next(p.c, e)
			out.WriteString(story(before, p.c, reason))
		}
	}
	return out.String()
}

// player reads events and numbers them as streams would.
type player struct {
	*talk
	talks map[string]*talk
	seq   uint64
	hush  *conversation.Silence // which covers what is found
}

// talk is one of the conversations of a story.
type talk struct {
	object schema.Object
	c      schema.Conversation
	newest conversation.Event
}

// about turns to the conversation that the line names, and gives what is left of the line.
func (p *player) about(rest string) string {
	name, event, named := strings.Cut(rest, ": ")
	if !named || strings.Contains(name, " ") {
		name, event = checkout.Name, rest
	}
	p.talk = p.of(name)
	return event
}

func (p *player) of(name string) *talk {
	if p.talks[name] == nil {
		p.talks[name] = &talk{object: named(name)}
	}
	return p.talks[name]
}

func (p *player) event(t *testing.T, text string) conversation.Event {
	t.Helper()
	at, rest := when(t, text)
	what, rest, _ := strings.Cut(p.about(rest), " ")
	p.seq++
	switch what {
	case "again":
	case "found", "well", "removed":
		p.newest = p.found(at, what == "removed", rest)
	case "forgotten":
		p.newest = conversation.Forgotten{At: at, By: schema.Author{Name: rest, Channel: "api"}}
	case "hushed", "lifted":
		p.newest = p.quieted(t, at, what, rest)
	case "unjudged":
		f := findingOf(p.object, at, p.seq, false)
		f.Unjudged = rest
		p.newest = f
	case "said":
		p.newest = p.said(at, rest)
	case "woke":
		p.newest = conversation.Woke{At: at, Calm: rest == "calm"}
	case "verdict", "failed", "unasked", "answer":
		p.newest = p.settled(t, at, what, rest)
	default:
		t.Fatalf("line %q: no event %q", text, what)
	}
	return p.newest
}

func (p *player) quieted(t *testing.T, at time.Time, what, rest string) conversation.Quieted {
	t.Helper()
	if p.hush = nil; what == "lifted" {
		return conversation.Quieted{At: at, By: rest}
	}
	id, rest, _ := strings.Cut(rest, " ")
	until, rest := when(t, rest)
	by, why, _ := strings.Cut(rest, " ")
	until = until.AddDate(0, 0, at.Day()-noon.Day()) // of the same day
	p.hush = &conversation.Silence{ID: id, Until: until, By: by, Why: why}
	if strings.HasPrefix(id, "window:") {
		p.hush.From = at
	}
	return conversation.Quieted{At: at, Silence: p.hush}
}

func (p *player) settled(t *testing.T, at time.Time, what, rest string) conversation.Settled {
	t.Helper()
	s := conversation.Settled{At: at, Usage: schema.Usage{Calls: 1, Tokens: 1000}}
	for _, task := range conversation.Owed(p.c) {
		if s.Task.Kind == "" && (what == "failed" || what == "unasked" || (task.Kind == conversation.TaskDiagnose) == (what == "verdict")) {
			s.Task = task
		}
	}
	if s.Task.Kind == "" { // too late: for what it was asked for
		s.Task = conversation.Task{Kind: conversation.TaskDiagnose, Message: p.c.ID + "-1"}
		if what == "answer" {
			s.Task.Kind = conversation.TaskAnswer
		}
	}
	switch what {
	case "verdict":
		model, summary, _ := strings.Cut(rest, " ")
		summary, command, _ := strings.Cut(summary, " => ")
		s.Diagnosis = &schema.Diagnosis{Summary: summary, Command: command, Source: model}
	case "answer":
		s.Answer = rest
	case "failed", "unasked":
		s.Failed, s.Unasked = rest, what == "unasked"
		if s.Unasked {
			s.Usage = schema.Usage{}
		}
	}
	return s
}

// when reads "12:00" or "day2 12:00" off the beginning of a line.
func when(t *testing.T, text string) (time.Time, string) {
	t.Helper()
	day := 1
	if strings.HasPrefix(text, "day") {
		if _, err := fmt.Sscanf(text, "day%d", &day); err != nil {
			t.Fatalf("line %q: %v", text, err)
		}
		_, text, _ = strings.Cut(text, " ")
	}
	clock, rest, _ := strings.Cut(text, " ")
	layout := "15:04"
	if strings.Count(clock, ":") == 2 {
		layout = "15:04:05"
	}
	at, err := time.Parse(layout, clock)
	if err != nil {
		t.Fatalf("line %q: %v", text, err)
	}
	return time.Date(2026, 11, 22+day, at.Hour(), at.Minute(), at.Second(), 0, time.UTC), rest
}

// linked lists the titles of c's links.
func linked(c schema.Conversation) string {
	var titles []string
	for _, l := range c.Links {
		titles = append(titles, l.Title)
	}
	return strings.Join(titles, " ")
}

// story tells what an event added and what the conversation is after it.
func story(before, c schema.Conversation, reason string) string {
	var b strings.Builder
	if reason != "" {
		return fmt.Sprintf("  nothing: %s\n", reason)
	}
	for _, m := range c.Messages[len(c.Messages)-(c.Revision-before.Revision):] {
		content, kind := strings.ReplaceAll(m.Content, "\n", "\n    "), m.Kind
		if m.Silent {
			kind += " (silent)"
		}
		fmt.Fprintf(&b, "  %s: %s\n", kind, content)
		if m.SuggestedCommand != "" {
			fmt.Fprintf(&b, "    $ %s\n", m.SuggestedCommand)
		}
	}
	fmt.Fprintf(&b, "  -> %s, %s", c.State, c.Severity)
	if c.Owner != "" && !c.Closed() {
		fmt.Fprintf(&b, ", owner %s", c.Owner)
	}
	if c.AffectedCount > 0 && c.AffectedCount != before.AffectedCount {
		fmt.Fprintf(&b, ", %d affected", c.AffectedCount)
	}
	if titles := linked(c); titles != linked(before) {
		fmt.Fprintf(&b, ", links %s", cmp.Or(titles, "none"))
	}
	if c.Episode > 1 {
		fmt.Fprintf(&b, ", episode %d", c.Episode)
	}
	if !c.WakeAt.IsZero() {
		fmt.Fprintf(&b, ", wakes %s", c.WakeAt.Format("2 Jan 15:04:05"))
	}
	for _, task := range conversation.Owed(c) {
		fmt.Fprintf(&b, ", owes %s for %s", task.Kind, strings.TrimPrefix(task.Message, c.ID+"-"))
	}
	return b.String() + "\n"
}
