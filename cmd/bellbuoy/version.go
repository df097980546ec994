package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime"

	"github.com/bellbuoy/bellbuoy/internal/process"
)

func versionCommand() command {
	var asJSON bool
	return command{
		name: "version", args: "[--json]", about: "print the version",
		flags: func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print JSON") },
		run: func(_ context.Context, out io.Writer, args []string) error {
			if len(args) > 0 {
				return usage("version", "[--json]")
			}
			if asJSON {
				return printJSON(out, map[string]string{"version": process.Version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			fmt.Fprintf(out, "bellbuoy %s %s %s/%s\n", process.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
