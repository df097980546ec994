// Package eval measures whether the right people would have been told of the right things in time: it plays each scenario
// through a dry replay and compares what came of it with the scenario's ground truth. It is for tests only.
//
// A scenario NAME in testdata/scenarios is NAME.jsonl or NAME.jsonl.gz, a recording; NAME.truth, what is true of it
// whatever the code does; NAME.txt, its timeline; and NAME.why.txt, what `why` says at the moments that the truth marks.
// Mutants are the same evaluation with one thing changed: one that no scenario notices is a hole in the scenarios.
package eval
