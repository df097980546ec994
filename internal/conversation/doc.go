// Package conversation is the heart of Bellbuoy: it says what becomes of the lasting thread about one object when
// something is found, said, settled or when a deadline passes. Everything else nudges, stores and tells.
//
// It is pure. It reads no clock, does no I/O, keeps nothing, and never changes what it is given: Next returns a new
// conversation that may share memory with the old one. The same conversation and event always give the same result,
// so whoever loses a compare-and-set reads the head again and asks again.
//
// The rules of the house:
//   - A message is an event. Each adds one to Revision, and its ID is <conversation>-<revision>.
//   - State is computed by one function from what happened; WakeAt is the earliest deadline still pending.
//   - Inputs carry watermarks (a sequence within one stream epoch, named by the stream's creation time); what was
//     folded in before changes nothing. Another epoch counts as newer.
//   - What a model still has to do is read from the messages: an asked message owes an answer until a later one
//     settles it, and the newest opened, or the newest reopened or worsened that says so, owes the diagnosis.
//     Such a reopened or worsened message names in Settles the message whose task it takes over.
//   - What another conversation explains is folded into it and rests. What was said to it moves, under an id by which
//     moving twice does nothing.
//   - An acknowledgement, a dismissal, a silence and a resolve cover the severity that was to be seen while they
//     held. A higher one breaks through, and a message of its own says so.
package conversation
