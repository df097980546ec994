// Package bus is the only door to NATS: the topology, publishing, consuming, conversations stored by
// compare-and-set, each part's kept records, and the micro service. No other package imports a NATS library, and
// this one decides nothing: it stores what it is given and hands on what it finds.
//
// What it promises:
//   - Delivery is at least once and in no order. A message is a nudge: a handler decides from the newest state.
//   - A handler's error is its verdict (see Handler). A worker takes a message only when it is free to handle it, so
//     that a process that dies strands one message for each worker, and no message waits behind a busy worker
//     while another worker is idle.
//   - A write to a conversation, and to a kept record, succeeds only on top of the sequence that it names. All writers
//     of a conversation use one and the same filter, Subjects().Conversation.
//   - Sequences mean something only within one life of their stream, which Epoch names.
//   - A connection is tried for ever, and a publish that failed while it was down is not stored later.
//   - Nothing is created but by Setup.
//
// A Bus may be used by many goroutines at once.
package bus
