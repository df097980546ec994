package slack

import (
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Verbs of buttons, which are their action ids; all but silence go by the name that people write as well.
const (
	verbAck       = "ack"
	verbUnack     = "unack"
	verbSilence   = "silence"
	verbUnsilence = "unsilence"
	verbResolve   = "resolve"
	verbDismiss   = "dismiss"
	verbReopen    = "reopen"
	verbRight     = "right"
	verbWrong     = "wrong"
	verbHelp      = "help"
)

// Lengths of a silence as a menu has them.
const (
	oneHour   = "1h"
	fourHours = "4h"
	tomorrow  = "tomorrow"
	morning   = 9 // o'clock, where the person is
)

// labels are what buttons say.
var labels = map[string]string{
	verbAck: "Acknowledge", verbUnack: "Release", verbUnsilence: "End silence", verbResolve: "Resolve", verbDismiss: "Dismiss", verbReopen: "Reopen",
}

// buttons are what can be done to a conversation in its state. What runs anything is not among them.
func (v view) buttons() []string {
	has := verbAck
	if v.c.Owner != "" {
		has = verbUnack
	}
	switch v.c.State {
	case schema.StateInvestigating, schema.StateDiagnosed, schema.StateAcknowledged:
		return []string{has, verbSilence, verbResolve, verbDismiss}
	case schema.StateSilenced:
		return []string{verbUnsilence, has, verbResolve, verbDismiss}
	case schema.StateWatching:
		return []string{verbReopen, has, verbSilence, verbDismiss}
	case schema.StateCleared, schema.StateResolved, schema.StateDismissed:
		return []string{verbReopen}
	}
	return nil // it goes on elsewhere, or what it is about is gone
}

// actions are the buttons of a card: none on a channel that nobody listens to.
func (v view) actions() []api.Block {
	verbs := v.buttons()
	if !v.listens || len(verbs) == 0 {
		return nil
	}
	value := pressed{v.c.ID, v.c.Episode, ""}
	var all []api.BlockElement
	for _, verb := range verbs {
		if verb == verbSilence {
			all = append(all, silences(value))
			continue
		}
		b := api.NewButtonBlockElement(verb, value.String(), plainObject(labels[verb]))
		if verb == verbAck {
			b.Style = api.StylePrimary
		}
		all = append(all, b)
	}
	return []api.Block{api.NewActionBlock("", all...)}
}

// silences is the menu of silences.
func silences(value pressed) api.BlockElement {
	option := func(length, label string) *api.OptionBlockObject {
		value.length = length
		return api.NewOptionBlockObject(value.String(), plainObject(label), nil)
	}
	return api.NewOptionsSelectBlockElement(api.OptTypeStatic, plainObject("Silence"), verbSilence,
		option(oneHour, "for 1 hour"), option(fourHours, "for 4 hours"), option(tomorrow, "until tomorrow, 9:00"))
}

func plainObject(text string) *api.TextBlockObject {
	return &api.TextBlockObject{Type: api.PlainTextType, Text: text}
}

// pressed is the value of a button: which card it is on, and of a menu what was chosen. It gives no right.
type pressed struct {
	conversation string
	episode      int
	length       string
}

func (p pressed) String() string {
	text := p.conversation + "/" + strconv.Itoa(p.episode)
	if p.length != "" {
		text += "/" + p.length
	}
	return text
}

func readPressed(value string) (p pressed, ok bool) {
	parts := strings.Split(value, "/")
	if len(parts) < 2 || len(parts) > 3 || !schema.ValidID(parts[0]) {
		return p, false
	}
	episode, err := strconv.Atoi(parts[1])
	if err != nil || episode < 1 {
		return p, false
	}
	p = pressed{conversation: parts[0], episode: episode}
	if len(parts) == 3 {
		p.length = parts[2]
	}
	return p, true
}

// asks is what a button wants, of a person whose time zone is zone.
func (p pressed) asks(verb string, now time.Time, zone *time.Location) (r schema.Reply, ok bool) {
	switch {
	case verb == verbSilence && (p.length == oneHour || p.length == fourHours):
		return schema.Reply{Verb: verbSilence + " " + p.length}, true
	case verb == verbSilence && p.length == tomorrow:
		there := now.In(zone)
		until := time.Date(there.Year(), there.Month(), there.Day()+1, morning, 0, 0, 0, zone)
		return schema.Reply{Verb: verbSilence, Until: until.UTC()}, true
	case p.length == "" && labels[verb] != "":
		return schema.Reply{Verb: verb}, true
	}
	return r, false
}

// verdict is what an emoji says of a diagnosis. Skin tones are part of its name.
func verdict(emoji string) string {
	name, _, _ := strings.Cut(emoji, "::")
	switch name {
	case "+1", "thumbsup":
		return verbRight
	case "-1", "thumbsdown":
		return verbWrong
	}
	return ""
}
