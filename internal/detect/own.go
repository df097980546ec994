package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// OwnRule is a condition of Bellbuoy itself that one of its parts finds and says. The part says how bad it is, warning or
// worse; what that is called is decided here, so that one file of rules is enough.
type OwnRule struct {
	Severity      string // empty: off
	WorseSeverity string // for what is said to be critical
}

// LettersRule raises when something was given up, and clears Clear after the last that was.
type LettersRule struct {
	OwnRule
	Clear time.Duration
}

// StoreRule raises when a stream holds Over percent of what it may, is worse at Worse, and clears below Under.
type StoreRule struct {
	OwnRule
	Over, Under, Worse float64
}

// ModelRule raises when every call of the model has failed for Hold, and Calls at least have.
type ModelRule struct {
	OwnRule
	Hold  time.Duration
	Calls int
}

func (r *Rules) defaultOwn() {
	warning := OwnRule{Severity: schema.SeverityWarning, WorseSeverity: schema.SeverityCritical}
	r.ClockSkew = ClockRule{Level: Level{Severity: schema.SeverityWarning}, Off: 30 * time.Second, Snapshots: 3}
	r.ChannelFailing = warning
	r.DeadLetters = LettersRule{OwnRule: OwnRule{Severity: schema.SeverityWarning}, Clear: time.Hour}
	r.StoreFull = StoreRule{OwnRule: warning, Over: 80, Under: 77, Worse: 95}
	r.ModelUnavailable = ModelRule{OwnRule: OwnRule{Severity: schema.SeverityWarning}, Hold: 15 * time.Minute, Calls: 3}
	r.BudgetSpent = OwnRule{Severity: schema.SeverityInfo}
}

// own is the rule of a condition of Bellbuoy itself that its parts say; nil where there is none of that name.
func (r *Rules) own(condition string) *OwnRule {
	switch condition {
	case ChannelFailing:
		return &r.ChannelFailing
	case DeadLetters:
		return &r.DeadLetters.OwnRule
	case StoreFull:
		return &r.StoreFull.OwnRule
	case ModelUnavailable:
		return &r.ModelUnavailable.OwnRule
	case BudgetSpent:
		return &r.BudgetSpent
	}
	return nil
}

// Graded is how bad a condition is that somebody has said of o. Of Bellbuoy itself the rules decide: off is then why it
// is not told, in words for people, and by is what the rules file changes of it. Of others what is said counts.
func (r Rules) Graded(cluster string, o schema.Object, condition, said string) (severity, off, by string) {
	if cluster != schema.OwnCluster {
		return said, "", ""
	}
	r = r.For(cluster, o, nil)
	rule := r.own(condition)
	switch {
	case rule == nil:
		return said, "", ""
	case rule.Severity == "":
		return "", r.offReason(condition), ""
	case said == schema.SeverityCritical && rule.WorseSeverity != "":
		return rule.WorseSeverity, "", r.changed(condition)
	}
	return rule.Severity, "", r.changed(condition)
}

func (l *OwnRule) severity(c string) field { return set(c, SettingSeverity, UnitSeverity, &l.Severity) }

func (l *OwnRule) grades(c string) []field {
	return []field{l.severity(c), set(c, "worse_severity", UnitSeverity, &l.WorseSeverity)}
}

// ownFields are the settings of what is said of Bellbuoy itself.
func (r *Rules) ownFields() []field {
	store, model := &r.StoreFull, &r.ModelUnavailable
	all := r.ChannelFailing.grades(ChannelFailing)
	all = append(all, set(DeadLetters, SettingClearAfter, UnitTime, &r.DeadLetters.Clear).within(time.Minute, 24*time.Hour), r.DeadLetters.severity(DeadLetters))
	all = append(all, set(StoreFull, SettingRaise, UnitPercent, &store.Over), set(StoreFull, SettingClear, UnitPercent, &store.Under),
		set(StoreFull, "worse", UnitPercent, &store.Worse))
	all = append(all, store.grades(StoreFull)...)
	return append(all, set(ModelUnavailable, SettingHold, UnitTime, &model.Hold), set(ModelUnavailable, "calls", UnitCount, &model.Calls).upTo(1000),
		model.severity(ModelUnavailable), r.BudgetSpent.severity(BudgetSpent))
}

// ownConditions declares them.
func (r *Rules) ownConditions() []Declared {
	return []Declared{
		{ClockSkew, schema.KindClock, "", r.ClockSkew.Severity},
		{ChannelFailing, schema.KindChannel, "", r.ChannelFailing.Severity},
		{DeadLetters, schema.KindDead, "", r.DeadLetters.Severity},
		{StoreFull, schema.KindStream, "", r.StoreFull.Severity},
		{ModelUnavailable, schema.KindModel, "", r.ModelUnavailable.Severity},
		{BudgetSpent, schema.KindBudget, "", r.BudgetSpent.Severity},
	}
}
