// Package replay records snapshots into a file of JSON Lines, in the format of the file source, and plays such a file
// again: into a running system, or dry through the analyzer's own thinking alone.
//
// A recording is what was stored, line by line; what is secret in it has been taken out, or not, by whoever published
// it. A live replay changes the name of the cluster and moves all its times, and nothing else, so that holds take as
// long as they did. A dry replay needs no server and no clock: the same file always gives the same timeline. Nobody
// replies in it, and no model is asked.
package replay
