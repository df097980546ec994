// Package diagnose decides what is to blame and what to do next: it freezes evidence out of a snapshot, gives the
// rules' own diagnosis, builds the prompts for a model, checks what a model answers, and renders command lines.
//
// It is pure: no clock, no network, no files, no randomness. The same input gives the same bytes, so that prompts can
// be compared, cached and tested. It never runs anything.
//
// Everything that comes out of a cluster (names, labels, images, events, log lines) and everything that a model says
// is untrusted. Such text may end up in prose, cleaned and cut, but never in a command: a command is rendered from a
// verb of a closed list and from names of containers and units that stand in the snapshot and look like such names.
package diagnose
