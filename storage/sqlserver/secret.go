package sqlserver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"halley"
)

// protectedHeader begins a file whose password only the machine that wrote it can read; base64 follows.
const protectedHeader = "halley-protected-password-1\n"

// The bounds of a password and of the file that holds one, in bytes. SQL Server takes 128 characters.
const (
	maxPassword     = 512
	maxPasswordFile = 16 << 10
)

// readPassword reads the password from a file that SealPassword gave the content of, or that an administrator wrote.
func readPassword(name string) (halley.Secret, error) {
	fail := func(err error, format string, values ...any) error {
		return &halley.Error{
			Kind: halley.Invalid, Op: "read the password for SQL Server", Field: "password-file",
			Message: fmt.Sprintf(format, values...), Err: err,
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return "", fail(err, "the file cannot be opened; it must be there and be readable for the account that Halley runs under")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fail(err, "the file cannot be looked at")
	}
	if why := tooOpen(info); why != "" {
		return "", fail(nil, "%s %s", name, why)
	}
	content, err := io.ReadAll(io.LimitReader(f, maxPasswordFile+1))
	if err != nil {
		return "", fail(err, "the file cannot be read")
	}
	if len(content) > maxPasswordFile {
		return "", fail(nil, "%s is too large for a password", name)
	}
	if sealed, ok := bytes.CutPrefix(bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n")), []byte(protectedHeader)); ok {
		content, err = unseal(sealed)
		if err != nil {
			return "", fail(err, "%s was protected on another machine, or is damaged; write it again here with halley config protect-password", name)
		}
	}
	password, why := plainPassword(content)
	if why != "" {
		return "", fail(nil, "%s %s", name, why)
	}
	return password, nil
}

// plainPassword takes the one line of a text, and says what is wrong with it.
func plainPassword(text []byte) (password halley.Secret, why string) {
	text = bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF"))
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case bytes.HasPrefix(text, []byte("\xFF\xFE")), !utf8.ValidString(line), strings.ContainsRune(line, 0):
		return "", "is not UTF-8 text; halley config protect-password writes such a file"
	case line == "":
		return "", "holds no password"
	case strings.ContainsAny(line, "\r\n"):
		return "", "holds more than one line; it must hold the password alone"
	case len(line) > maxPassword:
		return "", fmt.Sprintf("holds more than %d bytes; that is no password of SQL Server", maxPassword)
	}
	return halley.Secret(line), ""
}

// unseal decodes and decrypts what follows protectedHeader.
func unseal(text []byte) ([]byte, error) {
	sealed, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		return nil, errors.New("it does not hold base64")
	}
	return unprotect(sealed)
}

// SealPassword gives the content of a file for Options.PasswordFile, which only the account of the service may read. On Windows it is
// encrypted for this machine; sealed says whether it is.
func SealPassword(password halley.Secret) (content []byte, sealed bool, err error) {
	const op = "write the password for SQL Server"
	checked, why := plainPassword([]byte(password.Reveal()))
	if why != "" {
		return nil, false, &halley.Error{Kind: halley.Invalid, Op: op, Field: "password", Message: "the input " + why}
	}
	secret, err := protect([]byte(checked.Reveal()))
	switch {
	case err != nil:
		return nil, false, &halley.Error{Kind: halley.Internal, Op: op, Message: "Windows did not encrypt the password", Err: err}
	case secret != nil:
		return []byte(protectedHeader + base64.StdEncoding.EncodeToString(secret) + "\n"), true, nil
	}
	return []byte(checked.Reveal() + "\n"), false, nil
}
