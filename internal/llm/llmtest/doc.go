// Package llmtest is the model server of the tests: package fake over real HTTP, with a record of what it was asked,
// answers by script or by what the evidence holds, the dialect of every kind of server, and every way in which servers
// break.
//
// It sends nothing by itself, sleeps nowhere, and may be used by any number of goroutines. Faults are used up in the
// order in which they were given, one per request; after them, and for requests that a fault lets through, the answer
// comes from Options.Answer, or from Answer.
package llmtest
