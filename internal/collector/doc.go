// Package collector turns what sources see into snapshots of one cluster and publishes them. It alone needs access to
// the platforms; it decides nothing about what it sees.
//
// Each source is read by a goroutine of its own, once for each snapshot, within a budget of time. A source that is
// late or fails keeps the last part that it gave, marked stale, and what it gives late goes into the next snapshot. What
// the machine does not have is left out, unless it was asked for by name.
// Snapshots are taken at a slightly varied interval, and once more soon after a source reports that something
// happened, but never more than once a second for that reason.
//
// What must outlive the process stands in one kept record for each cluster: the windows of failures and restarts, the
// totals, the newest events, the keys of what has been counted, and each source's own state. The record is stored
// before the snapshot that reports it, so that a collector killed in between forgets nothing, and since a source's
// state is stored together with what it reported up to then, nothing is counted twice. A collector of the same id meets
// the same record by compare-and-set and counts on from there; one on another machine leaves it to its owner until that
// has said goodbye or fallen silent.
package collector
