// Package llm makes one call to one model: a prompt goes out to an OpenAI-compatible server, a completion comes back
// or an error that a person can act on. It does not know what is asked, judge what is answered, or decide whether to
// ask at all.
//
// The client library stays as it is; what real servers need beyond it (retries, limits, error bodies of every shape,
// no redirects with credentials) is in the one HTTP doer below it. What kinds of servers there are, and what each takes,
// is in one table (dialect.go); what a server turns out to refuse or to ignore is learned, used for a day, and can be
// kept for others (Learned). Answers are asked for whole, never as a stream.
//
// A Client may be used by any number of goroutines. Every call ends by Config.Timeout, retries included, and leaves no
// goroutine behind. No error, log line or metric ever shows the key.
package llm
