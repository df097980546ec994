package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/bellbuoy/bellbuoy/internal/config/yamlfile"
	"github.com/bellbuoy/bellbuoy/internal/detect"
	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// quantity is a number and what follows it.
var quantity = regexp.MustCompile(`^(-?\d+(?:\.\d+)?) ?([^\d\s]*)$`)

// maxIntervals is how many intervals a span may have: a week of them at 15 s.
const maxIntervals = 40320

// value reads what a setting is set to.
func (d *decoder) value(s detect.Setting, n *yaml.Node) (detect.Value, bool) {
	what := s.Condition + ": " + s.Name
	if n.Kind != yaml.ScalarNode || yamlfile.Empty(n) {
		d.Wrong(n.Line, "write it like "+strings.ReplaceAll(example(s.Unit), "NAME", s.Condition), "%s has no value that can be read", what)
		return detect.Value{}, false
	}
	text := strings.TrimSpace(n.Value)
	v, fix := parse(s.Unit, text)
	if fix != "" {
		problem := "is not " + kind(s.Unit)
		if bare(text) && needsUnit(s.Unit) {
			problem = "has no unit"
		}
		d.Wrong(n.Line, strings.ReplaceAll(fix, "NAME", s.Condition), "%s: %q %s", what, text, problem)
		return v, false
	}
	if least, most, outside := bounded(s, v); outside {
		d.Wrong(n.Line, fmt.Sprintf("write a value from %s to %s", least, most), "%s: %s is out of bounds", what, text)
		return v, false
	}
	return v, true
}

func bare(text string) bool {
	m := quantity.FindStringSubmatch(text)
	return m != nil && m[2] == ""
}

func needsUnit(u detect.Unit) bool {
	return u != detect.UnitCount && u != detect.UnitTimes && u != detect.UnitSeverity && u != detect.UnitSwitch
}

func bounded(s detect.Setting, v detect.Value) (least, most string, outside bool) {
	timed := func(seconds float64) detect.Value {
		return detect.Value{Span: detect.Span{Time: time.Duration(seconds * float64(time.Second))}, Number: seconds}
	}
	least, most = s.Unit.Text(timed(s.Least)), s.Unit.Text(timed(s.Most))
	switch s.Unit {
	case detect.UnitSeverity, detect.UnitSwitch:
		return least, most, false
	case detect.UnitSpan, detect.UnitTime:
		if v.Span.Intervals != 0 {
			return "1I", strconv.Itoa(maxIntervals) + "I", v.Span.Intervals < 0 || v.Span.Intervals > maxIntervals
		}
		at := v.Span.Time.Seconds()
		return least, most, at < s.Least || at > s.Most
	case detect.UnitPercent, detect.UnitCelsius, detect.UnitBytes, detect.UnitCount, detect.UnitTimes:
	}
	return least, most, v.Number < s.Least || v.Number > s.Most
}

func kind(u detect.Unit) string {
	switch u {
	case detect.UnitSpan:
		return "a time or a number of intervals"
	case detect.UnitTime:
		return "a time"
	case detect.UnitPercent:
		return "a percentage"
	case detect.UnitCelsius:
		return "a temperature in degrees Celsius"
	case detect.UnitBytes:
		return "a number of bytes"
	case detect.UnitCount:
		return "a whole number"
	case detect.UnitTimes:
		return "a factor"
	case detect.UnitSwitch:
		return "a switch"
	case detect.UnitSeverity:
	}
	return "a severity"
}

func example(u detect.Unit) string {
	switch u {
	case detect.UnitSpan:
		return "30s, 5m or 1h30m, or like 4I in intervals between snapshots"
	case detect.UnitTime:
		return "30s, 5m or 1h30m"
	case detect.UnitPercent:
		return "85%"
	case detect.UnitCelsius:
		return "90C"
	case detect.UnitBytes:
		return "500MB or 1GB"
	case detect.UnitCount:
		return "5"
	case detect.UnitTimes:
		return "5 or 2.5"
	case detect.UnitSwitch:
		return "on or off"
	case detect.UnitSeverity:
	}
	return "info, warning or critical; NAME: off switches a condition off"
}

// parse reads text in a unit. Where it cannot, it says what to write.
func parse(u detect.Unit, text string) (v detect.Value, fix string) {
	number, unit := 0.0, ""
	m := quantity.FindStringSubmatch(text)
	if m != nil {
		number, _ = strconv.ParseFloat(m[1], 64) // digits; too many of them are infinite, and out of bounds
		unit = m[2]
	}
	fix = "write it like " + example(u)
	switch u {
	case detect.UnitSpan, detect.UnitTime:
		return span(u, text, number, unit, m != nil)
	case detect.UnitSeverity:
		if schema.SeverityRank(text) == 0 {
			return v, "write " + example(u)
		}
		return detect.Value{Word: text}, ""
	case detect.UnitSwitch:
		if word, known := map[string]string{"on": "on", "off": ""}[text]; known {
			return detect.Value{Word: word}, ""
		}
	case detect.UnitPercent, detect.UnitCelsius, detect.UnitBytes:
		size, known := sizes(u)[strings.ToUpper(unit)]
		switch {
		case m != nil && known:
			return detect.Value{Number: number * size}, ""
		case m != nil && unit == "":
			return v, "say in what, such as " + m[1] + unitless(u)
		}
	case detect.UnitCount:
		if m != nil && unit == "" && !strings.Contains(m[1], ".") {
			return detect.Value{Number: number}, ""
		}
	case detect.UnitTimes:
		if m != nil && unit == "" {
			return detect.Value{Number: number}, ""
		}
	}
	return v, fix
}

func sizes(u detect.Unit) map[string]float64 {
	switch u {
	case detect.UnitPercent:
		return map[string]float64{"%": 1}
	case detect.UnitCelsius:
		return map[string]float64{"C": 1, "°C": 1}
	case detect.UnitBytes:
		return map[string]float64{
			"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
			"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40,
		}
	case detect.UnitSpan, detect.UnitTime, detect.UnitCount, detect.UnitTimes, detect.UnitSeverity, detect.UnitSwitch:
	}
	return nil
}

func unitless(u detect.Unit) string {
	switch u {
	case detect.UnitPercent:
		return "%"
	case detect.UnitCelsius:
		return "C"
	case detect.UnitSpan, detect.UnitTime, detect.UnitBytes, detect.UnitCount, detect.UnitTimes, detect.UnitSeverity, detect.UnitSwitch:
	}
	return "GB"
}

func span(u detect.Unit, text string, number float64, unit string, isNumber bool) (v detect.Value, fix string) {
	switch {
	case isNumber && unit == "":
		fix = fmt.Sprintf("say in what, such as %ss or %sm", text, text)
		if u == detect.UnitSpan {
			fix += fmt.Sprintf(", or %sI in intervals between snapshots", text)
		}
		return v, fix
	case isNumber && unit == "I" && u == detect.UnitSpan && number == float64(int32(number)):
		return detect.Value{Span: detect.Span{Intervals: int(number)}}, ""
	}
	took, err := time.ParseDuration(text)
	if err != nil {
		return v, "write it like " + example(u)
	}
	return detect.Value{Span: detect.Span{Time: took}}, ""
}
