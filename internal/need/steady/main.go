// Command steady is the program that the test containers run: the only thing in an image built from scratch. Its modes
// misbehave on demand, each in one way, so that a test can say what it wants to be detected. It is not part of the
// product.
//
//	steady run                  runs until it is told to stop, then ends with 0
//	steady exit N [after D]     ends with N, after D (a Go duration)
//	steady exit N flagged       ends with N when the flag is set, and clears it
//	steady oom                  says so, and takes memory until the kernel ends it
//	steady spam                 prints error lines, ten a second, until it is told to stop
//	steady say TEXT… exit N …   prints TEXT to stderr, then does as exit
//	steady health ok|bad|flag   a health check: passes, fails, or fails while the flag is set
//	steady flag set|clear       sets or clears the flag that "health flag" looks at
//
// Called as "/bin/sh -c WORDS", as the engine calls a health check given on a command line, it runs WORDS itself.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const flag = "/flag"

func main() {
	args := os.Args[1:]
	if len(args) == 2 && args[0] == "-c" {
		args = strings.Fields(args[1])
	}
	if len(args) == 0 {
		args = []string{"run"}
	}
	os.Exit(run(args[0], args[1:]))
}

func run(mode string, args []string) int {
	switch mode {
	case "run":
		return untilStopped(nil)
	case "spam":
		return untilStopped(func(n int) { fmt.Fprintf(os.Stderr, "ERROR request %d refused by upstream\n", n) })
	case "exit":
		return exit(args)
	case "say":
		return say(args)
	case "oom":
		return eat()
	case "health":
		return health(args)
	case "flag":
		return setFlag(args)
	}
	fmt.Fprintf(os.Stderr, "steady: no mode %q\n", mode)
	return 64
}

func untilStopped(each func(n int)) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-stop:
			return 0
		case <-tick.C:
			if each != nil {
				each(n)
			}
		}
	}
}

// exit takes "N", "N after D" or "N flagged".
func exit(args []string) int {
	if len(args) == 0 {
		return 64
	}
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return 64
	}
	if len(args) == 3 && args[1] == "after" {
		d, err := time.ParseDuration(args[2])
		if err != nil {
			return 64
		}
		time.Sleep(d)
	}
	if len(args) == 2 && args[1] == "flagged" {
		return untilFlagged(code)
	}
	return code
}

// untilFlagged ends with the code when the flag is set, or with 0 when it is told to stop. Started again it waits again.
func untilFlagged(code int) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return 0
		case <-tick.C:
			if os.Remove(flag) == nil {
				return code
			}
		}
	}
}

// say prints everything before the last "exit", and does as exit says behind it.
func say(args []string) int {
	for at, word := range slices.Backward(args) {
		if word == "exit" {
			fmt.Fprintln(os.Stderr, strings.Join(args[:at], " "))
			return exit(args[at+1:])
		}
	}
	fmt.Fprintln(os.Stderr, strings.Join(args, " "))
	return 0
}

// settle is for the engine, which begins to listen for the kernel's word of the memory only after the start; a run that
// ends before that has run out of memory unheard.
const settle = 150 * time.Millisecond

// eat touches every page that it takes, so that the memory is really used.
func eat() int {
	fmt.Fprintln(os.Stderr, "filling the cache")
	time.Sleep(settle)
	var kept [][]byte
	for {
		page := make([]byte, 1<<20)
		for i := 0; i < len(page); i += 4096 {
			page[i] = 1
		}
		kept = append(kept, page)
		if len(kept) > 1<<12 {
			return 65 // nobody limits us: do not take the machine down
		}
	}
}

func health(args []string) int {
	switch strings.Join(args, " ") {
	case "ok":
		return 0
	case "flag":
		if _, err := os.Stat(flag); err != nil {
			return 0
		}
	}
	return 1
}

func setFlag(args []string) int {
	if strings.Join(args, " ") == "clear" {
		_ = os.Remove(flag)
		return 0
	}
	if err := os.WriteFile(flag, nil, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "steady:", err)
		return 1
	}
	return 0
}
