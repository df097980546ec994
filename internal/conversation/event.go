package conversation

import (
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Event is something that may change a conversation: Found, Said, Settled, Woke, Quieted or Forgotten.
//
//sumtype:decl
type Event interface{ isEvent() }

// Found is what the rules hold to be true of one object, as of one snapshot. It is a level, repeated with every
// snapshot: Conditions are all that is true now, none if the object is well.
type Found struct {
	At         time.Time
	Stored     time.Time // when the snapshot was stored, by the clock of Said and Woke; zero: At. A recording's At is long past
	Cluster    string
	Source     string // kinds of source, which decide the tools that commands are for
	Object     schema.Object
	Seq        uint64        // of the snapshot, within Epoch
	Epoch      time.Time     // creation time of the snapshots' stream
	Interval   time.Duration // between two snapshots
	Late       bool          // found because nothing came after that snapshot: it goes on top of what the snapshot said
	Conditions []schema.Condition
	Removed    bool   // the object has left the cluster
	Unwanted   string // without conditions, why the object is there but need not run any more: nobody can say that it is well
	Unjudged   string // without conditions, why the rules no longer judge it: nobody knows whether it is well
	Labels     map[string]string
	Evidence   []schema.Evidence // see NeedsEvidence
	Diagnosis  *schema.Diagnosis // by the rules; see NeedsEvidence
	Affected   []schema.Affected // who depends on the object, worst first; see NeedsEvidence
	Dependents int               // how many do in all
	Links      []schema.Link     // that go with it; see NeedsEvidence
	Silence    *Silence          // by scope, which covers all of Conditions; nil: none does
	TraceID    string

	Cause       *Cause                // explains all of Conditions: nothing is opened, and what is open is folded; nil: it stands for itself
	Victims     []schema.Affected     // whom this one explains now, worst first, at most schema.MaxAffected
	VictimCount int                   // how many those are in all
	Critical    []schema.Object       // which of Victims something critical is true of; needed of a cause that has an owner
	Heirs       []schema.Conversation // open conversations that are folded into this one with this snapshot: what moves is read from them
	Quiet       bool                  // it opens without a sound
}

// Cause is the conversation that explains another one.
type Cause struct {
	ID     string
	Object schema.Object
}

// Said is one reply of a person.
type Said struct {
	At    time.Time
	Seq   uint64    // of the reply, within Epoch
	Epoch time.Time // creation time of the replies' stream
	Reply schema.Reply
	Deny  string // why the author may only ask: said in place of whatever changes something; empty: nothing is denied
	From  string // id of the folded conversation that the reply was said to; empty: to this one. Then no watermark counts, only the reply's id
	To    *Cause // of a folded conversation: what took the reply already; nil: it is for this one
}

// Settled is the result of a task. A "diagnose" task ends in Diagnosis or Failed, an "answer" task in Answer, in
// Failed, or in both if the rules answered because the model failed.
type Settled struct {
	At        time.Time
	Task      Task
	Diagnosis *schema.Diagnosis
	Answer    string
	Command   string // the next command, if the answer has one; a diagnosis brings its own
	Sender    string // of the message; empty: the assistant
	Usage     schema.Usage
	Failed    string // why the model gave nothing usable, in words for people
	Unasked   bool   // Failed is why the model was not even asked
}

// Woke says that the time At has come. Calm says that what is critical of the object is not true at the moment: it is being
// watched before it is called well, and nobody is called for it meanwhile.
type Woke struct {
	At   time.Time
	Calm bool
}

// Quieted says, outside any snapshot, which silence by scope covers an open conversation now. Without one, By is who
// ended that which did.
type Quieted struct {
	At      time.Time
	Silence *Silence
	By      string
}

// Silence is one by scope, made outside the conversations that it covers. No severity breaks through it.
type Silence struct {
	ID      string
	From    time.Time // of a weekly window, when it began this time; else zero
	Until   time.Time
	By, Why string
}

// Forgotten says that nobody needs the conversation any more: nothing tells of its object.
type Forgotten struct {
	At time.Time
	By schema.Author
}

func (Found) isEvent()     {}
func (Said) isEvent()      {}
func (Settled) isEvent()   {}
func (Woke) isEvent()      {}
func (Quieted) isEvent()   {}
func (Forgotten) isEvent() {}

// Kinds of task.
const (
	TaskDiagnose = "diagnose"
	TaskAnswer   = "answer"
)

// Task is work that a conversation waits for.
type Task struct {
	Kind    string // diagnose or answer
	Message string // id of the message whose task it is
}
