package bus

import (
	"slices"
	"strings"
	"time"

	"github.com/bellbuoy/bellbuoy/internal/schema"
)

// Names of the streams.
const (
	StreamContext  = "CONTEXT"
	StreamAlerts   = "ALERTS"
	StreamReplies  = "REPLIES"
	StreamFindings = "FINDINGS"
	StreamDead     = "DEAD"
)

// Parts of Bellbuoy, and people, as the topology names who may do what.
const (
	PartCollector = "collector"
	PartAnalyzer  = "analyzer"
	PartNotifier  = "notifier"
	People        = "people"
)

// Names of the durable consumers; Notify has the one of a channel.
const (
	Watch         = "watch"
	WatchFindings = "watch-findings"
	Hear          = "hear"
	Diagnose      = "diagnose"
	Answer        = "answer"
)

const notifyPrefix = "notify-"

// Notify is the name of a channel's consumer.
func Notify(channel string) string { return notifyPrefix + schema.Token(channel) }

// Setup is what the topology depends on.
type Setup struct {
	Replicas       int      // of every stream; 0 means 1
	Channels       []string // names of the channels; each gets a consumer
	LLMConcurrency int      // model calls at once in the whole fleet; 0 means 4
}

const defaultLLMConcurrency = 4

// Stream is one stream of the topology. A zero limit means none.
type Stream struct {
	Name          string
	Subjects      []Subject
	MaxAge        time.Duration
	MaxBytes      int64
	MaxPerSubject int64         // messages kept of each subject
	MaxMessage    int32         // bytes, headers included
	Duplicates    time.Duration // how long a message id is remembered; 0: the server's 2 min
	Compressed    bool
	Atomic        bool // takes atomic batches
	Expiring      bool // takes messages that carry their own time to live
}

// Subject is a pattern below the root and who may publish to it.
type Subject struct {
	Pattern string
	Writers []string
}

// Consumer is one durable pull consumer of the topology. Redelivery is unlimited: verdicts end it, not counts.
type Consumer struct {
	Name          string
	Stream        string
	Filter        string // below the root; empty: everything
	Part          string // who reads it
	AckWait       time.Duration
	MaxAckPending int
	KeptAlive     bool // handlers may take longer than AckWait: they are kept alive while they run
}

// Request is a pattern below the root that is asked and answered, and kept nowhere: who may ask and who may answer.
type Request struct {
	Pattern           string
	Askers, Answerers []string
}

// Requests is every such pattern. Where several match a subject, the first one counts.
func Requests() []Request {
	return []Request{
		{Pattern: "inspect.*.*", Askers: []string{PartAnalyzer}, Answerers: []string{PartCollector}},
		{Pattern: "api.told", Askers: []string{People}, Answerers: []string{PartNotifier}},
		{Pattern: "api.channels", Askers: []string{People}, Answerers: []string{PartNotifier}},
		{Pattern: "api.retry", Askers: []string{People}, Answerers: []string{PartNotifier}},
		{Pattern: "api.shown", Askers: []string{People}, Answerers: []string{PartNotifier}},
		{Pattern: "api.route", Askers: []string{People}, Answerers: []string{PartNotifier}},
		{Pattern: "api.*", Askers: []string{People}, Answerers: []string{PartAnalyzer}},
	}
}

const (
	day      = 24 * time.Hour
	kib      = 1 << 10
	mib      = 1 << 20
	headroom = 4 * kib // for the headers of a message whose body is as large as allowed
)

// Streams is every stream, in the order in which Setup creates them.
func Streams() []Stream {
	return []Stream{
		{
			Name: StreamContext, Subjects: written("context.*", PartCollector, People), MaxAge: day,
			MaxPerSubject: 1, MaxMessage: schema.MaxContextBytes + headroom, Compressed: true,
		},
		{
			Name: StreamAlerts, Subjects: written("alerts.>", PartAnalyzer), MaxAge: 90 * day,
			MaxBytes: 4 << 30, MaxPerSubject: 256, MaxMessage: schema.MaxAlertBytes, Atomic: true,
		},
		{
			Name: StreamReplies, Subjects: slices.Concat(written("replies.*", People), written("heard.*.*", PartNotifier, PartAnalyzer)),
			MaxAge: 30 * day, MaxBytes: 512 * mib, MaxMessage: schema.MaxReplyBytes + headroom, Duplicates: time.Hour,
		},
		{
			Name: StreamFindings, Subjects: written("findings.*", PartCollector, PartAnalyzer, PartNotifier),
			MaxAge: 7 * day, MaxBytes: 512 * mib, MaxMessage: schema.MaxFindingBytes + headroom,
		},
		{
			Name: StreamDead, Subjects: written("dead.*", PartAnalyzer, PartNotifier),
			MaxAge: 30 * day, MaxBytes: 512 * mib, MaxMessage: mib,
		},
		kept(PartCollector), kept(PartAnalyzer), kept(PartNotifier),
	}
}

func written(pattern string, writers ...string) []Subject {
	return []Subject{{Pattern: pattern, Writers: writers}}
}

func kept(part string) Stream {
	return Stream{
		Name: keptStream(part), Subjects: written("kept."+part+".>", part),
		MaxPerSubject: 1, MaxMessage: 7 * mib, Atomic: true, Expiring: true,
	}
}

func keptStream(part string) string { return "KEPT_" + strings.ToUpper(part) }

// Consumers is every durable consumer of s.
func Consumers(s Setup) []Consumer {
	calls := s.LLMConcurrency
	if calls <= 0 {
		calls = defaultLLMConcurrency
	}
	all := []Consumer{
		{Name: Watch, Stream: StreamContext, Part: PartAnalyzer, AckWait: 5 * time.Second, MaxAckPending: 256, KeptAlive: true},
		{Name: WatchFindings, Stream: StreamFindings, Part: PartAnalyzer, AckWait: 5 * time.Second, MaxAckPending: 64},
		{Name: Hear, Stream: StreamReplies, Part: PartAnalyzer, AckWait: 10 * time.Second, MaxAckPending: 64},
		{Name: Diagnose, Stream: StreamAlerts, Filter: "alerts.>", Part: PartAnalyzer, AckWait: 30 * time.Second, MaxAckPending: calls, KeptAlive: true},
		{Name: Answer, Stream: StreamAlerts, Filter: "alerts.>", Part: PartAnalyzer, AckWait: 30 * time.Second, MaxAckPending: max(1, calls/4), KeptAlive: true},
	}
	for _, channel := range s.Channels {
		all = append(all, consumerOf(Notify(channel)))
	}
	return all
}

// notifyAckWait is how long what a dead notifier had in hand stays away: a little longer than its claims stand, as before
// that nobody may go on with them.
const notifyAckWait = 25 * time.Second

// consumerOf is the table's row for name, whatever is set up; its Name is empty if there is none of that name.
func consumerOf(name string) Consumer {
	if strings.HasPrefix(name, notifyPrefix) {
		return Consumer{
			Name: name, Stream: StreamAlerts, Filter: "alerts.>", Part: PartNotifier,
			AckWait: notifyAckWait, MaxAckPending: 10_000, KeptAlive: true,
		}
	}
	for _, c := range Consumers(Setup{}) {
		if c.Name == name {
			return c
		}
	}
	return Consumer{}
}
