package slacktest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/slacktest"
)

func TestAnEventThatIsNotAcknowledgedIsToldAgain(t *testing.T) {
	s := start(t, slacktest.Options{})
	lis := listen(t, s)
	lis.set(true, nil)
	told := say(t, s, "hello?", "")[0]
	pressed, err := s.Press(slacktest.Anna, pressable(t, s), "ack")
	if err != nil {
		t.Fatal(err)
	}
	for n := 2; n <= 3; n++ {
		s.Expire()
		if told.Sent() != n {
			t.Errorf("told %d times, want %d", told.Sent(), n)
		}
	}
	if !pressed.Lost() || pressed.Acked(t.Context()) == nil || pressed.Sent() != 1 {
		t.Error("what was pressed and not acknowledged is not given up")
	}
	lis.await(t, socketmode.EventTypeEventsAPI, 6) // half of them about the bot's own message
	lis.set(false, nil)
	s.Expire()
	acked(t, told)
	events := lis.await(t, socketmode.EventTypeEventsAPI, 8)
	if last := events[len(events)-1].Request; last.RetryAttempt != 3 || last.RetryReason != "timeout" {
		t.Errorf("the last attempt is told as %d, %q", last.RetryAttempt, last.RetryReason)
	}
	lis.set(true, nil)
	given := say(t, s, "nobody?", "")[0]
	for range 4 {
		s.Expire()
	}
	if !given.Lost() || given.Sent() != 4 {
		t.Errorf("given up: %v after %d times, want after 4", given.Lost(), given.Sent())
	}
}

func pressable(t *testing.T, s *slacktest.Server) slacktest.Message {
	t.Helper()
	ts := post(t, s, "blocks", mustJSON(t, l{button(o{"action_id": "ack"})})).TS
	all := s.Messages("ops")
	return all[slices.IndexFunc(all, func(m slacktest.Message) bool { return m.TS == ts })]
}

func TestTimePassesByItselfAsWell(t *testing.T) {
	s := start(t, slacktest.Options{AckWithin: time.Millisecond, Retries: []time.Duration{time.Millisecond}})
	listen(t, s).set(true, nil)
	told := say(t, s, "hello?", "")[0]
	until(t, s, told.Lost)
	if told.Sent() != 4 {
		t.Errorf("told %d times, want 4", told.Sent())
	}
}

func TestWhatIsSentWhileNobodyListens(t *testing.T) {
	s := start(t, slacktest.Options{})
	if early := say(t, s, "early", "")[0]; !early.Lost() {
		t.Error("the app is told of what was said before it ever listened")
	}
	l := listen(t, s)
	m := pressable(t, s)
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Fault("apps.connections.open", 1, slacktest.Refuses("internal_error"))
	s.Drop()
	until(t, s, func() bool { return s.Connections() == 0 })
	told := say(t, s, "meanwhile", "")[0]
	pressed, err := s.Press(slacktest.Anna, m, "ack")
	if err != nil {
		t.Fatal(err)
	}
	if !pressed.Lost() {
		t.Error("what was pressed while nobody listened waits")
	}
	acked(t, told)
	if n := len(l.told(socketmode.EventTypeHello)); n != 2 {
		t.Errorf("%d hellos, want 2", n)
	}
}

func TestConnectionsComeAndGo(t *testing.T) {
	s := start(t, slacktest.Options{})
	first, second := listen(t, s), listen(t, s)
	for range 4 {
		acked(t, say(t, s, "x", "")[0])
	}
	for _, l := range []*listener{first, second} {
		if n := len(l.told(socketmode.EventTypeEventsAPI)); n != 2 {
			t.Errorf("a connection of two got %d of 4 events", n)
		}
	}
	first.set(true, nil)
	second.set(true, nil)
	one, two := say(t, s, "x", "")[0], say(t, s, "y", "")[0]
	first.set(false, nil)
	second.set(false, nil)
	s.Drop()
	s.Drop()
	acked(t, one)
	acked(t, two)
	until(t, s, func() bool { return s.Connections() == 2 })
	for _, reason := range []string{"warning", "refresh_requested"} {
		if !s.Disconnect(reason) || s.Connections() != 1 {
			t.Fatal("nobody was told to go")
		}
		acked(t, say(t, s, "meanwhile", "")[0])
		until(t, s, func() bool { return s.Connections() == 2 })
	}
}

func TestAnEleventhConnectionIsSentAway(t *testing.T) {
	s := start(t, slacktest.Options{})
	for range 10 {
		dial(t, s)
	}
	until(t, s, func() bool { return s.Connections() == 10 })
	_, frame, err := dial(t, s).ReadMessage()
	if err != nil || !strings.Contains(string(frame), `"too_many_websockets"`) {
		t.Errorf("told %s, %v", frame, err)
	}
	s.Disable()
	until(t, s, func() bool { return s.Connections() == 0 })
	if _, _, err := client(s, slack.OptionAppLevelToken(slacktest.AppToken)).StartSocketModeContext(t.Context()); err == nil || err.Error() != "link_disabled" {
		t.Errorf("opening one more: %v, want link_disabled", err)
	}
}

func TestAFrozenConnectionIsSilent(t *testing.T) {
	s := start(t, slacktest.Options{Ping: 10 * time.Millisecond})
	old := dial(t, s)
	until(t, s, func() bool { return s.Connections() == 1 })
	if !s.Freeze() {
		t.Fatal("nothing to freeze")
	}
	told := say(t, s, "hello?", "")[0]
	dial(t, s)
	until(t, s, func() bool { return s.Connections() == 2 })
	if told.Sent() != 1 {
		t.Errorf("told %d times, want once, to the frozen connection", told.Sent())
	}
	old.Close()
	until(t, s, func() bool { return told.Sent() == 2 })
}

func TestFramesThatMakeNoSense(t *testing.T) {
	s := start(t, slacktest.Options{})
	l := listen(t, s)
	d := s.Malformed(slacktest.Anna, "ops")
	acked(t, d)
	if n := len(l.told(socketmode.EventTypeErrorBadMessage)); n != 1 {
		t.Errorf("%d malformed messages, want 1", n)
	}
	s.Send("no JSON")
	acked(t, s.Event(map[string]any{"type": "tokens_revoked", "tokens": map[string]any{}}))
	if p := s.Problems(); p != nil {
		t.Errorf("problems %q of a client that did nothing wrong", p)
	}
	l.set(false, map[string]string{"text": "x"})
	say(t, s, "x", "")
	until(t, s, func() bool { return len(s.Problems()) == 1 })
	if err := l.AckCtx(t.Context(), "envelope-0", nil); err != nil {
		t.Fatal(err)
	}
	until(t, s, func() bool { return len(s.Problems()) == 2 })
}

func TestDisorderRepeatsWithItsSeedAndLosesNothing(t *testing.T) {
	order := func(seed uint64) (got []string) {
		s := start(t, slacktest.Options{})
		l := listen(t, s)
		s.Disorder(seed, slacktest.Disorder{Duplicates: 0.3, Reorders: 0.3})
		for i := range 30 {
			say(t, s, string(rune('a'+i)), "")
		}
		if err := s.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, e := range l.await(t, socketmode.EventTypeEventsAPI, 30) {
			got = append(got, e.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.MessageEvent).Text)
		}
		return got
	}
	first := order(1)
	if !slices.Equal(first, order(1)) {
		t.Error("the same seed brings another order")
	}
	unique := slices.Compact(slices.Sorted(slices.Values(first)))
	if len(unique) != 30 || len(first) <= 30 || slices.IsSorted(first) {
		t.Errorf("told %q, want all 30, some twice, some out of order", first)
	}
}

func TestADelayedDeliveryArrives(t *testing.T) {
	s := start(t, slacktest.Options{})
	listen(t, s)
	s.Disorder(1, slacktest.Disorder{Delay: time.Millisecond})
	for range 5 {
		say(t, s, "x", "")
	}
	if err := s.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
}
