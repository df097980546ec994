package notifier_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/channel/channeltest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/notifier"
	"github.com/bellbuoy/bellbuoy/internal/pace"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// answering is a receiver that answers as status says at the time.
func answering(t *testing.T, status int) (*receiver, *atomic.Int64) {
	t.Helper()
	now := new(atomic.Int64)
	now.Store(int64(status))
	return newReceiver(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(int(now.Load())) }), now
}

// retry asks the notifier that runs.
func retry(t *testing.T, b *bus.Bus, channelName, id string) (client.RetryResponse, error) {
	t.Helper()
	return client.New(b).RetryPost(t.Context(), client.RetryRequest{Channel: channelName, ID: id})
}

func toldOf(t *testing.T, b *bus.Bus, id string) client.ChannelTold {
	t.Helper()
	got, err := client.New(b).Told(t.Context(), id)
	if err != nil || len(got.Channels) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	return got.Channels[0]
}

func letters(t *testing.T, b *bus.Bus) []bus.Letter {
	t.Helper()
	page, _, _, err := b.Letters(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestAPostThatWasGivenUpIsPostedWhenAPersonAsks(t *testing.T) {
	b := bustest.New(t)
	r, status := answering(t, http.StatusUnprocessableEntity)
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	settled(t, b)
	if l := letters(t, b); len(l) != 1 || l[0].Who != "webhook" {
		t.Fatalf("letters %+v", l)
	}

	got, err := retry(t, b, "webhook", c.ID)
	if err != nil || got.Outcome != client.RetryFailed || !strings.Contains(got.Reason, "422") {
		t.Errorf("while it still refuses: %+v, %v", got, err)
	}
	if told := toldOf(t, b, c.ID); told.GaveUp != 1 || told.Revision != 0 || len(letters(t, b)) != 1 {
		t.Errorf("afterwards %+v and %d letters; want it given up, and the one letter", told, len(letters(t, b)))
	}

	status.Store(http.StatusServiceUnavailable)
	got, err = retry(t, b, "webhook", c.ID)
	if err != nil || got.Outcome != client.RetryFailed || !strings.Contains(got.Reason, "503") {
		t.Errorf("while it is down: %+v, %v", got, err)
	}
	if told := toldOf(t, b, c.ID); told.GaveUp != 1 || told.Revision != 0 {
		t.Errorf("afterwards %+v", told)
	}

	status.Store(http.StatusOK)
	got, err = retry(t, b, "webhook", c.ID)
	if diff := cmp.Diff(client.RetryResponse{Outcome: client.RetryPosted, Kinds: schema.EventOpened}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if told := toldOf(t, b, c.ID); told.GaveUp != 0 || told.Revision != 1 || told.Problem != "" {
		t.Errorf("afterwards %+v", told)
	}
	posts := len(r.all())
	got, err = retry(t, b, "webhook", c.ID)
	if err != nil || got.Outcome != client.RetryNothing || len(r.all()) != posts {
		t.Errorf("once more: %+v, %v, %d posts after %d", got, err, len(r.all()), posts)
	}
}

func TestARetryTellsTheNewestStateWithAllThatWasMissed(t *testing.T) {
	b := bustest.New(t)
	r, status := answering(t, http.StatusUnprocessableEntity)
	bustest.Start(t, open(t, b, r, notifier.NotifyOn, nil).Part().Run)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	settled(t, b)
	c = channeltest.Add(c, schema.EventWorsened)
	store(t, b, c)
	settled(t, b)
	status.Store(http.StatusOK)
	if got, err := retry(t, b, "webhook", c.ID); err != nil || got.Outcome != client.RetryPosted {
		t.Fatalf("%+v, %v", got, err)
	}
	all := r.all()
	if diff := cmp.Diff(ids(c), all[len(all)-1].events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestARetryThatGoesThroughBringsBackATargetThatIsGone(t *testing.T) {
	b := bustest.New(t)
	ch, gone := chatGone()
	n := withChat(t, b, nil, ch)
	c := channeltest.Opened("checkout")
	if wait, err := chatStep(t, n, b, c); wait == 0 || !errors.Is(err, channel.ErrGone) || !n.Breaker("chat").Gone() {
		t.Fatalf("wait %s, %v, %+v", wait, err, n.Breaker("chat"))
	}
	got, err := n.Retry(t.Context(), "chat", c)
	if err != nil || got.Outcome != client.RetryFailed || !strings.Contains(got.Reason, "gone") || !n.Breaker("chat").Gone() {
		t.Errorf("while it is gone: %+v, %v, %+v", got, err, n.Breaker("chat"))
	}
	gone.Store(false)
	if got, err = n.Retry(t.Context(), "chat", c); err != nil || got.Outcome != client.RetryPosted {
		t.Errorf("%+v, %v", got, err)
	}
	if s := n.Breaker("chat"); s.Gone() {
		t.Errorf("the target is %+v", s)
	}
}

// chatGone is a chat that is gone for good until gone is taken back.
func chatGone() (c *chat, gone *atomic.Bool) {
	gone = new(atomic.Bool)
	gone.Store(true)
	return newChat(func(channel.Post, int) error {
		if gone.Load() {
			return fmt.Errorf("410 Gone: %w", channel.ErrGone)
		}
		return nil
	}), gone
}

func TestARetryOfACardPostsItsThreadToo(t *testing.T) {
	b := bustest.New(t)
	refuses := new(atomic.Bool)
	ch := newChat(func(channel.Post, int) error {
		if refuses.Load() {
			return channel.ErrRefused
		}
		return nil
	})
	n := withChat(t, b, nil, ch)
	c := channeltest.Opened("checkout")
	mustStep(t, n, b, c)
	refuses.Store(true)
	c = channeltest.Add(c, schema.EventDiagnosed)
	mustStep(t, n, b, c)
	if l := letters(t, b); len(l) != 1 || l[0].Who != "chat" {
		t.Fatalf("letters %+v", l)
	}
	if got, err := n.Retry(t.Context(), "chat", c); err != nil || got.Outcome != client.RetryFailed {
		t.Errorf("while it refuses: %+v, %v", got, err)
	}
	refuses.Store(false)
	got, err := n.Retry(t.Context(), "chat", c)
	if diff := cmp.Diff(client.RetryResponse{Outcome: client.RetryPosted, Kinds: "card, thread"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"card 1", "edit 2", "line 2"}, ch.how()); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	if got, err = n.Retry(t.Context(), "chat", c); err != nil || got.Outcome != client.RetryNothing {
		t.Errorf("once more: %+v, %v", got, err)
	}
}

func TestARetryLeavesWhatSomebodyElseIsPosting(t *testing.T) {
	b := bustest.New(t)
	var n *notifier.Notifier
	c := channeltest.Opened("checkout")
	var inside client.RetryResponse
	var insideErr error
	ch := newChat(func(channel.Post, int) error {
		inside, insideErr = n.Retry(t.Context(), "chat", c)
		return nil
	})
	n = withChat(t, b, nil, ch)
	store(t, b, c)
	if _, err := n.StepOf(t.Context(), "chat", nudge(t, c)); err != nil {
		t.Fatal(err)
	}
	if insideErr != nil || inside.Outcome != client.RetryFailed || !strings.Contains(inside.Reason, "somebody else is posting") {
		t.Errorf("%+v, %v", inside, insideErr)
	}
}

func TestNothingIsRetriedInShadowOrThroughWhatIsNoChannel(t *testing.T) {
	b := bustest.New(t)
	r, _ := answering(t, http.StatusOK)
	bustest.Start(t, open(t, b, r, notifier.NotifyShadow, nil).Part().Run)
	c := channeltest.Opened("checkout")
	store(t, b, c)
	settled(t, b)
	for name, says := range map[string]string{"webhook": "BELLBUOY_NOTIFY is shadow", "slack": `no channel is called "slack"`} {
		if _, err := retry(t, b, name, c.ID); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
	}
	if _, err := retry(t, b, "webhook", "x"); err == nil || !strings.Contains(err.Error(), "whole id") {
		t.Errorf("no id: %v", err)
	}
	if len(r.all()) != 0 {
		t.Errorf("posted %v", r.keys())
	}
}

func TestARetryOfAConversationThatIsGoneTellsNothing(t *testing.T) {
	b := bustest.New(t)
	r, _ := answering(t, http.StatusOK)
	n := open(t, b, r, notifier.NotifyOn, nil)
	bustest.Start(t, n.Part().Run)
	got, err := retry(t, b, "webhook", "0123456789abcdef")
	for errors.Is(err, bus.ErrNobody) { // it is starting
		got, err = retry(t, b, "webhook", "0123456789abcdef")
	}
	if err != nil || got.Outcome != client.RetryNothing {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheServiceSaysHowTheChannelsAre(t *testing.T) {
	for name, c := range map[string]struct {
		mode   string
		status int
		header string
		want   client.ChannelsResponse
		says   string
	}{
		"well":    {notifier.NotifyOn, http.StatusOK, "", client.ChannelsResponse{Channels: []client.Channel{{Channel: "webhook", Kind: "webhook", State: client.ChannelOK}}}, "ok"},
		"shadow":  {notifier.NotifyShadow, http.StatusOK, "", client.ChannelsResponse{Shadow: true, Channels: []client.Channel{{Channel: "webhook", Kind: "webhook", State: client.ChannelOK}}}, "ok"},
		"pausing": {notifier.NotifyOn, http.StatusTooManyRequests, "300", client.ChannelsResponse{Channels: []client.Channel{{Channel: "webhook", Kind: "webhook", State: client.ChannelPausing, Waiting: 1}}}, "pausing until"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bustest.New(t)
			r := newReceiver(t, func(_ int, w http.ResponseWriter) {
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
			})
			bustest.Start(t, open(t, b, r, c.mode, nil).Part().Run)
			store(t, b, channeltest.Opened("checkout"))
			var got client.ChannelsResponse
			until(t, func() bool {
				var err error
				got, err = client.New(b).Channels(t.Context())
				return err == nil && len(got.Channels) == 1 && got.Channels[0].State == c.want.Channels[0].State && got.Channels[0].Waiting == c.want.Channels[0].Waiting
			})
			if text := got.Channels[0].Text; !strings.HasPrefix(text, c.says) {
				t.Errorf("text %q, want %q", text, c.says)
			}
			got.Channels[0].Text = ""
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("channels (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheStateOfATargetIsSaidInWords(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for want, s := range map[string]pace.State{
		"ok | ok":                        {},
		"ok | ok, though it failed once": {Failures: 1, Since: now},
		"open | breaker open until 12:01:00 UTC, after 6 failures since 12:00:00 UTC: refused":          {Failures: 6, Since: now, Problem: "refused", Trips: 1, OpenUntil: now.Add(time.Minute)},
		"open | breaker open until its probe is answered, after 6 failures since 12:00:00 UTC: refused": {Failures: 6, Since: now, Problem: "refused", Trips: 1, OpenUntil: now},
		"pausing | pausing until 12:00:30 UTC, as its receiver asked":                                   {NotBefore: now.Add(30 * time.Second)},
		"ok | ok, once it paused":             {NotBefore: now.Add(-time.Second)},
		"gone | gone since 12:00:00 UTC: 410": {GoneAt: now, Problem: "410"},
	} {
		state, text := notifier.ConditionOf(s, now)
		if got := state + " | " + text; !strings.HasPrefix(want, got) {
			t.Errorf("%+v is %q, want %q", s, got, want)
		}
	}
}

func TestWhoMayOnlyAskTriesNothingAgain(t *testing.T) {
	s := routedBy(t, "people:\n  - {name: Anna, role: responder, nats: anna}\n")
	bustest.Start(t, s.notifier.Part().Run)
	c := channeltest.Opened("checkout")
	store(t, s.bus, c)
	s.ops.next(t)
	_, err := retry(t, s.bus, "ops", c.ID)
	if told, ok := errors.AsType[*bus.APIError](err); !ok || told.Code != bus.CodeForbidden || !strings.Contains(told.Message, "Anna may") {
		t.Errorf("a claim may retry: %v", err)
	}
	if got := len(s.ops.all()); got != 1 {
		t.Errorf("%d posts, want the one", got)
	}
}
