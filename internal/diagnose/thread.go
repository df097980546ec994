package diagnose

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
	"github.com/bellbuoy/bellbuoy/internal/scrub"
)

// Bounds of the thread that goes with a prompt: the bytes of a turn, and of one that is kept only as a note.
const (
	maxThreadTurn = 500
	maxThreadNote = 160
	maxCommand    = 300
)

// said is one turn of the thread as a prompt shows it.
type said struct {
	Kind    string `json:"kind"`
	Sender  string `json:"sender"`
	Author  string `json:"author,omitempty"`
	Text    string `json:"text"`
	Command string `json:"command,omitempty"`
}

// threadRoom is how much of a budget the thread may take: a third of what the system text leaves.
func threadRoom(tokens int, system string) int { return max(0, tokens-Tokens(system)) / 3 }

// thread is what was said before question, as JSON lines, oldest first, within room tokens. Of a long one the newest
// turns stand as they are. Of those before them the decisions and what bore a command stay as notes, or, if those are too many, those of a kind
// together; the others are counted.
func thread(c schema.Conversation, question schema.Message, room int) []string {
	turns := slices.DeleteFunc(slices.Clone(c.Messages), func(m schema.Message) bool { return m.ID == question.ID || m.Content == "" })
	return told(turns, room)
}

// decisions is what people decided and said before a verdict, as thread has it: a verdict that ignores it would be
// blind to what they found out. What Bellbuoy said itself is in the evidence.
func decisions(c schema.Conversation, room int) []string {
	turns := slices.DeleteFunc(slices.Clone(c.Messages), func(m schema.Message) bool { return m.Sender != schema.SenderOperator || m.Content == "" })
	return told(turns, room)
}

func told(turns []schema.Message, room int) []string {
	lines := make([]string, len(turns))
	room -= leftOutTokens
	take := func(i, most int) {
		if lines[i] != "" {
			return
		}
		line := compact(turn(turns[i], most)) + "\n"
		if n := Tokens(line); n <= room {
			room -= n
			lines[i] = line
		}
	}
	for i := len(turns) - 1; i >= max(0, len(turns)-2); i-- { // what the question refers to
		take(i, maxThreadTurn)
	}
	stands := ""
	if open := func(i int) bool { return lines[i] == "" && lasting(turns[i]) }; notes(turns, open) > room {
		stands = older(turns, open, room*3/4)
		room -= Tokens(stands)
	}
	for i := len(turns) - 1; i >= 0 && stands == ""; i-- {
		if lasting(turns[i]) {
			take(i, maxThreadNote)
		}
	}
	for i := len(turns) - 1; i >= 0 && room > 0; i-- {
		take(i, maxThreadTurn)
	}
	left := map[string]int{}
	var out []string
	if stands != "" {
		out = append(out, stands)
	}
	for i, line := range lines {
		if line == "" && stands != "" && lasting(turns[i]) {
			continue
		}
		if line == "" {
			left[turns[i].Kind]++
			continue
		}
		out = append(out, line)
	}
	if len(left) > 0 {
		out = slices.Insert(out, 0, compact(map[string]map[string]int{"thread_left_out": left})+"\n")
	}
	return out
}

// lasting tells whether what is said in m holds until somebody says otherwise: a decision, or a command to run.
func lasting(m schema.Message) bool {
	switch m.Kind {
	case schema.EventAcknowledged, schema.EventUnacknowledged, schema.EventSilenced, schema.EventUnsilenced, schema.EventResolved,
		schema.EventDismissed, schema.EventReopened, schema.EventJudged, schema.EventRefused:
		return true
	}
	return m.SuggestedCommand != ""
}

func turn(m schema.Message, most int) said {
	t := said{Kind: m.Kind, Sender: m.Sender, Text: cut(scrub.Clean(m.Content), most), Command: scrub.Line(m.SuggestedCommand, maxCommand)}
	if m.Author != nil {
		t.Author = scrub.Line(m.Author.Name, 60)
	}
	return t
}
