package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"halley"
)

// passwordLineBytes bounds the line that holds a password.
const passwordLineBytes = 4096

// newPassword reads the password of an account: from a terminal twice, without showing it, else the first line.
func newPassword(ctx context.Context, s streams) (halley.Secret, error) {
	f, ok := s.in.(*os.File)
	if !ok || !isTerminal(f) {
		return firstLine(s.in)
	}
	show, err := hideInput(f)
	if err != nil {
		return "", fmt.Errorf("the terminal cannot be kept from showing the password; give it in a file instead: %w", err)
	}
	defer show()
	lines := bufio.NewReader(io.LimitReader(f, 2*passwordLineBytes))
	first, err := askLine(ctx, s.err, lines, "Password: ")
	if err != nil {
		return "", err
	}
	second, err := askLine(ctx, s.err, lines, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords are not the same: nothing was changed")
	}
	return first, nil
}

// firstLine reads the first line.
func firstLine(r io.Reader) (halley.Secret, error) {
	if r == nil {
		return "", errNoPassword()
	}
	return lineOf(bufio.NewReader(io.LimitReader(r, passwordLineBytes)))
}

// lineOf reads one line without its end.
func lineOf(r *bufio.Reader) (halley.Secret, error) {
	line, err := r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	// A byte order mark is what some editors put before a text.
	line = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(line, "\uFEFF"), "\n"), "\r")
	if line == "" {
		return "", errNoPassword()
	}
	return halley.Secret(line), nil
}

func errNoPassword() error {
	return errors.New("there is no password: give it on standard input, as in  halley user add ... < password.txt")
}

// askLine asks a person for a line. Where they stop the command, it ends without waiting for the line; the reading ends with the
// program.
func askLine(ctx context.Context, out io.Writer, lines *bufio.Reader, question string) (halley.Secret, error) {
	fmt.Fprint(out, question)
	defer fmt.Fprintln(out)
	type answer struct {
		text halley.Secret
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := lineOf(lines)
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		return a.text, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
