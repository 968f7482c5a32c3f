// Command halley-verify checks a folder that halley export wrote, on a machine of the auditor's own. It has no code of the server in
// it, only that of the documented format (docs/ledger.md), asks nobody and writes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"halley/storage/ledger"
	"halley/storage/ledger/export"
	"halley/storage/ledger/verify"
)

// version is set by the linker; see the Makefile.
var version = "unknown"

// The exit codes.
const (
	exitVerified = 0
	exitFound    = 1
	exitMisused  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = `halley-verify checks an export of Halley: that its samples, settings and audit trail are what was recorded.

Usage: halley-verify FOLDER --key FILE [--anchor FILE]...

  FOLDER         what halley export wrote
  --key FILE     the public key of the server, ledger-NODE.pub in its keys folder; may be given again.
                 Get it another way than the folder: whoever made the folder up can make a key up too
  --anchor FILE  a checkpoint that was kept elsewhere, as the server sends them; may be given again
  --version      say which version this is

It ends with 0 and a last line "verified ..." where all is as it was recorded, with 1 and a line for each finding where
it is not, with 2 where it was called wrongly.

Example: halley-verify /media/usb/export --key ledger-cold-store.pub --anchor checkpoint.txt
`

// files collects the values of an option that may be given again.
type files []string

// String gives the values.
func (f *files) String() string { return strings.Join(*f, ", ") }

// Set adds one.
func (f *files) Set(v string) error {
	*f = append(*f, v)
	return nil
}

// call is what the command line says.
type call struct {
	folder        string
	keys, anchors files
	version, help bool
}

// parse reads options before, between and behind the folder.
func parse(args []string) (c call, err error) {
	fs := flag.NewFlagSet("halley-verify", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Var(&c.keys, "key", "")
	fs.Var(&c.anchors, "anchor", "")
	fs.BoolVar(&c.version, "version", false, "")
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			c.help = errors.Is(err, flag.ErrHelp)
			return c, err
		}
		if args = fs.Args(); len(args) > 0 {
			if c.folder != "" {
				return c, fmt.Errorf("%q is too much", args[0])
			}
			c.folder, args = args[0], args[1:]
		}
	}
	switch {
	case c.version:
	case c.folder == "":
		return c, errors.New("FOLDER is missing")
	case len(c.keys) == 0:
		return c, errors.New("--key is missing: without the server's public key a checkpoint says nothing")
	}
	return c, nil
}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	c, err := parse(args)
	switch {
	case c.help:
		fmt.Fprint(out, usage)
		return exitVerified
	case err != nil:
		fmt.Fprintf(errs, "halley-verify: %v; see halley-verify --help\n", err)
		return exitMisused
	case c.version:
		fmt.Fprintln(out, "halley-verify", version)
		return exitVerified
	}
	code, err := check(ctx, &c, out, errs)
	if err != nil {
		fmt.Fprintf(errs, "halley-verify: %v\n", err)
	}
	return code
}

// check verifies a folder and tells what it found.
func check(ctx context.Context, c *call, out, errs io.Writer) (code int, err error) {
	o := verify.Options{}
	for _, name := range c.keys {
		text, err := os.ReadFile(name)
		if err != nil {
			return exitMisused, fmt.Errorf("reading a key: %w", err)
		}
		keys, err := ledger.ParseKeys(text)
		if err != nil {
			return exitMisused, fmt.Errorf("%s holds no public key of a Halley server: %w", name, err)
		}
		o.Keys = append(o.Keys, keys...)
	}
	for _, name := range c.anchors {
		text, err := os.ReadFile(name)
		if err != nil {
			return exitMisused, fmt.Errorf("reading a checkpoint: %w", err)
		}
		list, err := ledger.ParseCheckpoints(text)
		if err != nil {
			return exitMisused, fmt.Errorf("%s holds no checkpoint as Halley sends them: %w", name, err)
		}
		o.Anchors = append(o.Anchors, list...)
	}
	folder, err := export.Open(c.folder)
	if err != nil {
		return exitFound, err
	}
	o.Source = folder
	o.From, o.To = folder.Days()
	r, err := verify.Run(ctx, o)
	faults := folder.Faults()
	tell(&r, faults, out, errs)
	if err != nil {
		return exitFound, err
	}
	if r.Count > 0 || len(faults) > 0 {
		return exitFound, nil
	}
	fmt.Fprintln(out, r.Line())
	return exitVerified, nil
}

// tell writes the findings, and what a reader must know of what was checked and what not.
func tell(r *verify.Result, faults []string, out, errs io.Writer) {
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%s: %s\n", f.What, plain(f.Text))
	}
	for _, f := range faults {
		fmt.Fprintf(out, "%s: %s\n", verify.Changed, plain(f))
	}
	if more := r.Count - int64(len(r.Findings)); more > 0 {
		fmt.Fprintf(out, "and %d more\n", more)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(errs, "note: %s\n", plain(n))
	}
	fmt.Fprintf(errs, "checked: the samples of these days, all batches, %d facts (settings and audit trail) and %d checkpoints.\n"+
		"not checked: samples of other days, and whether what Halley was told was true.\n", r.Facts, r.Checkpoints)
	if r.Checkpoints == 0 {
		fmt.Fprintln(errs, "there is no checkpoint: nothing here is signed, so anybody could have made it.")
	}
	if r.Outside {
		fmt.Fprintf(errs, "a checkpoint kept elsewhere, of %s, was checked against.\n", r.AnchorAt)
	} else {
		fmt.Fprintln(errs, "no checkpoint kept elsewhere was given: who has the server's signing key could have made it all anew.")
	}
}

// plain makes a text safe for a terminal: what cannot be printed is replaced.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}
