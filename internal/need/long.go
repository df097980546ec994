package need

import "os"

// LongRun is the environment variable that, when it is "1", makes tests go on for as long as they can find something:
// `make engine`, `make race`, `make properties`.
const LongRun = "BELLBUOY_LONG"

// Long tells whether this is such a run.
func Long() bool { return os.Getenv(LongRun) == "1" }

// Seeds is how many of all random courses a property is tried on: all in a long run, else the first third, because under the
// race detector each is dear, and what that looks for is not in pure code.
func Seeds(all int) int {
	if Long() {
		return all
	}
	return (all + 2) / 3
}
