// Package analyzer decides: it folds snapshots, replies, deadlines and the results of model calls into conversations.
//
// It keeps nothing of its own, and any number of analyzers run side by side on the same streams. Every loop is the
// same: woken by a message, it reads the newest state, lets a pure function say what comes next, stores that by
// compare-and-set, and acks. A message may come twice, late, out of order or for nothing. There is no lock, no leader
// and no list of pending effects.
package analyzer
