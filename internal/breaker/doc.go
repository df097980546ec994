// Package breaker decides when a server that does not answer is left alone: after a few calls in a row that it did not
// answer, for a time that doubles, and then with one call alone, whose end says whether it is asked again.
//
// It is pure: one State is shared by everybody who asks that server, who read it, let it decide and store what it
// becomes. The time is a value, of a clock that they share.
package breaker
