// Package decide is what the analyzer's watch loop thinks: of one snapshot it makes what the conversations have to be
// told, and of what each is told the conversation that comes next. Whoever stores nothing can ask it too, so that a dry
// replay decides as the analyzer does, by the same code.
//
// It is pure: no I/O, no clock, no randomness. A Step is one snapshot's and belongs to one goroutine.
package decide
