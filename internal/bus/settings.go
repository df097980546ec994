package bus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Drift is one setting that is not as Setup would make it.
type Drift struct{ Setting, Want, Have string }

// String is one clause, such as: max age is 1h, not 24h.
func (d Drift) String() string { return d.Setting + " is " + d.Have + ", not " + d.Want }

// setting is one setting of a stream or consumer, in words.
type setting struct{ name, value string }

// drifts lists where have differs from want. Both have the same settings in the same order.
func drifts(want, have []setting) []Drift {
	var all []Drift
	for i, w := range want {
		if h := have[i]; h.value != w.value {
			all = append(all, Drift{Setting: w.name, Want: w.value, Have: h.value})
		}
	}
	return all
}

const serverDuplicates = 2 * time.Minute // the window that a stream gets which asks for none

// streamSettings is what of a stream's configuration matters to Bellbuoy. What a declaration leaves to the server
// reads the same as what the server makes of it.
func streamSettings(c jetstream.StreamConfig) []setting {
	window := c.Duplicates
	if window == 0 {
		window = serverDuplicates
	}
	return []setting{
		{"subjects", list(c.Subjects)},
		{"storage", strings.ToLower(c.Storage.String())},
		{"retention", strings.ToLower(c.Retention.String())},
		{"discard", strings.ToLower(c.Discard.String())},
		{"replicas", fmt.Sprint(max(1, c.Replicas))},
		{"max age", age(c.MaxAge)},
		{"max bytes", limit(c.MaxBytes)},
		{"max messages", limit(c.MaxMsgs)},
		{"max messages per subject", limit(c.MaxMsgsPerSubject)},
		{"max message size", limit(int64(c.MaxMsgSize))},
		{"duplicate window", window.String()},
		{"compression", strings.ToLower(c.Compression.String())},
		{"direct get", onOff(c.AllowDirect)},
		{"atomic batches", onOff(c.AllowAtomicPublish)},
		{"message time to live", onOff(c.AllowMsgTTL)},
		{"sealed", onOff(c.Sealed)},
	}
}

// consumerSettings is the same of a consumer.
func consumerSettings(c jetstream.ConsumerConfig) []setting {
	filters := slices.Clone(c.FilterSubjects)
	if c.FilterSubject != "" {
		filters = append(filters, c.FilterSubject)
	}
	return []setting{
		{"filter", list(filters)},
		{"acknowledgement", strings.ToLower(c.AckPolicy.String())},
		{"ack wait", c.AckWait.String()},
		{"deliveries", limit(int64(c.MaxDeliver))},
		{AtOnce, limit(int64(c.MaxAckPending))},
		{"headers only", onOff(c.HeadersOnly)},
	}
}

// AtOnce names the setting that says how many messages of a consumer may be in hand, over the fleet.
const AtOnce = "messages at once"

func list(names []string) string {
	if len(names) == 0 {
		return "all"
	}
	return strings.Join(slices.Sorted(slices.Values(names)), " ")
}

func limit(n int64) string {
	if n <= 0 {
		return "unlimited"
	}
	return fmt.Sprint(n)
}

func age(d time.Duration) string {
	if d <= 0 {
		return "unlimited"
	}
	return d.String()
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
