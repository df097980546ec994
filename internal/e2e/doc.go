// Package e2e is what tests and benchmarks of the whole system stand on: analyzers and notifiers over a real NATS
// server, a real HTTP receiver, made-up clusters, and waits on what happens. Only tests import it.
package e2e
