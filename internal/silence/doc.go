// Package silence is who is told nothing for a while: silences by scope, made outside the conversations that they cover,
// for a cluster, a node with all that runs on it, one object, or whatever a matcher names. It is pure: the list of
// silences is a value, and whoever keeps it stores it by compare-and-set.
package silence
