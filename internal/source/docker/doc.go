// Package docker reads one Docker engine (API 1.41 and up): which services run, which should, how they failed, and what
// people did to them. It asks only for what a read-only proxy of the socket can allow: ping, info, events, the list of
// containers, and of single containers their inspection, one-shot stats and logs.
//
// Find finds the engine, as Docker's own command does.
//
// Four things go on. A watcher follows the engine's events, resumes where it was after a break, and knows when the
// engine, which keeps 256 events, may have forgotten some. Read asks for the state, folds the events that have come
// since into happenings, and judges what is wanted. A sampler asks for stats, in batches beside the readings, so that
// an engine that takes a second for each does not hold them up. A counter does the same with new log lines, of which it
// keeps how many are at error level and nothing else.
//
// Everything that decides is pure and takes times as values: judge (what is wanted), memory.fold (what happened),
// memory.replicas (how many there should be), stats and logs decoding. What must outlive the process is in memory,
// which goes out as the reading's State and comes back at Open. A happening has the same Key whenever it is reported.
//
// A container that is slow or fails to answer costs its own part of a reading and no more: that becomes unknown. The
// environment of a container is never kept and never leaves this package. A Source belongs to one goroutine.
package docker
