// Package drill plays made-up incidents through the real path: snapshots of a cluster that does not exist, published
// as a collector would, on the real clock. `bellbuoy test` is one of them on whatever runs; the demonstration has its
// own. It keeps nothing and touches nothing that is not made up.
package drill
