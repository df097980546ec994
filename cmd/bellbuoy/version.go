package main

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"github.com/bellbuoy/bellbuoy/internal/process"
)

func versionCommand() command {
	return command{name: "version", about: "print the version", run: func(_ context.Context, out io.Writer, args []string) error {
		if len(args) > 0 {
			return usage("version", "")
		}
		fmt.Fprintf(out, "bellbuoy %s %s %s/%s\n", process.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return nil
	}}
}
