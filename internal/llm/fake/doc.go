// Package fake is an OpenAI-compatible model server that is none: what it says comes from a script, and it says so. It
// is stricter than any real one: what it takes, the others take, and what one of them refuses, it refuses in the words
// of that one. Package llmtest adds the ways in which servers break; `bellbuoy fakemodel` and the demonstration serve
// it as it is.
//
// It sends nothing by itself, sleeps nowhere, keeps nothing, and may be used by any number of goroutines.
package fake
