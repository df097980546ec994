package drill

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Test says how to try out what runs. Its zero value, with who and where, is what people get.
type Test struct {
	Channel string        // the one whose receipt counts; empty: all there are
	Keep    time.Duration // how long the incident stays open; 0: DefaultKeep
	Within  time.Duration // how long each thing may take that is waited for; 0: DefaultWithin
	By      string        // who tests
	Host    string        // from where
	// Interval lies between the snapshots; 0: a second. An incident opens after one of them and closes after four.
	Interval time.Duration
}

// Defaults of a Test.
const (
	DefaultKeep   = time.Minute
	DefaultWithin = 10 * time.Second
)

// Kinds of Step, in their order.
const (
	StepStored = "stored" // the first snapshot is with the server
	StepOpened = "opened" // an incident was made of it
	StepTold   = "told"   // a channel has it; several, or none
	StepKept   = "kept"   // it stays open
	StepClosed = "closed" // it is over; what follows is told of its end
)

// Step is one thing that happened in a test.
type Step struct {
	Kind         string `json:"step"`
	Millis       int64  `json:"ms"` // since the test began
	Conversation string `json:"conversation,omitempty"`
	Channel      string `json:"channel,omitempty"`
	Text         string `json:"text"` // for people
}

// lookAgain is the pause between two looks at what the channels were told: the error of their times.
const lookAgain = 20 * time.Millisecond

// Run makes up a service that goes down, on a cluster of its own, waits until every channel, or the one asked for, has
// been told, and makes it well again after Keep or as soon as ctx is done. say gets every step as it happens. What the
// test opened it closes, whatever failed before. Its error names what did not happen, and why.
func (o Test) Run(ctx context.Context, b *bus.Bus, say func(Step)) error {
	o.Keep, o.Within, o.Interval = cmp.Or(o.Keep, DefaultKeep), cmp.Or(o.Within, DefaultWithin), cmp.Or(o.Interval, time.Second)
	name := strings.ToLower(rand.Text()[:6])
	t := &trial{
		Test: o, client: client.New(b), say: say, began: time.Now(),
		name: "test-" + name, cluster: schema.TestCluster + name,
	}
	t.id = schema.ConversationID(t.cluster, t.object())
	t.player = NewPlayer(b, t.cluster, o.Interval)
	if err := t.ready(ctx); err != nil {
		return err
	}
	return t.run(ctx)
}

// trial is a Test that runs.
type trial struct {
	Test
	client  *client.Client
	player  *Player
	say     func(Step)
	began   time.Time
	name    string
	cluster string
	id      string
	open    bool // the incident was seen
}

func (t *trial) object() schema.Object { return schema.Object{Kind: schema.KindService, Name: t.name} }

func (t *trial) tell(s Step) {
	s.Millis, s.Conversation = time.Since(t.began).Milliseconds(), t.id
	t.say(s)
}

// ready makes sure that an analyzer and a notifier run, and that the channel exists, before anything is made up.
func (t *trial) ready(ctx context.Context) error {
	if _, err := t.client.List(ctx, client.ListRequest{Limit: 1}); err != nil {
		return err
	}
	told, err := t.client.Told(ctx, t.id)
	if err != nil {
		return err
	}
	if t.Channel == "" || slices.ContainsFunc(told.Channels, func(c client.ChannelTold) bool { return c.Channel == t.Channel }) {
		return nil
	}
	return fmt.Errorf("there is no channel %q: configured are %s", t.Channel, names(told.Channels))
}

func names(channels []client.ChannelTold) string {
	var all []string
	for _, c := range channels {
		all = append(all, c.Channel)
	}
	return cmp.Or(strings.Join(all, ", "), "none")
}

func (t *trial) run(ctx context.Context) error {
	failing, stop := context.WithCancel(ctx)
	defer stop()
	playing := make(chan error, 1)
	stored := false
	go func() {
		playing <- t.player.Play(failing, t.down, func(uint64) bool {
			if !stored {
				stored = true
				t.tell(Step{Kind: StepStored, Text: "the first snapshot is stored; one more has to say the same"})
			}
			return false
		})
	}()
	err := t.opened(ctx)
	if err == nil {
		err = t.told(ctx)
	}
	if err == nil {
		t.keep(ctx)
	}
	stop()
	if played := <-playing; played != nil && !errors.Is(played, context.Canceled) && ctx.Err() == nil {
		err = errors.Join(err, played)
	}
	return errors.Join(err, t.close(ctx))
}

func (t *trial) down(time.Time) schema.ClusterContext { return t.scene(0) }

func (t *trial) well(time.Time) schema.ClusterContext { return t.scene(1) }

// scene is the made-up cluster. Whoever gets the card must see who made it up.
func (t *trial) scene(running int) schema.ClusterContext {
	who := fmt.Sprintf("by %s from %s", cmp.Or(t.By, "somebody"), cmp.Or(t.Host, "somewhere"))
	s := schema.ServiceSummary{
		Name: t.name, Runtime: "test", ReplicasRunning: new(running), ReplicasDesired: new(1), Status: schema.ServiceHealthy,
		RestartsTotal: new(int64(0)), ErrorsTotal: new(int64(0)), Labels: map[string]string{"bellbuoy.test": who},
	}
	if running == 0 {
		s.Status = schema.ServiceStopped
		s.RecentLogs = []string{"error: this is a test " + who + "; nothing is broken"}
	}
	return schema.ClusterContext{Source: schema.SourceTest, Services: []schema.ServiceSummary{s}}
}

// opened waits for the incident.
func (t *trial) opened(ctx context.Context) error {
	c, err := t.await(ctx, func(c schema.Conversation) bool { return !c.Closed() })
	if err != nil {
		return fmt.Errorf("wait for an incident to be made of the snapshots: %w: the analyzer's log may say why", t.reason(err))
	}
	t.open = true
	t.tell(Step{Kind: StepOpened, Text: "incident opened: " + c.Title})
	return nil
}

// reason says in words that a wait took too long.
func (t *trial) reason(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("none came within %v", t.Within)
	}
	return err
}

func (t *trial) await(ctx context.Context, done func(schema.Conversation) bool) (schema.Conversation, error) {
	ctx, cancel := context.WithTimeout(ctx, t.Within)
	defer cancel()
	return t.client.Await(ctx, t.cluster, t.id, done)
}

// told waits until the channels have been told of the opening.
func (t *trial) told(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.Within)
	defer cancel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	said := map[string]bool{}
	var open *client.ChannelTold // as it was when last asked
	for {
		now, err := t.client.Told(ctx, t.id)
		switch {
		case ctx.Err() != nil:
			return t.late(ctx, open)
		case err != nil:
			return err
		case len(now.Channels) == 0:
			t.tell(Step{Kind: StepTold, Text: "no channel is configured: only the terminal of bellbuoy up tells (set BELLBUOY_WEBHOOK_URL)"})
			return nil
		}
		if open, err = t.look(now.Channels, said); err != nil || open == nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return t.late(ctx, open)
		}
	}
}

// look tells of the channels that have been told, and gives one that has not and one that never will.
func (t *trial) look(channels []client.ChannelTold, said map[string]bool) (open *client.ChannelTold, failed error) {
	for _, c := range channels {
		counts := t.Channel == "" || c.Channel == t.Channel
		switch {
		case c.Revision > 0 && !said[c.Channel]:
			said[c.Channel] = true
			t.tell(Step{Kind: StepTold, Channel: c.Channel, Text: toldText(c, counts)})
		case c.Revision > 0 || !counts:
		case c.GaveUp > 0:
			failed = errors.Join(failed, fmt.Errorf("channel %s failed: its receiver refuses the message for good: %s", c.Channel, c.Problem))
		default:
			open = &c
		}
	}
	return open, failed
}

func toldText(c client.ChannelTold, counts bool) string {
	text := c.Channel + " has been told"
	if c.Shadow {
		text = c.Channel + " would have been told: BELLBUOY_NOTIFY is shadow, so nothing is sent"
	}
	if !counts {
		text += ", though you asked for another: every channel is told"
	}
	return text
}

// late says which channel has not been reached, and why.
func (t *trial) late(ctx context.Context, open *client.ChannelTold) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("stopped before the channels were told: %w", context.Cause(ctx))
	}
	if open == nil {
		return fmt.Errorf("no notifier said within %v what the channels were told", t.Within)
	}
	why := "nothing was tried; the notifier's log may say more"
	if open.Problem != "" {
		why = fmt.Sprintf("%d tries in vain, the last because: %s", open.Attempts, open.Problem)
		if open.Attempts == 0 {
			why = open.Problem
		}
	}
	return fmt.Errorf("channel %s failed: not reached within %v: %s", open.Channel, t.Within, why)
}

// keep leaves the incident open for people to look at.
func (t *trial) keep(ctx context.Context) {
	t.tell(Step{Kind: StepKept, Text: fmt.Sprintf("stays open for %v, to look at; Ctrl-C ends it now", t.Keep)})
	timer := time.NewTimer(t.Keep)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// close makes the service well and waits until the rules see it, also when ctx is done: nothing is left open. If no
// incident came about, none does any more.
func (t *trial) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.Within+clearIntervals*t.Interval)
	defer cancel()
	if !t.open { // what comes late is found well for as long as closing takes
		played := 0
		err := t.player.Play(ctx, t.well, func(uint64) bool { played++; return played > clearIntervals })
		_, left := t.player.Publish(ctx, t.goodbye)
		return errors.Join(err, left)
	}
	playing, stop := context.WithCancel(ctx)
	defer stop()
	played := 0
	ended := make(chan error, 1)
	go func() {
		ended <- t.player.Play(playing, t.well, func(uint64) bool { played++; return played > 2*clearIntervals })
	}()
	c, err := t.client.Await(ctx, t.cluster, t.id, func(c schema.Conversation) bool { return c.Closed() })
	stop()
	if err = errors.Join(err, playProblem(<-ended)); err != nil {
		return fmt.Errorf("the incident %s was not closed: %w: bellbuoy dismiss %s closes it", t.id, err, t.id)
	}
	t.tell(Step{Kind: StepClosed, Text: fmt.Sprintf("closed as %s; the channels are being told", c.ClosedAs)})
	_, err = t.player.Publish(ctx, t.goodbye)
	return err
}

// goodbye is the last scene, so that nobody waits for another.
func (t *trial) goodbye(time.Time) schema.ClusterContext {
	s := t.scene(1)
	s.Goodbye = true
	return s
}

// clearIntervals is at least as many intervals as the rules want to see a service run before they call it well.
const clearIntervals = 6

// playProblem is nil for a play that was stopped.
func playProblem(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
