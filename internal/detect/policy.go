package detect

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Names of the policies: what is set like a condition, and raises nothing of its own.
const (
	DeployGrace = "deploy_grace"
	Flapping    = "flapping"
	Explain     = "explain"
)

// SettingEnabled is the switch of a policy, as SettingSeverity is that of a condition.
const SettingEnabled = "enabled"

// Policies lists what decides, beside the conditions, what is told: each is set by name as a condition is, and is on or
// off. Kind is the kind of object that an override sets it for; empty: of any.
func Policies() []Declared {
	return []Declared{{Name: DeployGrace, Kind: schema.KindService}, {Name: Flapping}, {Name: Explain, Kind: schema.KindCluster}}
}

// GraceRule keeps quiet, for For after a deploy of a service, what would be raised of it, but at most for Most in any
// stretch of In.
type GraceRule struct {
	On        bool
	For, Most time.Duration
	In        time.Duration
}

// FlapRule keeps an object that began to alert Times Within open until it has been well for Quiet.
type FlapRule struct {
	On            bool
	Times         int
	Within, Quiet time.Duration
}

func (r *Rules) defaultPolicies() {
	r.DeployGrace = GraceRule{On: true, For: 2 * time.Minute, Most: 5 * time.Minute, In: 30 * time.Minute}
	r.Flapping = FlapRule{On: true, Times: 3, Within: time.Hour, Quiet: 30 * time.Minute}
}

func (r *Rules) policyFields() []field {
	return append(r.DeployGrace.fields(), r.Flapping.fields()...)
}

func (l *GraceRule) fields() []field {
	const c = DeployGrace
	return []field{
		set(c, SettingEnabled, UnitSwitch, &l.On),
		set(c, "for", UnitTime, &l.For).within(time.Second, time.Hour),
		set(c, "most", UnitTime, &l.Most).within(time.Second, time.Hour),
		set(c, "in", UnitTime, &l.In).within(time.Minute, 24*time.Hour),
	}
}

// maxBegun bounds how many beginnings are remembered of an object.
const maxBegun = 20

func (l *FlapRule) fields() []field {
	const c = Flapping
	times := set(c, "times", UnitCount, &l.Times).upTo(maxBegun)
	times.Least = 2 // the first time is not again
	return []field{
		set(c, SettingEnabled, UnitSwitch, &l.On),
		times,
		set(c, "within", UnitTime, &l.Within).within(time.Minute, 24*time.Hour),
		set(c, "quiet", UnitTime, &l.Quiet).within(0, 24*time.Hour),
	}
}
