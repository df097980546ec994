package console

import (
	"strings"

	"github.com/bellbuoy/bellbuoy/internal/client"
)

// Forgot says what was forgotten, and what of it goes by itself or stays.
func (p *Printer) Forgot(r client.ForgetResponse) {
	if r.Object != nil {
		p.write("forgot " + clean(r.Cluster+"/"+r.Object.String()) + ": its conversation is closed as removed; if it is seen failing again, it opens again\n")
		return
	}
	var b strings.Builder
	p.titled(&b, "forgot cluster "+clean(r.Cluster)+"  ", Count(r.Closed, "open conversation")+" closed as removed")
	memory := "there was none"
	if r.Memory {
		memory = "dropped: should the cluster come back, everything of it is seen for the first time"
	}
	p.row(&b, "detector memory", memory)
	if !r.Until.IsZero() {
		p.row(&b, "newest snapshot", "stays, as only who publishes it may replace it; gone by "+r.Until.In(p.o.Location).Format("2 Jan 15:04"))
	}
	p.row(&b, "counts", "the collector's own record stays, in case it comes back")
	p.row(&b, "history", "what is closed stays in bellbuoy list --all for 90 days after its last event")
	p.write(b.String())
}
