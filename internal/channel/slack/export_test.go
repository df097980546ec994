package slack

import "time"

// SetTimeout changes how long one attempt may take.
func (ch *Channel) SetTimeout(d time.Duration) { ch.timeout = d }

// Hurry makes connections be opened again without a pause, and taken for dead after silence.
func (ch *Channel) Hurry(silence time.Duration) {
	ch.silence, ch.pause = silence, func(int) time.Duration { return time.Millisecond }
}
