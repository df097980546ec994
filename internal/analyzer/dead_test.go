package analyzer_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellbuoy/bellbuoy/internal/analyzer"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/bus/bustest"
	"github.com/bellbuoy/bellbuoy/internal/client"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/e2e"
	"github.com/bellbuoy/bellbuoy/internal/llm"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// buried stores a dead letter and gives its id.
func buried(t *testing.T, b *bus.Bus, who string, d bus.DeadLetter) string {
	t.Helper()
	if d.Reason == "" {
		d.Reason = "nobody took it"
	}
	if err := b.Dead(t.Context(), who, d); err != nil {
		t.Fatal(err)
	}
	page, _, _, err := b.Letters(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	return json.Number(mustJSON(t, page[0].ID)).String()
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDeadLettersAreListedByWhatTheyAreAbout(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	id, sub := e2e.CheckoutID("prod"), q.bus.Subjects()
	buried(t, q.bus, "webhook", bus.DeadLetter{Subject: sub.Alert("prod", "critical", id), Seq: 1, Body: []byte(`{"a":1}`)})
	buried(t, q.bus, "webhook", bus.DeadLetter{Body: []byte("digest")})
	buried(t, q.bus, "analyzer", bus.DeadLetter{Consumer: bus.Diagnose, Subject: sub.Alert("prod", "critical", id), Seq: 2})
	buried(t, q.bus, "analyzer", bus.DeadLetter{Consumer: bus.Hear, Subject: sub.Replies(id), Seq: 3, Body: []byte("why?")})
	buried(t, q.bus, "analyzer", bus.DeadLetter{Consumer: bus.Watch, Subject: sub.Context("east"), Seq: 4})
	buried(t, q.bus, "analyzer", bus.DeadLetter{Consumer: bus.WatchFindings, Subject: sub.Finding("east"), Seq: 5})
	last := buried(t, q.bus, "analyzer", bus.DeadLetter{Subject: "a.b", Reason: strings.Repeat("long ", 400), Seq: 6, Body: []byte("password=hunter2 \x1b[31m")})

	var got [][2]string
	for before, more := uint64(0), true; more; {
		page, err := q.Dead(t.Context(), client.DeadRequest{Limit: 3, Before: before})
		if err != nil || page.Total != 7 || len(page.Letters) == 0 {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, l := range page.Letters {
			got = append(got, [2]string{l.Kind, l.About})
			if l.Body != nil || len(l.Reason) > 500 || l.At.IsZero() || l.Who == "" {
				t.Errorf("listed %+v", l)
			}
			before = l.ID
		}
		more = page.More
	}
	want := [][2]string{
		{client.DeadOther, "message on a.b"},
		{client.DeadFinding, "finding about east"},
		{client.DeadSnapshot, "snapshot of east"},
		{client.DeadReply, "reply to prod/shop/checkout"},
		{client.DeadAlert, "diagnose of prod/shop/checkout"},
		{client.DeadDigest, "digest for webhook"},
		{client.DeadPost, "post to webhook about prod/shop/checkout"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
	l, err := q.Letter(t.Context(), last)
	if err != nil || len(l.Reason) < 1900 || l.Body == nil || strings.Contains(*l.Body, "hunter2") || l.SHA256 == "" || l.Size != 22 {
		t.Errorf("whole: %+v, %v", l, err)
	}
	for ref, says := range map[string]string{"x": "is no id", "0": "is no id", "-1": "is no id", "99": "there is no dead letter 99"} {
		_, err := q.Letter(t.Context(), ref)
		refusedWith(t, err, says)
	}
	_, err = q.Dead(t.Context(), client.DeadRequest{Limit: -1})
	refusedWith(t, err, "limit is a count")
}

func TestAReplyThatWasGivenUpIsHeardAgainAndItsLetterGoes(t *testing.T) {
	q := newQuietStack(t)
	q.fail(t)
	q.await(t, "the opening", func(schema.Conversation) bool { return true })
	body := mustJSON(t, schema.Reply{Schema: schema.ReplyVersion, Author: schema.Author{Name: "ada"}, Text: "ack"})
	id := buried(t, q.bus, "analyzer", bus.DeadLetter{Consumer: bus.Hear, Subject: q.bus.Subjects().Replies(e2e.CheckoutID("prod")), Seq: 9, Body: []byte(body)})
	r, err := q.Retry(t.Context(), id)
	if err != nil || r.Outcome != client.RetryStored || r.Kept != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	q.await(t, "the acknowledgement", func(c schema.Conversation) bool { return c.State == schema.StateAcknowledged && c.Owner == "ada" })
	_, err = q.Letter(t.Context(), id)
	refusedWith(t, err, "there is no dead letter")
}

func TestAFindingThatWasGivenUpIsFoundAgain(t *testing.T) {
	q := newQuietStack(t)
	f := schema.Finding{
		Schema: schema.FindingVersion, Cluster: "prod", Object: schema.Object{Kind: "backup", Name: "nightly"}, Condition: "backup_old", Severity: schema.SeverityWarning,
		Title: "no backup", Source: "cron", Firing: true,
	}
	id := buried(t, q.bus, "analyzer", bus.DeadLetter{Consumer: bus.WatchFindings, Subject: q.bus.Subjects().Finding("prod"), Seq: 9, Body: []byte(mustJSON(t, f))})
	if r, err := q.Retry(t.Context(), id); err != nil || r.Outcome != client.RetryStored {
		t.Fatalf("%+v, %v", r, err)
	}
	bustest.Settled(t, q.bus)
	if c, err := q.Get(t.Context(), "backup/nightly"); err != nil || c.Condition != "backup_old" || c.Closed() {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestASnapshotThatWasGivenUpIsTakenUnlessANewerOneHasCome(t *testing.T) {
	q := newQuietStack(t)
	sub := q.bus.Subjects()
	body := []byte(mustJSON(t, e2e.Snapshot("east", 0, 1)))
	seq, err := q.bus.Publish(t.Context(), sub.Context("east"), body, "")
	if err != nil {
		t.Fatal(err)
	}
	letter := bus.DeadLetter{Consumer: bus.Watch, Subject: sub.Context("east"), Seq: seq, Body: body}
	id := buried(t, q.bus, "analyzer", letter)
	if r, err := q.Retry(t.Context(), id); err != nil || r.Outcome != client.RetryStored {
		t.Fatalf("%+v, %v", r, err)
	}
	if m, err := q.bus.LastContext(t.Context(), "east"); err != nil || m.Seq <= seq || string(m.Data) != string(body) {
		t.Errorf("newest at %d after %d, %v", m.Seq, seq, err)
	}
	letter.Reason = "another time"
	letter.Seq = seq - 1 // stored before what is there now
	id = buried(t, q.bus, "analyzer", letter)
	_, err = q.Retry(t.Context(), id)
	refusedWith(t, err, "a newer snapshot of that cluster has come")
	if _, err := q.Letter(t.Context(), id); err != nil {
		t.Errorf("its letter is gone: %v", err)
	}
}

func TestWhatIsNotWholeOrNoMessageIsNotTriedAgain(t *testing.T) {
	s := bustest.Server(t)
	e2e.StartAnalyzer(t, s, llm.Config{})
	b := s.Connect(t)
	sub, c, id := b.Subjects(), client.New(b), e2e.CheckoutID("prod")
	_, err := c.Dead(t.Context(), client.DeadRequest{})
	for errors.Is(err, bus.ErrNobody) { // it is starting
		_, err = c.Dead(t.Context(), client.DeadRequest{})
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		who    string
		letter bus.DeadLetter
		says   string
	}{
		"redacted":  {"analyzer", bus.DeadLetter{Consumer: bus.Hear, Subject: sub.Replies(id), Body: []byte("password=hunter2hunter2")}, "secrets were taken out"},
		"cut":       {"analyzer", bus.DeadLetter{Consumer: bus.Hear, Subject: sub.Replies(id), Body: []byte(strings.Repeat("x", 70_000))}, "only the beginning of its 70000 bytes"},
		"not-utf-8": {"analyzer", bus.DeadLetter{Consumer: bus.Hear, Subject: sub.Replies(id), Body: []byte("x\xff")}, "not what it was"},
		"an-alert":  {"analyzer", bus.DeadLetter{Consumer: bus.Diagnose, Subject: sub.Alert("prod", "critical", id), Body: []byte("{}")}, "an event is not stored twice"},
		"a-digest":  {"webhook", bus.DeadLetter{Body: []byte("{}")}, "what a digest told of"},
		"other":     {"analyzer", bus.DeadLetter{Subject: "a.b", Body: []byte("{}")}, "nobody knows what it was"},
	} {
		t.Run(name, func(t *testing.T) {
			ref := buried(t, b, x.who, x.letter)
			_, err := c.Retry(t.Context(), ref)
			refusedWith(t, err, x.says)
			if _, err := c.Letter(t.Context(), ref); err != nil {
				t.Errorf("its letter is gone: %v", err)
			}
		})
	}
}

func TestTheFindingOfDeadLettersEndsOnceTheyAreDropped(t *testing.T) {
	s := bustest.Server(t)
	notice, b := noticer(t, s, llm.Config{}), s.Connect(t)
	notice(0)
	ids := []string{
		buried(t, b, "webhook", bus.DeadLetter{Reason: "refused", Subject: "x", Seq: 1}),
		buried(t, b, "webhook", bus.DeadLetter{Reason: "refused", Subject: "x", Seq: 2}),
	}
	notice(time.Second)
	about := own(schema.KindDead, "webhook")
	if c := head(t, b, schema.OwnCluster, about); c.Condition != detect.DeadLetters || c.Closed() {
		t.Fatalf("%s, closed %v", c.Condition, c.Closed())
	}
	c := client.New(b)
	for i, id := range ids {
		if l, err := c.Drop(t.Context(), id); err != nil || l.Reason != "refused" {
			t.Fatalf("%+v, %v", l, err)
		}
		notice(time.Duration(i+2) * time.Second)
		if c := head(t, b, schema.OwnCluster, about); c.Closed() != (i == 1) {
			t.Errorf("after %d of 2 are dropped, closed %v", i+1, c.Closed())
		}
	}
	_, err := c.Drop(t.Context(), ids[0])
	refusedWith(t, err, "there is no dead letter")
}

// Whoever may not delete can try again all the same, and is told that the letter stays.
func TestARetryByWhoMayNotDeleteLeavesTheLetter(t *testing.T) {
	url := bustest.Raw(t, `jetstream { store_dir: "`+t.TempDir()+`" }, max_payload: 8MB, authorization { users [
		{ user: all, password: p }
		{ user: some, password: p, permissions: { publish: { deny: ["$JS.API.STREAM.MSG.DELETE.>"] } } } ] }`)
	connect := func(user string) *bus.Bus {
		t.Helper()
		b, err := bus.Connect(t.Context(), bus.Options{URL: strings.Replace(url, "://", "://"+user+":p@", 1), Name: "test", Log: bustest.Log(t)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(b.Close)
		return b
	}
	b, person := connect("all"), client.New(connect("some"))
	if err := b.Setup(t.Context(), bus.Setup{}); err != nil {
		t.Fatal(err)
	}
	a, err := analyzer.New(analyzer.Config{Calls: analyzer.Calls{Concurrency: 4}}, b, bustest.Log(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	bustest.Start(t, a.Part().Run)
	id := buried(t, b, "analyzer", bus.DeadLetter{Consumer: bus.Hear, Subject: b.Subjects().Replies(e2e.CheckoutID("prod")), Seq: 9, Body: []byte("ack")})
	r, err := person.Retry(t.Context(), id)
	for errors.Is(err, bus.ErrNobody) { // it is starting
		r, err = person.Retry(t.Context(), id)
	}
	if err != nil || r.Outcome != client.RetryStored || !strings.Contains(r.Kept, "$JS.API.STREAM.MSG.DELETE.DEAD") {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := person.Letter(t.Context(), id); err != nil {
		t.Errorf("the letter is gone: %v", err)
	}
	if _, err := person.Drop(t.Context(), id); !errors.Is(err, bus.ErrDenied) {
		t.Errorf("dropped: %v", err)
	}
}
