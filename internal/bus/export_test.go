package bus

// Backoff is for tests.
var Backoff = backoff
