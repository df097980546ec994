package conversation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What people say is a verb only if the first line is nothing but the verb, its arguments and perhaps a reason
// ("because …"); a leading slash, a mention of the bot and a final "." or "!" do not count. Whatever contains a
// question mark is a question. When in doubt it is a question: an answer does no harm.

// Names of verbs.
const (
	VerbAck       = "ack"
	VerbUnack     = "unack"
	VerbSilence   = "silence"
	VerbUnsilence = "unsilence"
	VerbResolve   = "resolve"
	VerbDismiss   = "dismiss"
	VerbReopen    = "reopen"
	VerbRight     = "right"
	VerbWrong     = "wrong"
	VerbApprove   = "approve"
	VerbHelp      = "help"
)

// Verb is what a person wants done.
type Verb struct {
	Name  string
	For   time.Duration // of silence; 0 if not said
	Until string        // of silence, in UTC: 15:04, "tomorrow" or "tomorrow 15:04"; empty if not said
	Note  string        // the reason, or what is wrong with the diagnosis, in the person's words
}

// verbs lists the words for each verb.
func verbs(words string) string {
	switch words {
	case "ack", "acknowledge", "acknowledged", "on it", "i'm on it", "im on it", "mine":
		return VerbAck
	case "unack", "unacknowledge":
		return VerbUnack
	case "silence", "snooze", "mute":
		return VerbSilence
	case "unsilence", "unsnooze", "unmute":
		return VerbUnsilence
	case "resolve", "resolved", "fixed", "done":
		return VerbResolve
	case "dismiss", "dismissed", "false alarm", "ignore":
		return VerbDismiss
	case "reopen", "right", "wrong", "approve", "help":
		return words
	}
	return ""
}

// ParseVerb reads text as a verb; false means that it is a question.
func ParseVerb(text string) (Verb, bool) {
	if strings.ContainsAny(text, "?？؟⁇﹖¿") {
		return Verb{}, false
	}
	first, more, _ := strings.Cut(strings.TrimSpace(text), "\n")
	said, reason := cutReason(unaddressed(first))
	words := strings.Fields(strings.TrimRight(said, ".!。！ \t\r"))
	v, ok := verbOf(words)
	v.Note = strings.TrimSpace(join(v.Note, join(reason, strings.TrimSpace(more))))
	if !ok {
		return Verb{}, false
	}
	return v, true
}

// verbOf reads the words of a line, in their own case.
func verbOf(words []string) (Verb, bool) {
	for n := min(3, len(words)); n > 0; n-- {
		name := verbs(normal(words[:n]))
		if name == "" && n == 1 && strings.EqualFold(strings.TrimRight(words[0], ",:"), VerbWrong) {
			name = VerbWrong
		}
		if name != "" {
			return withArguments(name, words[n:])
		}
	}
	return Verb{}, false
}

func withArguments(name string, args []string) (Verb, bool) {
	v := Verb{Name: name}
	switch {
	case len(args) == 0:
		return v, true
	case name == VerbWrong:
		v.Note = strings.TrimLeft(strings.Join(args, " "), "-:, ")
		return v, true
	case name == VerbSilence:
		until, ok := untilWhen(args)
		if v.Until = until; !ok {
			v.For, ok = duration(args)
		}
		return v, ok
	}
	return Verb{}, false
}

func normal(words []string) string {
	return strings.ReplaceAll(strings.ToLower(strings.Join(words, " ")), "’", "'")
}

// mention is how chats write that a message is for somebody.
var mention = regexp.MustCompile(`^(<@[^>\s]*>|@[^\s:,]+)\s*[:,]?\s*`)

// unaddressed takes the mention and the slash off the beginning of a line.
func unaddressed(line string) string {
	line = strings.TrimSpace(line)
	line = line[len(mention.FindString(line)):]
	return strings.TrimPrefix(line, "/")
}

var because = regexp.MustCompile(`(?i),?\s+because\b[\s:,]*`)

// cutReason splits a line at its "because".
func cutReason(line string) (said, reason string) {
	if at := because.FindStringIndex(line); at != nil {
		return line[:at[0]], strings.TrimSpace(line[at[1]:])
	}
	return line, ""
}

var (
	amount = regexp.MustCompile(`^(?i:(\d{1,4})\s*(m|min|mins|minutes?|h|hr|hrs|hours?|d|days?|w|weeks?))+$`)
	piece  = regexp.MustCompile(`(\d{1,4})\s*([a-zA-Z])`)
)

// duration reads "30m", "for 2 hours", "1h30m". More than a year comes out as a year and a bit.
func duration(args []string) (time.Duration, bool) {
	if strings.EqualFold(args[0], "for") {
		args = args[1:]
	}
	said := strings.Join(args, "")
	if !amount.MatchString(said) {
		return 0, false
	}
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	total := time.Duration(0)
	for _, p := range piece.FindAllStringSubmatch(said, -1) {
		n := time.Duration(0)
		for _, digit := range p[1] {
			n = 10*n + time.Duration(digit-'0')
		}
		total = min(total+n*unit[strings.ToLower(p[2])], 400*24*time.Hour)
	}
	return max(total, 1), true // "0m" is said, and too short
}

var timeOfDay = regexp.MustCompile(`^([01]?\d|2[0-3]):([0-5]\d)$`)

// untilWhen reads "until tomorrow", "until 18:00" and "until tomorrow 9:00 UTC".
func untilWhen(args []string) (until string, ok bool) {
	if !slices.Contains([]string{"until", "till", "til"}, strings.ToLower(args[0])) {
		return "", false
	}
	args = args[1:]
	if len(args) > 1 && strings.EqualFold(args[len(args)-1], "UTC") {
		args = args[:len(args)-1]
	}
	if len(args) > 0 && strings.EqualFold(args[0], tomorrow) {
		until, args = tomorrow, args[1:]
	}
	if len(args) == 1 && timeOfDay.MatchString(args[0]) {
		hours, minutes, _ := strings.Cut(args[0], ":")
		at := fmt.Sprintf("%02s:%s", hours, minutes)
		return strings.TrimSpace(until + " " + at), true
	}
	return until, until != "" && len(args) == 0
}

const (
	tomorrow  = "tomorrow"
	dayBegins = 8 // the hour of tomorrow, in UTC, where none is said
)

// until is the time that Until, which is not empty, means when it is said at now.
func (v Verb) until(now time.Time) time.Time {
	at, next := strings.CutPrefix(v.Until, tomorrow)
	hour, minute := dayBegins, 0
	if of, err := time.Parse("15:04", strings.TrimSpace(at)); err == nil {
		hour, minute = of.Hour(), of.Minute()
	}
	now = now.UTC()
	then := time.Date(now.Year(), now.Month(), now.Day(), hour, minute, 0, 0, time.UTC)
	if next || !then.After(now) {
		then = then.AddDate(0, 0, 1)
	}
	return then
}

// join puts two texts on lines of their own.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}
