package conversation

import (
	"slices"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Owes tells whether c still waits for the result of t.
func Owes(c schema.Conversation, t Task) bool { return slices.Contains(Owed(c), t) }

// Owed lists what c waits for: at most one diagnosis, then the answers, oldest question first. A task can become due
// with a message later than its own (a silence that ends, a severity that rises), so a loop asks this of the head
// with every nudge.
func Owed(c schema.Conversation) []Task {
	var owed []Task
	if i := openDiagnosis(c); i >= 0 && diagnosisDue(c) {
		owed = append(owed, Task{TaskDiagnose, c.Messages[i].ID})
	}
	for i := range c.Messages {
		if m := &c.Messages[i]; m.Kind == schema.EventAsked && settler(c, m.ID) < 0 {
			owed = append(owed, Task{TaskAnswer, m.ID})
		}
	}
	return owed
}

// diagnosisDue tells whether a model may be asked for a diagnosis now. Of Bellbuoy itself the rules know all there is.
func diagnosisDue(c schema.Conversation) bool {
	return !c.Closed() && c.Cluster != schema.OwnCluster && c.SilencedUntil.IsZero() && rank(c.Severity) > rank(schema.SeverityInfo)
}

// openDiagnosis is the index of the message that owes a diagnosis which nothing has settled, or -1.
func openDiagnosis(c schema.Conversation) int {
	i := owing(c)
	if i >= 0 && settler(c, c.Messages[i].ID) < 0 {
		return i
	}
	return -1
}

// owing is the index of the newest message that owes, or owed, a diagnosis; -1 if there is none.
func owing(c schema.Conversation) int {
	for i := len(c.Messages) - 1; i >= 0; i-- {
		switch m := &c.Messages[i]; m.Kind {
		case schema.EventOpened:
			return i
		case schema.EventReopened, schema.EventWorsened:
			if m.Settles != "" {
				return i
			}
		}
	}
	return -1
}

// settler is the index of the message that settles the task of message id, or -1. A question that was asked before c was
// folded is its cause's: that settles it.
func settler(c schema.Conversation, id string) int {
	folded := last(c, schema.EventFolded)
	for i, m := range slices.Backward(c.Messages) {
		switch {
		case m.Settles == id:
			return i
		case i < folded && m.ID == id && m.Kind == schema.EventAsked:
			return folded
		}
	}
	return -1
}

// openQuestions counts the questions that wait for an answer.
func openQuestions(c schema.Conversation) int {
	n := 0
	for _, t := range Owed(c) {
		if t.Kind == TaskAnswer {
			n++
		}
	}
	return n
}
