package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/source/file"
)

// Mutant is the evaluation with one thing changed: the rules, or what the recording knows.
type Mutant struct {
	Name      string
	Condition string // that it is about; empty: of no single one
	Rules     detect.Rules
	Blind     func(*schema.ServiceSummary) bool // takes something out of a service, and tells whether it did; nil: nothing
}

// Mutants lists what has to be noticed: each setting of detection changed in every way of its unit, and each rule that has
// no setting left out. A unit that is not known here is an error, so that a new one is thought of.
func Mutants() ([]Mutant, error) {
	all := []Mutant{
		{Name: "by-hand rule off", Rules: detect.Default(), Blind: unaware(byHand)},
		{Name: "baseline rule off", Rules: detect.Default(), Blind: unaware(before)},
		{Name: "not-wanted rule off", Rules: detect.Default(), Blind: unaware(func(why string) bool { return !byHand(why) && !before(why) })},
	}
	for _, x := range detect.Settings() {
		changes, err := changesOf(x)
		if err != nil {
			return nil, err
		}
		for _, c := range changes {
			rules := detect.Default()
			rules.Overrides = []detect.Override{{Changes: []detect.Change{{Setting: x, Value: c.to, By: "a mutant"}}}} // which makes sense of what contradicts
			all = append(all, Mutant{Name: x.Condition + "." + x.Name + " " + c.how, Condition: x.Condition, Rules: rules})
		}
	}
	return all, nil
}

type change struct {
	how string
	to  detect.Value
}

// changesOf are the ways in which a setting is changed. A hold is left out; any other number is doubled and halved;
// what says how bad something is, is switched off.
func changesOf(x detect.Setting) ([]change, error) {
	was := detect.Default().Value(x)
	twice, half := was, was
	twice.Number, twice.Span = 2*was.Number, detect.Span{Intervals: 2 * was.Span.Intervals, Time: 2 * was.Span.Time}
	half.Number, half.Span = was.Number/2, detect.Span{Intervals: was.Span.Intervals / 2, Time: was.Span.Time / 2}
	switch {
	case x.Name == detect.SettingHold:
		return []change{{"at 0", detect.Value{}}, {"doubled", twice}}, nil
	case x.Unit == detect.UnitSeverity, x.Unit == detect.UnitSwitch:
		return []change{{"off", detect.Value{}}}, nil
	case x.Unit <= detect.UnitTimes:
		return []change{{"doubled", twice}, {"halved", half}}, nil
	}
	return nil, fmt.Errorf("a mutant for %s.%s: nothing says how its unit %d is changed: add that to changesOf", x.Condition, x.Name, x.Unit)
}

func byHand(why string) bool { return strings.Contains(why, "by hand") }
func before(why string) bool { return strings.Contains(why, "before") }

// unaware makes a source that does not know of something that it was stopped on purpose, where it has given such a reason.
func unaware(reason func(string) bool) func(*schema.ServiceSummary) bool {
	return func(s *schema.ServiceSummary) bool {
		if s.NotWanted == "" || !reason(s.NotWanted) {
			return false
		}
		s.NotWanted, s.ReplicasDesired = "", new(max(1, len(s.Instances)))
		return true
	}
}

// Recording is where the recording of s is that the mutant judges: s's own, or one in dir that the mutant has written. It
// gives none if the mutant changes nothing there.
func (m *Mutant) Recording(s *Scenario, dir string) (path string, err error) {
	if m.Blind == nil {
		return s.Recording, nil
	}
	text, err := unpacked(s.Recording)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	changed := false
	lines := bufio.NewReader(bytes.NewReader(text))
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		snapshot, failed := schema.DecodeContext(line)
		if failed != nil {
			return "", failed
		}
		for i := range snapshot.Services {
			if m.Blind(&snapshot.Services[i]) {
				changed = true
			}
		}
		if failed = json.NewEncoder(&out).Encode(snapshot); failed != nil {
			return "", failed
		}
	}
	if !changed {
		return "", nil
	}
	f, err := os.CreateTemp(dir, "mutant-*.jsonl")
	if err != nil {
		return "", err
	}
	_, err = f.Write(out.Bytes())
	return f.Name(), errors.Join(err, f.Close())
}

func unpacked(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := file.Unpacked(path, f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(text)
}

// outline is what is decided in a timeline: when, what, about what, how bad, and whether somebody is told. What is said of
// it is left out, so that a number in a text is nothing that a mutant is noticed by.
func outline(c *Course) string {
	var b strings.Builder
	for _, e := range c.Entries {
		first, _, _ := strings.Cut(e.String(), "\n")
		fmt.Fprintln(&b, first)
	}
	fmt.Fprintln(&b, c.Summary)
	return b.String()
}

// Notice tells how the scenario notices that its course became another one; empty: it does not.
func Notice(s *Scenario, before, after *Course) string {
	if score := Judge(&s.Truth, after.Entries); len(score.Wrong) > 0 {
		return score.Wrong[0]
	}
	was, is := strings.Split(outline(before), "\n"), strings.Split(outline(after), "\n")
	for i := range was {
		switch {
		case i >= len(is):
			return "timeline: not " + was[i]
		case was[i] != is[i]:
			return "timeline: " + is[i] + ", not " + was[i]
		}
	}
	return ""
}
