package detect

import (
	"slices"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/glob"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Change sets one setting. By says who did it, for people, such as a line of a file.
type Change struct {
	Setting Setting
	Value   Value
	By      string
}

// With is r with the changes made, one after the other. One of a setting that there is not does nothing.
func (r Rules) With(changes ...Change) Rules {
	fields := r.fields()
	for _, c := range changes {
		for _, f := range fields {
			if f.is(c.Setting.Condition, c.Setting.Name) {
				f.set(c.Value)
			}
		}
	}
	r.Changed = slices.Concat(r.Changed, changes)
	return r
}

// Value is what the setting is set to in r for all objects; the zero Value if there is no such setting.
func (r Rules) Value(s Setting) Value {
	for _, f := range r.fields() {
		if f.is(s.Condition, s.Name) {
			return f.value()
		}
	}
	return Value{}
}

// For is what holds for one object: r with the changes of every override that is for it, in their order, so that the
// last one that sets something wins. Labels are those that the snapshot shows of a service.
func (r Rules) For(cluster string, o schema.Object, labels map[string]string) Rules {
	if len(r.Overrides) == 0 {
		return r
	}
	before := len(r.Changed)
	for _, x := range r.Overrides {
		if glob.Like(x.Match.Cluster, cluster) && x.Match.covers(o, labels) {
			r = r.With(x.Changes...)
		}
	}
	if len(r.Changed) > before {
		r.settle()
	}
	r.Overrides = nil
	return r
}

// in is what holds for a cluster as a whole. It keeps the overrides that may hold for objects there, those for all of
// it included: made again in their order, they still win over narrower ones before them.
func (r Rules) in(cluster string) Rules {
	if len(r.Overrides) == 0 {
		return r
	}
	all, narrow := []Override{}, false
	for _, x := range r.Overrides {
		if !glob.Like(x.Match.Cluster, cluster) {
			continue
		}
		all = append(all, x)
		if x.Match.Kind() != "" {
			narrow = true
			continue
		}
		r = r.With(x.Changes...)
	}
	if !narrow {
		all = nil
	}
	r.settle()
	r.Overrides = all
	return r
}

// Contradiction is two settings of one condition of which Low may not be above High.
type Contradiction struct {
	Low, High           Setting
	LowValue, HighValue Value
}

func pairs() [][3]string {
	return [][3]string{
		{Disk, SettingRaise, "worse"}, // before what gives way to raise in turn
		{Disk, SettingClear, SettingRaise},
		{Disk, SettingSeverity, "worse_severity"},
		{LowMemory, SettingClear, SettingRaise},
		{GPUHot, SettingClear, SettingRaise},
		{CPU, SettingClear, SettingRaise},
		{GPUMemory, SettingClear, SettingRaise},
		{CrashLoop, "quiet_min", "quiet_max"},
		{ErrorBurst, "ease", "times"},
		{Unhealthy, SettingSeverity, "worse_severity"},
		{NodeDown, "draining_severity", SettingSeverity},
		{SourceBlind, SettingSeverity, "worse_severity"},
		{ClusterSilent, "goodbye_severity", SettingSeverity},
		{Storm, "rest", "new"},
		{DeployGrace, "for", "most"},
		{DeployGrace, "most", "in"},
		{ChannelFailing, SettingSeverity, "worse_severity"},
		{StoreFull, SettingClear, SettingRaise},
		{StoreFull, SettingRaise, "worse"},
		{StoreFull, SettingSeverity, "worse_severity"},
	}
}

// Contradictions lists what cannot be meant. A condition or policy that is off has none.
func (r Rules) Contradictions() []Contradiction {
	var all []Contradiction
	r.contradictions(func(low, high field) {
		all = append(all, Contradiction{low.Setting, high.Setting, low.value(), high.value()})
	})
	return all
}

func (r *Rules) contradictions(each func(low, high field)) {
	fields := r.fields()
	find := func(condition string, names ...string) field {
		i := slices.IndexFunc(fields, func(f field) bool { return f.Condition == condition && slices.Contains(names, f.Name) })
		return fields[i]
	}
	for _, p := range pairs() {
		low, high := find(p[0], p[1]), find(p[0], p[2])
		if find(p[0], SettingSeverity, SettingEnabled).value().Word != "" && low.Unit.compare(low.value(), high.value()) > 0 {
			each(low, high)
		}
	}
}

// settle makes sense of overrides that contradict each other only where they meet: what may not be above gives way.
func (r *Rules) settle() {
	r.contradictions(func(low, high field) {
		if low.Unit != UnitSeverity {
			low.set(high.value())
		}
	})
}

// changed says what of a condition was set, and by whom; empty: nothing.
func (r *Rules) changed(condition string) string {
	var by []string
	texts := map[string][]string{}
	for i, c := range r.Changed {
		if c.Setting.Condition != condition || r.last(condition, c.Setting.Name) != i {
			continue
		}
		if texts[c.By] == nil {
			by = append(by, c.By)
		}
		texts[c.By] = append(texts[c.By], c.Setting.Name+" "+c.Setting.Unit.Text(c.Value))
	}
	for i, who := range by {
		by[i] = strings.Join(texts[who], ", ") + " by " + who
	}
	return strings.Join(by, "; ")
}

// last is the index of the change that stands; -1: nobody has set it.
func (r *Rules) last(condition, setting string) int {
	for i, c := range slices.Backward(r.Changed) {
		if c.Setting.is(condition, setting) {
			return i
		}
	}
	return -1
}

// offReason says who switched a condition off.
func (r *Rules) offReason(condition string) string {
	i := r.last(condition, SettingSeverity)
	if i < 0 {
		i = r.last(condition, SettingEnabled)
	}
	if i >= 0 && r.Changed[i].Value.Word == "" {
		return "switched off by " + r.Changed[i].By
	}
	return offByRules
}
