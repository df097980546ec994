package diagnose

import "github.com/bellbuoy/bellbuoy/internal/schema"

// advice is what to do about what is wrong with Bellbuoy itself.
func advice() map[string]struct{ category, do string } {
	return map[string]struct{ category, do string }{
		schema.KindClock: {CategoryConfig, "set the clock of the collector's host, or NATS's, by NTP; if both are right, its snapshots " +
			"are long on their way"},
		schema.KindChannel: {CategoryDependency, "nobody is told through it meanwhile; see the error, and bellbuoy doctor for the way there"},
		schema.KindDead:    {CategoryUnknown, "nobody handles these again; see the reason, and the letters in the stream DEAD"},
		schema.KindStream:  {CategoryResources, "the oldest messages go once it is full; find out what writes so much, or give the stream more room"},
		schema.KindModel:   {CategoryDependency, "the rules diagnose alone meanwhile; see the error, and bellbuoy doctor for the way there"},
		schema.KindBudget: {CategoryConfig, "the rules diagnose and answer until it begins anew; see which incidents took so much (bellbuoy show), " +
			"or set a larger budget for all analyzers"},
	}
}

// saidCause is all that is known of what no snapshot shows: what was said of it, and, of Bellbuoy itself, what to do.
func (r *ruler) saidCause() cause {
	c := r.unknown("nothing more is known of it than what was said")
	a, known := advice()[r.object.Kind]
	ofItself := r.object.Kind == schema.KindClock || r.snap.ClusterName == schema.OwnCluster
	if !known || !ofItself || len(r.firing) == 0 {
		return c
	}
	c.category, c.summary = a.category, a.do
	c.confidence, c.why = schema.ConfidenceMedium, "Bellbuoy itself sees it"
	return c
}
