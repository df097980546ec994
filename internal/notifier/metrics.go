package notifier

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellbuoy/bellbuoy/internal/channel"
	"github.com/bellbuoy/bellbuoy/internal/pace"
)

// metrics are those of all channels.
type metrics struct {
	reg   prometheus.Registerer
	posts *prometheus.CounterVec
	took  *prometheus.HistogramVec

	kept      *prometheus.CounterVec
	failovers *prometheus.CounterVec
	digested  *prometheus.CounterVec

	replies, heard, refused, ignored, reconnects *prometheus.CounterVec
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
		kept: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_held_total",
			Help: "Posts kept back by channel and why: open (the breaker), paused, gone, rate.",
		}, []string{"channel", "why"}),
		failovers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_failovers_total",
			Help: "Critical conversations that another channel told of, by the channel that could not and the other one.",
		}, []string{"channel", "through"}),
		digested: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_digested_total",
			Help: "Conversations told of in a digest, or left out as over, by channel and reason: outage, route.",
		}, []string{"channel", "reason"}),
		replies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_replies_total",
			Help: "Replies that came through a channel and were stored.",
		}, []string{"channel"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_replies_refused_total",
			Help: "Replies that came through a channel and were not stored, by reason; repeated: stored before.",
		}, []string{"channel", "reason"}),
		heard: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_heard_total",
			Help: "Replies that a channel listened to and that were stored, by kind: question, or the verb.",
		}, []string{"channel", "kind"}),
		ignored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_ignored_total",
			Help: "What came in through a channel and was not said to Bellbuoy, by reason.",
		}, []string{"channel", "reason"}),
		reconnects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "bellbuoy_notifier_reconnects_total",
			Help: "Connections on which replies come that were opened in place of one that had ended.",
		}, []string{"channel"}),
	}
	return m, errors.Join(
		m.register(m.posts), m.register(m.took), m.register(m.kept), m.register(m.failovers), m.register(m.digested),
		m.register(m.replies), m.register(m.heard), m.register(m.refused), m.register(m.ignored), m.register(m.reconnects),
	)
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

// watch publishes how many conversations of a channel wait, and how its target is.
func (m metrics) watch(channel string, w *waiting, t *target) error {
	return errors.Join(m.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "bellbuoy_notifier_waiting",
		Help:        "Conversations with a post that this notifier has put off.",
		ConstLabels: prometheus.Labels{"channel": channel},
	}, func() float64 { return float64(w.count(time.Now())) })), m.register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "bellbuoy_notifier_breaker",
		Help:        "Whether the channel's target may be posted to: 0 it may, 1 the breaker is open, 2 it is gone.",
		ConstLabels: prometheus.Labels{"channel": channel},
	}, func() float64 { return breaker(t.state()) })))
}

func breaker(s pace.State) float64 {
	switch {
	case s.Gone():
		return 2
	case s.Open():
		return 1
	}
	return 0
}

// degrades publishes how many posts of a channel arrived in a plainer form than they were made in, if it counts that.
func (m metrics) degrades(name string, ch channel.Channel) error {
	counts, ok := ch.(interface{ Degraded() uint64 })
	if !ok {
		return nil
	}
	return m.register(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name:        "bellbuoy_notifier_degraded_total",
		Help:        "Posts that the receiver refused for their form and that were sent again as plain text.",
		ConstLabels: prometheus.Labels{"channel": name},
	}, func() float64 { return float64(counts.Degraded()) }))
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

func (c channelMetrics) held(why pace.Why) {
	c.all.kept.WithLabelValues(c.channel, string(why)).Inc()
}

func (c channelMetrics) failover(through string) {
	c.all.failovers.WithLabelValues(c.channel, through).Inc()
}

func (c channelMetrics) digested(reason channel.Reason, n int) {
	c.all.digested.WithLabelValues(c.channel, string(reason)).Add(float64(n))
}
