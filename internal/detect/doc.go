// Package detect tells what is wrong in a cluster: it folds one snapshot after the other into a small memory and
// names the conditions that are true now.
//
// It is pure: no I/O, no clock, no randomness; the same memory, snapshot, position and rules give the same bytes.
// Time is the snapshot's own taken_at, and holds advance by the time between two snapshots. One such step counts for
// at most two intervals, so that a clock that jumps, or a stretch without snapshots, neither raises nor clears
// anything by itself.
//
// Findings are levels. With every snapshot Detect names everything that is true, clear holds included, so that whoever
// acts on them may miss any result, or see it twice. A number that is nil is unknown: it raises nothing, clears
// nothing and advances no hold. A service or node that is marked stale stands still, and while any part is stale nothing
// that is absent is taken for gone. A condition whose part of the snapshot nothing reads is off: it stands still for 8
// intervals and is then dropped. One that the rules switch off is dropped at once.
//
// What is firing is then looked at together: a finding may be put down to another one, and many that begin at once are one
// storm. Either is remembered, so that an object does not come and go between two causes.
//
// After a deploy of a service that was well, what begins of it is kept back for a while; what begins again and again is
// kept open until it has been well for long.
//
// Rules are for all objects; overrides change them for those that they match, and Settings lists what they may change.
//
// Memory remembers only objects with something to remember, and is never changed in place: the one passed in stays
// as it was. It also remembers whose snapshots of the cluster are taken: those of a second collector are refused while the
// first goes on. Snapshots are folded in by one caller at a time, in whatever order they come.
//
// That no snapshot comes is the one thing that no snapshot says: Silent judges it from the memory and the time.
package detect
