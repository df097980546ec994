package replay

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/webhook"
	"github.com/bellbuoy/bellbuoy/internal/conversation"
	"github.com/bellbuoy/bellbuoy/internal/decide"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/link"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/silence"
)

// Dry is a replay through the analyzer's thinking alone.
type Dry struct {
	Recording
	Rules   *detect.Rules   // to judge by; nil: those as shipped
	Windows silence.Windows // of silence, by the times at which snapshots were taken
	Links   link.Templates  // of the file of rules
	Family  channel.Family  // whose sounds are counted
	All     bool            // also tell what was dropped, held, and changed nothing

	Look func(Standing) // is shown how things stand after each snapshot; nil: nobody wants to know

	// Kept is shown each new step of a conversation before its entries are, and the snapshot it was found in; nil: likewise.
	Kept func(schema.Conversation, *schema.ClusterContext)

	// Says is asked after each step whether somebody says something then, and what; nil: nobody ever does.
	Says func(schema.Conversation) (r schema.Reply, said bool)
}

// Summary is what a dry replay came to.
type Summary struct {
	Snapshots     int           `json:"snapshots"`
	Dropped       int           `json:"dropped"` // of them, as old, or another collector's
	Clusters      int           `json:"clusters"`
	Course        time.Duration `json:"-"`
	Seconds       float64       `json:"course_seconds"`
	Conversations int           `json:"conversations"`
	Events        int           `json:"events"`
	Posts         int           `json:"posts"`  // that a webhook would have got
	Sounds        int           `json:"sounds"` // of them, those that channels of the family are loud with
	Open          int           `json:"open"`   // conversations at the end
}

// Run plays the file and hands on each entry of the timeline, in order. Its error is that of the recording, or why ctx was
// done before the end.
func (d Dry) Run(ctx context.Context, say func(Entry)) (Summary, error) {
	hook, err := webhook.New(webhook.Config{URL: "http://127.0.0.1/"}, "dry") // is asked what it would post, and never posts
	if err != nil {
		return Summary{}, err
	}
	p := &player{
		dry: d, say: say, hook: hook, rules: d.rules(), memories: map[string]detect.Memory{}, talks: map[string]talk{}, looks: map[string]look{},
	}
	err = d.each(func(l line) error {
		p.take(l)
		return context.Cause(ctx)
	})
	return p.summary(), err
}

func (d Dry) rules() detect.Rules {
	if d.Rules == nil {
		return detect.Default()
	}
	return *d.Rules
}

// player keeps what an analyzer and a notifier would have stored.
type player struct {
	dry      Dry
	say      func(Entry)
	hook     channel.Channel
	rules    detect.Rules
	memories map[string]detect.Memory // by cluster
	talks    map[string]talk          // by id
	looks    map[string]look          // by cluster
	clock    clock
	heard    uint64 // replies
	sum      Summary
}

// talk is a conversation and who was told of it.
type talk struct {
	schema.Conversation
	told   channel.Told
	reason string // why nothing came of the newest found
}

// take decides one snapshot. Its sequence is the number of its line, and it is stored when its line comes.
func (p *player) take(l line) {
	s := l.snapshot
	p.pass(&l)
	s.Recorded = false // whoever judges a recording misses what it lacks
	defer func() { p.look(&s, p.clock.at(l.at)) }()
	p.sum.Snapshots++
	p.sum.Course = l.at
	step := decide.New(s, detect.Position{Seq: position(&l), At: p.clock.at(l.at), Played: s.StoredAt.IsZero() || l.snapshot.Recorded}, p.rules)
	step.Links = p.dry.Links
	next, result := step.Detect(p.memories[s.ClusterName])
	p.memories[s.ClusterName] = next
	here := Entry{Line: l.number, At: s.TakenAt, Cluster: s.ClusterName}
	if result.Dropped != "" {
		p.sum.Dropped++
		p.quietly(here.dropped(result.Dropped))
		return
	}
	if p.dry.All {
		p.explain(here, &step.Snapshot, next)
	}
	hush := decide.Hush{Snapshot: &step.Snapshot, Windows: p.dry.Windows, Now: s.TakenAt}
	for _, f := range step.Founds(p) {
		id := schema.ConversationID(f.Cluster, f.Object)
		was := p.talks[id]
		f.Silence = hush.Covering(f, was.Conversation)
		c, reason := step.Next(was.Conversation, f, func() string { return "" })
		p.fold(here, was, c, reason)
	}
}

// position is the sequence of a line.
func position(l *line) uint64 { return uint64(l.number) } //nolint:gosec // lines count from 1

// quietly says what is of interest only to who wants all.
func (p *player) quietly(e Entry) {
	if p.dry.All {
		p.say(e)
	}
}

// fold stores what became of a conversation and tells of it.
func (p *player) fold(here Entry, was talk, c schema.Conversation, reason string) {
	now := talk{Conversation: c, told: was.told, reason: reason}
	if c.Revision == was.Revision {
		if c.ID != "" {
			p.talks[c.ID] = now
			if reason != was.reason {
				p.quietly(here.unchanged(&c, reason))
			}
		}
		return
	}
	post, posted := p.hook.Next(c, was.told, channel.Terms{})
	if posted {
		p.sum.Posts++
		now.told = channel.Told{Revision: post.Revision, Episode: c.Episode, At: c.UpdatedAt}
	}
	p.talks[c.ID] = now
	if p.dry.Kept != nil {
		head := p.clock.heads[here.Cluster]
		p.dry.Kept(c, &head.snapshot)
	}
	events := c.Messages[max(0, len(c.Messages)-(c.Revision-was.Revision)):]
	loud := -1
	if posted {
		loud = loudest(p.dry.Family, c, channel.After(c, was.told.Revision), events)
	}
	if loud >= 0 {
		p.sum.Sounds++
	}
	for i := range events {
		p.sum.Events++
		e := here.event(&c, &events[i])
		e.Posted, e.Sound = posted, i == loud
		p.say(e)
	}
	p.hear(here, now)
}

// hear folds in what somebody says to what has just happened.
func (p *player) hear(here Entry, was talk) {
	if p.dry.Says == nil {
		return
	}
	r, said := p.dry.Says(was.Conversation)
	if !said {
		return
	}
	p.heard++
	c, reason := conversation.Next(was.Conversation, conversation.Said{At: was.UpdatedAt, Seq: p.heard, Reply: r})
	p.fold(here, was, c, reason)
}

// Live gives the conversations of a cluster that a snapshot without findings could change.
func (p *player) Live(cluster string) []schema.Conversation {
	var live []schema.Conversation
	for _, t := range p.talks {
		if t.Cluster == cluster && !decide.Resting(t.Conversation) {
			live = append(live, t.Conversation)
		}
	}
	slices.SortFunc(live, func(a, b schema.Conversation) int { return cmp.Compare(a.ID, b.ID) })
	return live
}

// Last gives a conversation as it stands.
func (p *player) Last(id string) (schema.Conversation, bool) {
	t, known := p.talks[id]
	return t.Conversation, known
}

func (p *player) summary() Summary {
	s := p.sum
	s.Clusters, s.Conversations, s.Seconds = len(p.memories), len(p.talks), s.Course.Seconds()
	for _, t := range p.talks {
		if !t.Closed() {
			s.Open++
		}
	}
	return s
}
