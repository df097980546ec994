package notifier

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of all channels.
type metrics struct {
	reg   prometheus.Registerer
	posts *prometheus.CounterVec
	took  *prometheus.HistogramVec

	replies, refused *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (metrics, error) {
	m := metrics{
		reg: reg,
		posts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_posts_total",
			Help: "Attempts to post by channel and outcome; outcome dead counts posts given up.",
		}, []string{"channel", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "bellbuoy_notifier_delivery_seconds",
			Help:    "Time from the newest event of a post to the receiver's answer.",
			Buckets: []float64{.0005, .001, .002, .004, .008, .016, .032, .064, .125, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600},
		}, []string{"channel"}),
		replies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_replies_total",
			Help: "Replies that came through a channel and were stored.",
		}, []string{"channel"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_replies_refused_total",
			Help: "Replies that came through a channel and were not stored, by reason; repeated: stored before.",
		}, []string{"channel", "reason"}),
	}
	return m, errors.Join(m.register(m.posts), m.register(m.took), m.register(m.replies), m.register(m.refused))
}

// reply counts one that came through a channel: without a reason it was stored.
func (m metrics) reply(channel, reason string) {
	if reason == "" {
		m.replies.WithLabelValues(channel).Inc()
		return
	}
	m.refused.WithLabelValues(channel, reason).Inc()
}

func (m metrics) register(c prometheus.Collector) error {
	if m.reg == nil {
		return nil
	}
	return m.reg.Register(c)
}

// watch publishes how many conversations of a channel wait.
func (m metrics) watch(channel string, w *waiting) error {
	return m.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "bellbuoy_notifier_waiting",
		Help:        "Conversations with a post that this notifier has put off.",
		ConstLabels: prometheus.Labels{"channel": channel},
	}, func() float64 { return float64(w.count(time.Now())) }))
}

// channelMetrics are those of one channel.
type channelMetrics struct {
	all     metrics
	channel string
}

func (m metrics) of(channel string) channelMetrics { return channelMetrics{m, channel} }

func (c channelMetrics) posts(outcome string) {
	c.all.posts.WithLabelValues(c.channel, outcome).Inc()
}

func (c channelMetrics) took(d time.Duration) {
	c.all.took.WithLabelValues(c.channel).Observe(max(d, 0).Seconds())
}

// waiting remembers which nudges are put off, and until when. Another notifier may get one of them back, so an entry
// counts only until a little after it was due.
type waiting struct {
	mu  sync.Mutex
	due map[string]time.Time // by subject
}

const overdue = time.Minute

func newWaiting() *waiting { return &waiting{due: map[string]time.Time{}} }

func (w *waiting) add(subject string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due[subject] = at
}

func (w *waiting) remove(subject string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.due, subject)
}

func (w *waiting) count(now time.Time) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for subject, at := range w.due {
		if now.Sub(at) > overdue {
			delete(w.due, subject)
		}
	}
	return len(w.due)
}
