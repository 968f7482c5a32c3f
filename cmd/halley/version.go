package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
)

func versionCommand() *command {
	return &command{
		name:    "version",
		summary: "print the version",
		example: "halley version",
		prepare: func(*flag.FlagSet) action {
			return func(_ context.Context, io streams, _ []string) error {
				_, err := fmt.Fprintf(io.out, "halley %s %s/%s %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
				return err
			}
		},
	}
}
