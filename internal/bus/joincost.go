package bus

import "time"

// cost is what storing records has taken lately, so that what waits goes the faster way. With the server's default sync
// that is one by one, as a batch takes the server 5 to 40 ms whatever is in it, and a record by itself some 40 µs; where
// each is synced it is a batch.
type cost struct {
	single time.Duration // of each record, where many go by themselves; 0: not known, and then nothing is joined
	batch  time.Duration // of a batch; 0: not known
}

const (
	// joinFrom is the fewest records that go in a batch.
	joinFrom = 16
	// firstBatch is what the first batch is taken to need.
	firstBatch = 20 * time.Millisecond
)

// joins tells whether so many records go in a batch.
func (c cost) joins(n int) bool {
	expected := c.batch
	if expected == 0 {
		expected = firstBatch
	}
	return n >= joinFrom && time.Duration(n)*c.single > expected
}

// afterSingle learns from a record that went by itself among so many. Few say nothing: what they take is the way to the
// server and back.
func (c cost) afterSingle(took time.Duration, among int) cost {
	if among < singlyAtOnce/2 {
		return c
	}
	c.single = toward(c.single, took/time.Duration(among), 8)
	return c
}

// afterBatch learns from a batch. What records take by themselves is not seen meanwhile: the less is known of it, the
// cheaper it is taken to be, so that it is tried again now and then.
func (c cost) afterBatch(took time.Duration) cost {
	c.batch = toward(c.batch, took, 4)
	c.single -= c.single / 32
	return c
}

// toward moves an average by one part of parts towards what was seen last.
func toward(average, seen, parts time.Duration) time.Duration {
	if average == 0 {
		return seen
	}
	return average + (seen-average)/parts
}
