package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/bellbuoy/bellbuoy/internal/channel/slack/socket"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Of many threads at once, what is said in each is stored in the order in which a connection brings it.
func TestWhatOneConnectionBringsOfAThreadIsStoredInOrder(t *testing.T) {
	const threads, each = 40, 25
	ch, err := New(Name, Config{BotToken: "xoxb-1", AppToken: "xapp-1", Channel: "C0OPS99", APIURL: "http://127.0.0.1:1/"})
	if err != nil {
		t.Fatal(err)
	}
	ch.people.put("U0ANNA", person{name: "Anna", zone: time.UTC, until: time.Now().Add(time.Hour)})
	var mu sync.Mutex
	got, want := map[string][]string{}, map[string][]string{}
	l := &listener{ch: ch, me: us, asides: new(errgroup.Group), hear: func(_ context.Context, r schema.Reply) error {
		mu.Lock()
		defer mu.Unlock()
		got[r.Conversation] = append(got[r.Conversation], r.Text)
		return nil
	}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var works, owed sync.WaitGroup
	for i := range l.lanes {
		l.lanes[i] = make(chan job, 1)
		works.Go(func() { l.work(ctx, l.lanes[i]) })
	}
	l.asides.SetLimit(0) // nobody is told anything
	for n := range each {
		for thread := range threads {
			id, root, text := fmt.Sprintf("%016x", thread), fmt.Sprintf("%d.0", thread), fmt.Sprint(n)
			ch.origins.put("C0OPS99:"+root, origin{conversation: id, episode: 1, channel: Name, card: true})
			body := fmt.Sprintf(`{"type":"event_callback","event":{"type":"message","channel":"C0OPS99","user":"U0ANNA","ts":"%d.%d","thread_ts":%q,"text":%q}}`, thread, n+1, root, text)
			want[id] = append(want[id], text)
			owed.Add(1)
			l.sort(ctx, socket.Envelope{ID: text, Type: "events_api", Payload: json.RawMessage(body)}, func(ack bool) error {
				defer owed.Done()
				if !ack {
					t.Errorf("%s of thread %d is not acknowledged", text, thread)
				}
				return nil
			})
		}
	}
	owed.Wait()
	stop()
	works.Wait()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-brought +stored):\n%s", diff)
	}
}
