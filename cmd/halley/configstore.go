package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"halley"
	"halley/config"
	"halley/server/durable"
	"halley/storage/sqlserver"
)

// checkStore looks at what the configuration says of the database, without connecting, and describes it on a line.
func checkStore(io streams, c config.Config) (string, error) {
	if c.Store.DSN == "" {
		return "embedded, in the data folder", nil
	}
	checked, err := sqlserver.Check(sqlServerOptions(c, nil))
	if err != nil {
		return "", err
	}
	for _, w := range checked.Warnings {
		fmt.Fprintln(io.err, "warning: "+w)
	}
	return fmt.Sprintf("SQL Server, the database %s on %s", checked.Database, checked.Address), nil
}

// diagnoseStore goes the way to the database and prints each step; it fails where one does.
func diagnoseStore(ctx context.Context, io streams, c config.Config) error {
	if c.Store.DSN == "" {
		_, err := fmt.Fprintln(io.out, "there is nothing to connect to: the store is a file in the data folder")
		return err
	}
	report := sqlserver.Diagnose(ctx, sqlServerOptions(c, nil))
	printReport(io.out, report)
	if !report.OK() {
		return &exitError{code: exitFailed}
	}
	return nil
}

// printReport writes a line for each step, with what to do below it.
func printReport(w io.Writer, r sqlserver.Report) {
	const column = "%-9s%s\n"
	for _, s := range r.Steps {
		text := s.Text
		if s.Code != "" {
			text += " [" + s.Code + "]"
		}
		fmt.Fprintf(w, column, s.Outcome, text)
		for _, a := range s.Advice {
			fmt.Fprintf(w, column, "", a)
		}
	}
}

func protectPasswordCommand() *command {
	return &command{
		name:    "protect-password",
		summary: "write a file for [store] password-file",
		about: "Reads the password of the database's login from standard input, one line, and writes it to a file for this account\n" +
			"alone. On Windows the content is encrypted, so that only this machine can read it.",
		example: "halley config protect-password --out /etc/halley/store-password <password.txt",
		prepare: func(fs *flag.FlagSet) action {
			out := fs.String("out", "", "the `FILE` to write; one that is there is replaced")
			return func(_ context.Context, io streams, _ []string) error {
				if *out == "" {
					return misuse("--out is missing")
				}
				password, err := readPassword(io.in)
				if err != nil {
					return err
				}
				content, protected, err := sqlserver.SealPassword(password)
				if err != nil {
					return err
				}
				if err := durable.WriteFile(*out, durable.Options{Shared: true}, durable.Content(content)); err != nil {
					return fmt.Errorf("the file cannot be written: %w", err)
				}
				text := "written, readable for this account alone (mode 0600) and not encrypted; give it to the account of the service"
				if protected {
					text = "written, encrypted for this machine; let only SYSTEM, Administrators and the account of the service read it"
				}
				_, err = fmt.Fprintf(io.out, "%s: %s\n", *out, text)
				return err
			}
		},
	}
}

// readPassword reads one line.
func readPassword(in io.Reader) (halley.Secret, error) {
	const longest = 1024
	line, err := bufio.NewReader(io.LimitReader(in, longest)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password from standard input: %w", err)
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", misuse("there is no password on standard input: write it there, as in: halley config protect-password --out FILE <password.txt")
	}
	return halley.Secret(line), nil
}
