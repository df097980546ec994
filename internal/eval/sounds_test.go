package eval_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/slack"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/config"
	"github.com/bellbuoy/bellbuoy/internal/eval"
	"github.com/bellbuoy/bellbuoy/internal/replay"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// maxSounds is how often an incident may be heard of that neither gets worse nor goes unanswered.
const maxSounds = 2

// ears are who hears what a channel posts.
type ears struct {
	name    string
	channel channel.Channel
	hears   func(channel.Post) bool
	told    map[string]channel.Told // by conversation
	heard   map[string]*incident    // by conversation and episode
	order   []string                // of those
	owns    map[string]bool         // conversations of which something was heard that nobody has answered yet
	worse   int                     // sounds that an incident got worse with, or that nobody answered it
}

// incident is what was heard of one.
type incident struct {
	object string
	free   int      // sounds that count
	all    []string // the events that sounded
}

func listening(name string, ch channel.Channel, hears func(channel.Post) bool) *ears {
	return &ears{name: name, channel: ch, hears: hears, told: map[string]channel.Told{}, heard: map[string]*incident{}, owns: map[string]bool{}}
}

func loud(p channel.Post) bool { return p.Sound > channel.Quietly }

// follow posts what the channel has to say of a step, as the notifier would, and listens.
func (e *ears) follow(t *testing.T, c schema.Conversation) {
	t.Helper()
	for range 4 {
		told := e.told[c.ID]
		p, ok := e.channel.Next(c, told, channel.Terms{Mention: "<!here>"})
		if !ok {
			return
		}
		if e.hears(p) {
			e.hear(&c, before(told, p))
		}
		e.told[c.ID] = channel.Told{
			Revision: p.Revision, Lines: max(told.Lines, p.Lines), Episode: c.Episode, Ref: cmp.Or(p.Ref, p.Key), At: c.UpdatedAt,
		}
	}
	t.Errorf("%s: %s says more and more of %s", e.name, c.ID, c.Object)
}

// before is the newest revision that was told before the post, which may be lines below a card that has changed already.
func before(told channel.Told, p channel.Post) int {
	if p.Revision == told.Revision {
		return told.Lines
	}
	return told.Revision
}

// hear notes a sound. What gets worse, and what nobody answers, may be heard again.
func (e *ears) hear(c *schema.Conversation, told int) {
	key := fmt.Sprintf("%s-%d", c.ID, c.Episode)
	x := e.heard[key]
	if x == nil {
		x = &incident{object: c.Cluster + "/" + c.Object.String()}
		e.heard[key], e.order = x, append(e.order, key)
	}
	var kinds []string
	for _, m := range channel.After(*c, told) {
		kinds = append(kinds, m.Kind)
	}
	x.all = append(x.all, c.UpdatedAt.UTC().Format("15:04:05 ")+strings.Join(kinds, " and "))
	e.owns[c.ID] = true
	if slices.Contains(kinds, schema.EventWorsened) || slices.Contains(kinds, schema.EventEscalated) {
		e.worse++
		return
	}
	x.free++
}

// answers is a person who has whatever they have just heard of.
func (e *ears) answers(c schema.Conversation) (r schema.Reply, said bool) {
	heard := e.owns[c.ID]
	delete(e.owns, c.ID)
	return schema.Reply{Verb: "ack", Author: schema.Author{Name: "anna"}}, heard && !c.Closed() && c.Owner == ""
}

// tooLoud lists the incidents that were heard of too often.
func (e *ears) tooLoud(scenario string) []string {
	var all []string
	for _, key := range e.order {
		if x := e.heard[key]; x.free > maxSounds {
			all = append(all, fmt.Sprintf("%s: %s: %s was heard of at %s", scenario, e.name, x.object, strings.Join(x.all, ", ")))
		}
	}
	return all
}

func (e *ears) sounds() (n int) {
	for _, x := range e.heard {
		n += len(x.all)
	}
	return n
}

func hook(t *testing.T, format, key string) channel.Channel {
	t.Helper()
	cfg := webhook.Config{Format: format}
	cfg.URL, cfg.Key = "http://127.0.0.1/", config.Secret(key)
	ch, err := webhook.New(cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func slackChannel(t *testing.T) channel.Channel {
	t.Helper()
	ch, err := slack.New("chat", slack.Config{BotToken: "xoxb-test", Channel: "#ops"})
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// families are a channel of each kind of sounds.
func families(t *testing.T, hears func(channel.Post) bool) []*ears {
	t.Helper()
	return []*ears{
		listening("chat", slackChannel(t), hears),
		listening("pager", hook(t, webhook.FormatPagerDuty, "key"), hears),
		listening("native", hook(t, webhook.FormatNative, ""), hears),
	}
}

// course plays a scenario into every family's ears. Where somebody answers, it is who hears the first of them.
func course(t *testing.T, s *eval.Scenario, all []*ears, answered bool) {
	t.Helper()
	dry := replay.Dry{Recording: s.Played()}
	dry.Kept = func(c schema.Conversation, _ *schema.ClusterContext) {
		for _, e := range all {
			e.follow(t, c)
		}
	}
	if answered {
		dry.Says = all[0].answers
	}
	if _, err := dry.Run(t.Context(), func(replay.Entry) {}); err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
}

// tally is what a family heard over the whole library.
type tally struct{ incidents, sounds, worse int }

// Each scenario is played twice: to people of whom nobody answers, and to one who has whatever they hear of.
func TestAnIncidentIsHeardOfTwiceAtMost(t *testing.T) {
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered=%v", answered), func(t *testing.T) {
			totals := map[string]tally{}
			names := []string{}
			for _, s := range heard(t) {
				ears := families(t, loud)
				names = names[:0]
				course(t, &s, ears, answered)
				for _, e := range ears {
					sum := totals[e.name]
					totals[e.name] = tally{sum.incidents + len(e.heard), sum.sounds + e.sounds(), sum.worse + e.worse}
					names = append(names, e.name)
					for _, wrong := range e.tooLoud(s.Name) {
						t.Error(wrong)
					}
				}
			}
			for _, name := range names {
				x := totals[name]
				t.Logf("%-6s %d incidents, %d sounds (%.2f per incident), %d of them because it got worse or nobody answered",
					name, x.incidents, x.sounds, float64(x.sounds)/float64(x.incidents), x.worse)
			}
		})
	}
}

// A table in which everything sounds is noticed, in every family.
func TestTooManySoundsAreNoticed(t *testing.T) {
	noticed := map[string]int{}
	for _, s := range heard(t) {
		ears := families(t, func(channel.Post) bool { return true })
		course(t, &s, ears, true)
		for _, e := range ears {
			noticed[e.name] += len(e.tooLoud(s.Name))
		}
	}
	for _, e := range families(t, loud) {
		if noticed[e.name] == 0 {
			t.Errorf("%s: every post sounds, and no scenario notices", e.name)
		}
	}
}
