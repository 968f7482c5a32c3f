package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// The exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitMisused = 2
)

// streams are what a command reads, writes and knows of its surroundings.
type streams struct {
	in       io.Reader
	out, err io.Writer
	// environ is as os.Environ gives it.
	environ []string
	// trail is what the audit trail is to know of the command; nil outside one.
	trail *trail
}

// command is one word of the command line: a group of others, something to do, or both.
type command struct {
	name string
	// arguments names what follows the options, such as "SERIAL"; every word must be given.
	arguments string
	// summary is half a sentence for the list of commands; about is what else help says; example is a whole line.
	summary, about, example string
	commands                []*command
	// prepare adds the options to fs and gives what to do once they are read.
	prepare func(fs *flag.FlagSet) action
}

// action does the work of a command.
type action func(ctx context.Context, io streams, args []string) error

// misuseError is a command line that cannot be right.
type misuseError struct{ why string }

// Error says what is wrong.
func (e *misuseError) Error() string { return e.why }

func misuse(format string, args ...any) error {
	return &misuseError{why: fmt.Sprintf(format, args...)}
}

// exitError ends the program with a code; what there is to say has been said.
type exitError struct{ code int }

// Error is never shown.
func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// dispatch finds the command that args mean, does it and gives the exit code.
func dispatch(ctx context.Context, c *command, io streams, args []string) int {
	path := []string{c.name}
	for len(c.commands) > 0 && !c.meansItself(args) {
		if len(args) == 0 {
			c.help(io.err, path)
			return exitMisused
		}
		word := args[0]
		if isHelp(word) {
			args = args[1:]
			if word != "help" || len(args) == 0 {
				c.help(io.out, path)
				return exitDone
			}
			// "halley help token" is "halley token --help".
			args = append(args, "--help")
			continue
		}
		next := c.find(word)
		if next == nil {
			fmt.Fprintf(io.err, "%s: there is no command %q; see %s --help\n", strings.Join(path, " "), word, strings.Join(path, " "))
			return exitMisused
		}
		c, args, path = next, args[1:], append(path, word)
	}
	return c.do(ctx, io, path, args)
}

// meansItself says that args mean a command that has others below it, and none of these.
func (c *command) meansItself(args []string) bool {
	return c.prepare != nil && (len(args) == 0 || strings.HasPrefix(args[0], "-") && !isHelp(args[0]))
}

func isHelp(word string) bool {
	return word == "help" || word == "--help" || word == "-help" || word == "-h"
}

func (c *command) find(word string) *command {
	for _, sub := range c.commands {
		if sub.name == word {
			return sub
		}
	}
	return nil
}

// do runs one command.
func (c *command) do(ctx context.Context, io streams, path, args []string) int {
	name := strings.Join(path, " ")
	fs := newFlagSet(name)
	act := c.prepare(fs)
	rest, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		c.help(io.out, path)
		return exitDone
	}
	if err == nil {
		err = c.checkArguments(rest)
	}
	if err == nil {
		io.trail = newTrail(name, fs, rest)
		err = act(ctx, io, rest)
		io.trail.note(ctx, io, err)
	}
	if err == nil {
		return exitDone
	}
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	if _, ok := errors.AsType[*misuseError](err); ok {
		fmt.Fprintf(io.err, "%s: %v; see %s --help\n", name, err, name)
		return exitMisused
	}
	fmt.Fprintf(io.err, "%s: %v\n", name, err)
	return exitFailed
}

func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs
}

// parse reads options before, between and behind the arguments, and gives the arguments. What follows "--" is no option.
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		before := len(args)
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, &misuseError{why: plainFlagError(err)}
		}
		left := fs.Args()
		if used := before - len(left); used > 0 && args[used-1] == "--" {
			return append(rest, left...), nil
		}
		if len(left) == 0 {
			return rest, nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
	return rest, nil
}

// plainFlagError says in our words what package flag says in its own.
func plainFlagError(err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return "there is no option --" + strings.TrimPrefix(name, "-")
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return "the option --" + strings.TrimPrefix(name, "-") + " needs a value"
	}
	return text
}

// checkArguments holds the arguments against the names that the command gives them.
func (c *command) checkArguments(rest []string) error {
	names := strings.Fields(c.arguments)
	if len(rest) < len(names) {
		return misuse("%s is missing", names[len(rest)])
	}
	if len(rest) > len(names) {
		return misuse("%q is too much", rest[len(names)])
	}
	return nil
}

// help writes what the command is for.
func (c *command) help(w io.Writer, path []string) {
	name := strings.Join(path, " ")
	fmt.Fprintf(w, "%s: %s\n\n", name, c.summary)
	if len(c.commands) > 0 {
		fmt.Fprintf(w, "Usage: %s COMMAND [options]\n", name)
	}
	if c.prepare != nil {
		fmt.Fprintf(w, "Usage: %s\n", strings.Join(append(slices.Clip(path), strings.Fields(c.arguments+" [options]")...), " "))
	}
	if c.about != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.about))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(c.commands) > 0 {
		fmt.Fprint(w, "\nCommands:\n")
		for _, sub := range c.commands {
			fmt.Fprintf(table, "  %s\t%s\n", sub.name, sub.summary)
		}
		_ = table.Flush()
	}
	if c.prepare != nil {
		helpOptions(table, c)
	}
	_ = table.Flush()
	if c.example != "" {
		fmt.Fprintf(w, "\nExample:\n  %s\n", strings.ReplaceAll(c.example, "\n", "\n  "))
	}
	if len(c.commands) > 0 {
		fmt.Fprintf(w, "\n%s COMMAND --help says more of a command.\n", name)
	}
}

// helpOptions lists the options of a command.
func helpOptions(w io.Writer, c *command) {
	fs := newFlagSet(c.name)
	c.prepare(fs)
	first := true
	fs.VisitAll(func(f *flag.Flag) {
		if first {
			fmt.Fprint(w, "\nOptions:\n")
			first = false
		}
		placeholder, usage := flag.UnquoteUsage(f)
		if placeholder != "" {
			placeholder = " " + placeholder
		}
		fmt.Fprintf(w, "  --%s%s\t%s\n", f.Name, placeholder, usage)
	})
}
