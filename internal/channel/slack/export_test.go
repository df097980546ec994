package slack

import "time"

// SetTimeout changes how long one attempt may take.
func (ch *Channel) SetTimeout(d time.Duration) { ch.timeout = d }
