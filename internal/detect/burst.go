package detect

import (
	"math"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// errorLog is what is remembered of the errors that a service logs. A service without it stood at 0, or at no more than
// the sum of an hour that is usual, when its count was last known.
type errorLog struct {
	Last    int64    `json:"last"`
	Rolling bool     `json:"rolling,omitempty"` // Last is a sum over the last hour, not a total
	Usual   bool     `json:"usual,omitempty"`   // the sum was high when it was first seen, and has been since
	From    int64    `json:"from,omitempty"`    // since when it has been watched, in Unix minutes
	Lines   []sample `json:"lines,omitempty"`   // what was logged: so many minutes after From, so many lines; oldest first
}

const (
	errorHour = 60 * time.Minute // whose mean a burst is measured by: the one before the burst's own minutes
	errorSlot = 5                // minutes that older lines are put together by

	maxHistories = 3000 // services whose lines are remembered at once, so that the memory fits into its record
)

// errorCount is the count to go by: the monotone total, or the rolling sum of a source that has no totals.
func errorCount(s *schema.ServiceSummary) (count int64, rolling, known bool) {
	switch {
	case s.ErrorsTotal != nil:
		return *s.ErrorsTotal, false, true
	case s.ErrorCount1h != nil:
		return *s.ErrorCount1h, true, true
	}
	return 0, false, false
}

func errorsKnown(s *schema.ServiceSummary) bool {
	_, _, known := errorCount(s)
	return known
}

// logsKnown says of which services the errors are known.
type logsKnown struct {
	which    uint64    // fingerprint of them
	same     bool      // exactly those were known before
	since    time.Time // since when
	read     time.Time // since when those of any service have been known
	counting time.Time // when the totals began
}

func (m *Memory) logs(s *schema.ClusterContext, t *tick) logsKnown {
	l := logsKnown{which: fingerprint(s.Services, errorsKnown), since: m.LoggedSince, counting: s.CountersSince.UTC()}
	l.same = !t.first && l.which == m.Logged
	if !l.same || t.gap < 0 {
		l.since = t.now
	}
	if l.read = m.LogsRead; l.which == 0 || l.read.IsZero() || t.gap < 0 {
		l.read = t.now
	}
	return l
}

func (t *tick) minute() int64 { return minuteOf(t.now) }

func minuteOf(at time.Time) int64 { return at.Unix() / 60 }

// log folds what a service says of its errors into what is remembered.
func (t *tick) log(was *errorLog, s *schema.ServiceSummary) *errorLog {
	value, rolling, known := errorCount(s)
	switch {
	case !known:
		return was
	case rolling:
		return t.logSum(was, value)
	case !t.logContinues(was, value):
		if value == 0 {
			return nil
		}
		return &errorLog{Last: value, From: t.minute()}
	case was == nil && value == 0, was != nil && value == was.Last && len(was.Lines) == 0:
		return was
	}
	now := errorLog{Last: value, From: minuteOf(t.watched(s))}
	grew := value
	if was != nil {
		now.From, grew = was.From, value-was.Last
		now.Lines = was.Lines
	}
	return t.logged(now, grew)
}

// logContinues tells whether a total can be compared with the one before. Where it cannot, counting starts anew.
func (t *tick) logContinues(was *errorLog, value int64) bool {
	switch {
	case t.gap < 0, t.anew:
		return false
	case was == nil:
		return t.logs.same
	}
	return !was.Rolling && value >= was.Last
}

// watched is since when a service of which nothing is remembered is known to have been there and to have logged no
// error: as long as the services whose errors are known are the same ones, or as long as one of its instances runs.
func (t *tick) watched(s *schema.ServiceSummary) time.Time {
	from := t.logs.since
	for _, i := range s.Instances {
		if !i.StartedAt.IsZero() && i.StartedAt.Before(from) {
			from = i.StartedAt
		}
	}
	for _, begin := range []time.Time{t.since, t.logs.read, t.logs.counting} {
		if from.Before(begin) {
			from = begin
		}
	}
	return from
}

// logged adds so many lines, and leaves out what is too old to matter or puts it together.
func (t *tick) logged(l errorLog, grew int64) *errorLog {
	now, within := t.minute(), int64((t.rules.ErrorBurst.Within+time.Minute-1)/time.Minute)
	from := max(l.From, now-within-int64(errorHour/time.Minute))
	var lines []sample
	add := func(minute, n int64) {
		last := len(lines) - 1
		switch offset := max(minute-from, 0); {
		case last >= 0 && (lines[last][0] == offset || minute < now-within && (lines[last][0]+from)/errorSlot == minute/errorSlot):
			lines[last][1] += n
		default:
			lines = append(lines, sample{offset, n})
		}
	}
	for _, x := range l.Lines {
		if at := x[0] + l.From; at >= from {
			add(at, x[1])
		}
	}
	if grew > 0 {
		add(t.loggedAt(within), grew)
	}
	l.From, l.Lines = from, lines
	return &l
}

// boundHistories forgets the lines of what is too many: those services begin to be watched anew.
func (t *tick) boundHistories(records []record) {
	n := 0
	for i := range records {
		e := records[i].Errors
		if e == nil || len(e.Lines) == 0 {
			continue
		}
		if n++; n > maxHistories {
			records[i].Errors = &errorLog{Last: e.Last, From: t.minute()}
		}
	}
}

// loggedAt is the minute of a growth that this snapshot shows: in the middle since the one before. After a long gap it
// lies before what counts for a burst: what was logged over hours is none.
func (t *tick) loggedAt(within int64) int64 {
	at := minuteOf(t.now.Add(-max(t.gap, 0) / 2))
	if t.gap > t.rules.ErrorBurst.Within {
		at = min(at, t.minute()-within-1)
	}
	return at
}

// logSum folds the rolling sum of a source without totals.
func (t *tick) logSum(was *errorLog, sum int64) *errorLog {
	if sum <= t.rules.ErrorBurst.PerHour {
		return nil
	}
	next := errorLog{Last: sum, Rolling: true, Usual: !t.logs.same || t.gap < 0}
	if was != nil {
		next.Usual = !was.Rolling || was.Usual
	}
	return &next
}

// lately is how many lines were logged in the last minutes, how many that would usually be, and for how long before
// now the service has been watched. Of the minute that the last ones begin in, a part counts by the clock.
func (l *errorLog) lately(now time.Time, within time.Duration) (lines int64, usual float64, watched time.Duration) {
	begin := now.Add(-within)
	edge, part := minuteOf(begin), float64(begin.Unix()%60)/60
	var recent, before float64
	for _, x := range l.Lines {
		switch minute, n := x[0]+l.From, float64(x[1]); {
		case minute > edge:
			recent += n
		case minute < edge:
			before += n
		default:
			recent += n * (1 - part)
			before += n * part
		}
	}
	span := min(time.Duration(edge-l.From)*time.Minute, errorHour)
	if span > 0 {
		usual = before * float64(within) / float64(span)
	}
	return int64(math.Round(recent)), usual, time.Duration(minuteOf(now)-l.From) * time.Minute
}

func (v *view) errors() *errorLog {
	if v.rec.Errors == nil {
		return &errorLog{From: minuteOf(v.t.now)}
	}
	return v.rec.Errors
}

func seeErrorBurst(v *view) sight {
	l := v.t.rules.ErrorBurst
	seen := sight{hold: l.Hold.Of(v.t.interval), clear: l.Clear.Of(v.t.interval), truth: no}
	if _, _, known := errorCount(v.svc); !known {
		return sight{why: "how many errors it logs is not known"}
	}
	e := v.rec.Errors
	if e == nil {
		return seen
	}
	if e.Rolling {
		seen.truth = truthOf(!e.Usual)
		if e.Usual {
			seen.why = "it has logged as much since it was first seen"
		}
		return seen
	}
	lines, usual, watched := e.lately(v.t.now, l.Within)
	switch {
	case v.condition.Firing:
		seen.truth = truthOf(lines > 0 && float64(lines) >= l.Ease*usual)
	case lines < l.Lines:
	case watched < l.History:
		seen.truth, seen.why = unknown, "it has been watched for less than "+span(l.History)
	default:
		seen.truth = truthOf(float64(lines) >= l.Times*usual)
	}
	return seen
}

// burst says how many lines were logged in how long.
func (v *view) burst() (text string, usual float64) {
	l, e := v.t.rules.ErrorBurst, v.errors()
	if e.Rolling {
		return plural(e.Last, "error") + " in " + span(errorHour), 0
	}
	lines, usual, _ := e.lately(v.t.now, l.Within)
	return plural(lines, "error") + " in " + span(l.Within), usual
}
