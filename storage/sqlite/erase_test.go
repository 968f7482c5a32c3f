package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"halley"
	"halley/storage"
	"halley/storage/sqlite"
	"halley/storage/storagetest"
)

// private are texts that lie in what is kept of a person: the last one in pages of its own.
func private(n int) []string {
	list := []string{}
	for _, what := range []string{"NAME", "MAIL", "FORMERMAIL", "KEY", "SESSION", "FORMERDATA", "DATA"} {
		list = append(list, fmt.Sprintf("<%s %04d>", what, n))
	}
	return list
}

// addPrivate adds a person of whom private is kept.
func addPrivate(t *testing.T, s *sqlite.Store, n int) halley.PersonID {
	t.Helper()
	words := private(n)
	x := storagetest.NewPerson(fmt.Sprintf("person %d", n))
	x.FullName, x.Email = words[0], words[2]
	p, err := s.AddPerson(t.Context(), x, storagetest.By("adam"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangePerson(t.Context(), p.ID, storage.PersonUpdate{Email: &words[1]}, storagetest.By("adam")); err != nil {
		t.Fatal(err)
	}
	for _, data := range words[5:] {
		secret := storage.Secret{
			Kind: storage.SecretPasskey, Key: words[3], PersonID: p.ID, Data: bytes.Repeat([]byte(data), 400), At: storagetest.Start,
		}
		if err := s.SetSecret(t.Context(), secret, nil, "", storagetest.By("adam")); err != nil {
			t.Fatal(err)
		}
	}
	session := storage.Session{Hash: strconv.Itoa(n), PersonID: p.ID, Data: []byte(words[4]), ExpiresAt: storagetest.Start + 100*halley.Day}
	if err := s.SaveSession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// found counts the files of the database in which a text lies.
func found(t *testing.T, path, text string) int {
	t.Helper()
	list, err := filepath.Glob(path + "*")
	if err != nil || len(list) == 0 {
		t.Fatalf("the files of the database: %v, %v", list, err)
	}
	n := 0
	for _, file := range list {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(text)) {
			n++
		}
	}
	return n
}

func TestWhatIsErasedOfAPersonIsInNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "halley.db")
	s := open(t, path)
	const people = 40
	ids := []halley.PersonID{}
	for n := range people {
		ids = append(ids, addPrivate(t, s, n))
	}
	for n := 0; n < people; n += 2 {
		if err := s.DeletePerson(t.Context(), ids[n], storagetest.By("adam")); err != nil {
			t.Fatal(err)
		}
	}
	for n := range people {
		for i, text := range private(n) {
			stays := n%2 == 1 && i != 2 && i != 5
			if files := found(t, path, text); (files > 0) != stays {
				t.Errorf("%s lies in %d files of the database", text, files)
			}
		}
	}
}

func TestASecretThatIsRemovedIsWrittenOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "halley.db")
	s := open(t, path)
	addPrivate(t, s, 1)
	if err := s.RemoveSecret(t.Context(), storage.SecretPasskey, private(1)[3], "", storagetest.By("adam")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for i, text := range private(1) {
		gone := i == 2 || i == 3 || i >= 5
		if files := found(t, path, text); (files > 0) == gone {
			t.Errorf("%s lies in %d files of the database when it is closed", text, files)
		}
	}
}
