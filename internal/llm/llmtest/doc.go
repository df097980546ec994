// Package llmtest is an OpenAI-compatible model server for tests and demonstrations, over real HTTP. It is stricter
// than any real one: what it takes, the others take, and what one of them refuses, it refuses in the words of that
// one. It can answer by script and break in every way that servers break.
//
// It sends nothing by itself, sleeps nowhere, and may be used by any number of goroutines. Faults are used up in the
// order in which they were given, one per request; after them, and for requests that a fault lets through, the answer
// comes from Options.Answer, or from Answer.
package llmtest
