// Command halley is the server and everything with which it is administered: a file a subcommand, and this file only finds the
// one that is meant.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker; see the Makefile.
var version = "unknown"

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	io := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}
	return dispatch(ctx, root(), io, os.Args[1:])
}

// root is the table of commands.
func root() *command {
	return &command{
		name:    "halley",
		summary: "keeps every sample that your sensors send, on your own machine",
		commands: []*command{
			serveCommand(),
			initCommand(),
			userCommand(),
			tokenCommand(),
			organizationCommand(),
			deviceCommand(),
			simulateCommand(),
			serviceCommand(),
			configCommand(),
			migrateCommand(),
			backupCommand(),
			restoreCommand(),
			retentionCommand(),
			evidenceCommand(),
			verifyCommand(),
			exportCommand(),
			versionCommand(),
		},
		example: "halley serve",
	}
}
