package analyzer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/breaker"
	"github.com/bellbuoy/bellbuoy/internal/bus"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/finding"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// noticeEvery is how often an analyzer looks whether something is wrong with Bellbuoy itself; at the streams only with
// every finding.Repeat.
const noticeEvery = 10 * time.Second

// allAnalyzers says what every analyzer sees alike, so that any of them can say that it is over.
const allAnalyzers = "the analyzers"

// noticing is what an analyzer notices of Bellbuoy itself, and says to all analyzers.
type noticing struct {
	every  time.Duration // between two looks; 0: noticeEvery
	shared *finding.Teller
	spent  *finding.Teller // as shared, looked at more often
	model  *finding.Teller // as spent
	looked time.Time       // at the streams
	failed bool
	name   string // of the model
}

func newNoticing(b *bus.Bus, model string) *noticing {
	return &noticing{
		shared: finding.NewTeller(b, allAnalyzers),
		spent:  finding.NewTeller(b, allAnalyzers),
		model:  finding.NewTeller(b, allAnalyzers),
		name:   model,
		looked: time.Now(), // a minute is time enough for what is just starting
	}
}

// notice says what is wrong with Bellbuoy itself as far as an analyzer can see it.
func (a *Analyzer) notice(ctx context.Context) error {
	every := a.noticing.every
	if every == 0 {
		every = noticeEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			a.noticeStep(ctx, now)
		}
	}
}

func (a *Analyzer) noticeStep(ctx context.Context, now time.Time) {
	n := a.noticing
	err := errors.Join(a.noticeModel(ctx, now), a.noticeBudgets(ctx, now))
	if now.Sub(n.looked) >= finding.Repeat {
		n.looked = now
		err = errors.Join(err, a.noticeStreams(ctx, now))
	}
	if err != nil && !n.failed && ctx.Err() == nil {
		a.log.Warn("what is wrong with Bellbuoy itself cannot be told meanwhile", "error", err)
	}
	n.failed = err != nil
}

// noticeModel tells of a model that is of no use to any analyzer.
func (a *Analyzer) noticeModel(ctx context.Context, now time.Time) error {
	if a.guard == nil {
		return nil
	}
	s, _, err := a.guard.read(ctx)
	if err != nil {
		return err
	}
	name := a.noticing.name
	return a.noticing.model.Tell(ctx, now, unavailable(name, s, now, a.rules.For(schema.OwnCluster, modelObject(name), nil).ModelUnavailable))
}

func (a *Analyzer) noticeBudgets(ctx context.Context, now time.Time) error {
	if a.ledger == nil {
		return nil
	}
	firing, err := a.ledger.findings(ctx)
	if err != nil {
		return err
	}
	return a.noticing.spent.Tell(ctx, now, firing)
}

func (a *Analyzer) noticeStreams(ctx context.Context, now time.Time) error {
	_, ahead, err := a.bus.Roll(ctx)
	if err != nil {
		return err
	}
	rules := a.rules.For(schema.OwnCluster, schema.Object{}, nil)
	died, err := a.bus.Deaths(ctx, now.Add(ahead-rules.DeadLetters.Clear))
	if err != nil {
		return err
	}
	fills, err := a.bus.Fills(ctx)
	if err != nil {
		return err
	}
	var firing []schema.Finding
	for _, d := range died {
		firing = append(firing, letters(d, rules.DeadLetters))
	}
	for _, f := range fills {
		o := schema.Object{Kind: schema.KindStream, Name: f.Stream}
		if said, full := filled(f, rules.StoreFull, a.noticing.shared.Said(o, schema.StoreFull)); full {
			firing = append(firing, said)
		}
	}
	return a.noticing.shared.Tell(ctx, now, firing)
}

// letters tells of what was given up lately.
func letters(d bus.Died, r detect.LettersRule) schema.Finding {
	count := fmt.Sprint(d.Count)
	if d.More {
		count = "more than " + count
	}
	return schema.Finding{
		Object: schema.Object{Kind: schema.KindDead, Name: d.Who}, Condition: schema.DeadLetters, Severity: schema.SeverityWarning, Since: d.First,
		Title: fmt.Sprintf("%s gave up what could not be handled", d.Who),
		Facts: []string{
			fmt.Sprintf("%s in %s", count, r.Clear), "the last at " + d.Last.Format("15:04:05 UTC") + ": " + cut(d.Reason),
		},
	}
}

// cut leaves room for what stands before it.
func cut(s string) string {
	const most = schema.MaxFindingText / 2
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}

// filled tells whether a stream is nearly full; one that was said to be stays so until it is a good deal less.
func filled(f bus.Fill, r detect.StoreRule, said bool) (schema.Finding, bool) {
	percent := 100 * float64(f.Bytes) / float64(f.Limit)
	if percent < r.Under || percent < r.Over && !said {
		return schema.Finding{}, false
	}
	severity := schema.SeverityWarning
	if percent >= r.Worse {
		severity = schema.SeverityCritical
	}
	return schema.Finding{
		Object: schema.Object{Kind: schema.KindStream, Name: f.Stream}, Condition: schema.StoreFull, Severity: severity,
		Title: fmt.Sprintf("stream %s is %.0f%% full", f.Stream, percent),
		Facts: []string{fmt.Sprintf("%.1f of %.1f MB", float64(f.Bytes)/1e6, float64(f.Limit)/1e6)},
	}, true
}

func modelObject(name string) schema.Object {
	return schema.Object{Kind: schema.KindModel, Name: name}
}

// unavailable tells of a model of which no call has gone well for a while, whoever made them.
func unavailable(name string, s breaker.State, now time.Time, r detect.ModelRule) []schema.Finding {
	if s.Failed == 0 || s.Failed < r.Calls || now.Sub(s.Since) < r.Hold {
		return nil
	}
	return []schema.Finding{{
		Object: modelObject(name), Condition: schema.ModelUnavailable, Severity: schema.SeverityWarning, Since: s.Since,
		Title: fmt.Sprintf("model %s: no call goes well any more", name),
		Facts: []string{fmt.Sprintf("%d in a row failed", s.Failed), "the last: " + cut(s.Why)},
	}}
}
