package accesstest

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"halley"
	"halley/server/access"
	"halley/server/passwords"
	"halley/storage"
)

// Password is one that every rule takes.
const Password halley.Secret = "Tram-to-Holesov.58"

// Rule is the rule of Options.
var Rule = passwords.Rule{Length: 8, Digit: true, Upper: true, Special: true}

// Cheap are parameters of Argon2id that take no time.
var Cheap = passwords.Parameters{MemoryKiB: 8, Passes: 1, Lanes: 1}

// Options gives what an Access of m is made of: cheap hashes, the usual rule, a first sign-in in a folder of its own.
func (m *Memory) Options(tb testing.TB) access.Options {
	tb.Helper()
	return access.Options{
		Tokens: access.NewTokens(m), Sessions: access.NewSessions(m), Audit: m, Directory: m, People: m,
		Passwords: passwords.New(Cheap), Rule: Rule, Address: "https://localhost:8443",
		First: access.NewFirstSignIn(access.FirstSignInOptions{
			Folder: tb.TempDir(), Address: "https://localhost:8443",
			Write: func(path string, data []byte) error { return os.WriteFile(path, data, 0o600) },
		}),
	}
}

// Person adds an active account of this name with the password Password and these grants, at the root where a grant names no node.
func (m *Memory) Person(tb testing.TB, name string, grants ...halley.Grant) halley.Person {
	tb.Helper()
	hash, err := passwords.New(Cheap).Hash(context.Background(), "", Password)
	if err != nil {
		tb.Fatal(err)
	}
	for i := range grants {
		if grants[i].OrganizationID == 0 {
			grants[i].OrganizationID = halley.RootOrganization
		}
	}
	now := halley.MillisOf(time.Now())
	p, err := m.AddPerson(context.Background(), storage.NewPerson{
		Person:  halley.Person{Name: name, State: halley.PersonActive, OrganizationID: halley.RootOrganization, Source: halley.Local},
		Grants:  grants,
		Secrets: []storage.Secret{access.PasswordSecret(0, hash, now)},
	}, halley.Change{At: now})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// passwordKey is the key of a person's password.
func passwordKey(id halley.PersonID) string { return strconv.FormatInt(int64(id), 10) }

var (
	_ access.People       = (*Memory)(nil)
	_ access.Directory    = (*Memory)(nil)
	_ access.SessionStore = (*Memory)(nil)
)
