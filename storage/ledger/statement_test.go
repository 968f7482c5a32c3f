package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley/storage/ledger"
)

// testKey is a key that is always the same.
func testKey(first byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = first
	return ed25519.NewKeyFromSeed(seed)
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey {
	public, _ := key.Public().(ed25519.PublicKey)
	return public
}

func goldenStatement() ledger.Statement {
	return ledger.Statement{
		Node: "cold store", At: 1_763_733_600_000, Kind: "hour", KeyID: ledger.KeyID(publicOf(testKey(1))), Previous: ledger.Digest{2},
		Heads: ledger.Heads{
			Batches: []ledger.Head{{Node: "a b", ID: 12, Digest: ledger.Digest{3}}, {Node: "cold store", ID: 13, Digest: ledger.Digest{4}}},
			Fact:    ledger.Head{ID: 7, Digest: ledger.Digest{5}},
		},
	}
}

func TestCheckpointsAreReadBackAndChecked(t *testing.T) {
	t.Parallel()
	key := testKey(1)
	want := goldenStatement()
	c, err := ledger.Sign(want, key)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Check(publicOf(key))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
	holdGolden(t, "testdata/checkpoint.golden", string(c.Text()))
	if _, err := c.Check(publicOf(testKey(2))); !errors.Is(err, ledger.ErrForm) {
		t.Errorf("with another key: %v, want an ErrForm", err)
	}
	for i := range c.Body {
		other := c
		other.Body = bytes.Clone(c.Body)
		other.Body[i] ^= 1
		if _, err := other.Check(publicOf(key)); err == nil {
			t.Errorf("byte %d of the body was changed and nobody noticed", i)
		}
	}
	row := c
	row.Kind = "day"
	if _, err := row.Check(publicOf(key)); err == nil {
		t.Error("a row that says something else than its text was not noticed")
	}
}

func TestCheckpointsAreFoundInFilesAndMails(t *testing.T) {
	t.Parallel()
	key := testKey(1)
	first, err := ledger.Sign(goldenStatement(), key)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ledger.Sign(ledger.Statement{Node: "n", At: 5, Kind: "start"}, key)
	if err != nil {
		t.Fatal(err)
	}
	want := []ledger.Checkpoint{first, second}
	both := string(first.Text()) + string(second.Text())
	for name, text := range map[string]string{
		"one behind the other": both,
		"a mail":               "Subject: checkpoint\r\n\r\nDear all,\r\n" + strings.ReplaceAll(both, "\n", "\r\n") + "\r\n-- \r\nHalley\r\n",
	} {
		got, err := ledger.ParseCheckpoints([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, text := range map[string]string{
		"nothing":             "",
		"another text":        "hello\n",
		"no signature":        string(first.Body),
		"a damaged signature": strings.Replace(string(first.Text()), "signature: ", "signature: !", 1),
		"a damaged line":      strings.Replace(string(first.Text()), "kind: hour", "kind:hour", 1),
		"a line too much":     strings.Replace(string(first.Text()), "kind: hour\n", "kind: hour\n\n", 1),
	} {
		if _, err := ledger.ParseCheckpoints([]byte(text)); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%s: %v, want an ErrForm", name, err)
		}
	}
}

func TestStatementsHaveOneTextAlone(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]ledger.Statement{
		"a node with a line feed": {Node: "a\nb", At: 1},
		"a node with blanks":      {Node: " a", At: 1},
		"two heads of a node": {
			Node: "a", At: 1, Heads: ledger.Heads{Batches: []ledger.Head{{Node: "a", ID: 1}, {Node: "a", ID: 2}}},
		},
	} {
		if body, err := s.Body(); err == nil {
			t.Errorf("%s: no error but %q", name, body)
		}
	}
	body, err := (&ledger.Statement{Node: "a", At: 1, Heads: goldenStatement().Heads}).Body()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(body), "\n")
	swapped := strings.Join(append(append([]string{}, lines[:len(lines)-3]...), lines[len(lines)-2], lines[len(lines)-3]), "")
	for name, text := range map[string]string{
		"heads in another order":  swapped,
		"no line feed at the end": strings.TrimSuffix(string(body), "\n"),
		"digits in capitals":      strings.ToUpper(string(body)),
		"a time with an offset":   strings.Replace(string(body), "00.001Z", "00.001+00:00", 1),
		"a number with a nought":  strings.Replace(string(body), "fact: 7", "fact: 07", 1),
	} {
		if text == string(body) {
			t.Fatalf("%s: the case changes nothing", name)
		}
		if _, err := ledger.ParseStatement([]byte(text)); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%s: %v, want an ErrForm", name, err)
		}
	}
}

func TestTombstonesAreReadBack(t *testing.T) {
	t.Parallel()
	key := testKey(1)
	want := ledger.Removal{
		FromDay: 19_000, ToDay: 19_366, At: 1_763_733_600_000, ProposedBy: "anna", CarriedOutBy: "ben", Why: "kept for two years",
		KeyID: ledger.KeyID(publicOf(key)), Rows: 5, Parts: 6,
	}
	stone, err := ledger.SignRemoval(want, key)
	if err != nil {
		t.Fatal(err)
	}
	holdGolden(t, "testdata/tombstone.golden", string(stone.Body))
	got, err := stone.Check(publicOf(key))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tombstone (-want +got):\n%s", diff)
	}
	stone.ToDay++
	if _, err := stone.Check(publicOf(key)); !errors.Is(err, ledger.ErrForm) {
		t.Errorf("a row that covers more days than its text: %v, want an ErrForm", err)
	}
}

func TestKeysAreReadBack(t *testing.T) {
	t.Parallel()
	a := ledger.Key{ID: ledger.KeyID(publicOf(testKey(1))), Node: "cold store", Public: publicOf(testKey(1)), CreatedAt: 1_763_733_600_000}
	b := ledger.Key{ID: ledger.KeyID(publicOf(testKey(2))), Node: "b", Public: publicOf(testKey(2))}
	got, err := ledger.ParseKeys([]byte("# two keys\r\n\r\n" + string(a.Text()) + string(b.Text())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ledger.Key{a, b}, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{
		"nothing": "# none\n", "another line": string(a.Text()) + "hello\n", "a short key": "halley-ledger-key AAAA 2026-11-21T14:00:00Z a\n",
	} {
		if _, err := ledger.ParseKeys([]byte(text)); !errors.Is(err, ledger.ErrForm) {
			t.Errorf("%s: %v, want an ErrForm", name, err)
		}
	}
}

func TestDigestOfABatchIsOverAllButItsNumberAndTime(t *testing.T) {
	t.Parallel()
	base := func() ledger.Batch {
		return ledger.Batch{
			ID: 5, Node: "a", JournalID: "j", FirstSeq: 1, LastSeq: 9, JournalHash: ledger.Digest{1}, RecordedAt: 77, Decoder: 1,
			Messages: 3, Samples: 6, Previous: ledger.Digest{2},
			Parts: []ledger.Part{{Batch: 5, Day: 20_000, Count: 2, Digest: ledger.Digest{3}}, {Batch: 5, Day: 20_001, Count: 1, Digest: ledger.Digest{4}}},
		}
	}
	b := base()
	want := b.Sum()
	holdGolden(t, "testdata/batch.golden", want.String()+"\n")
	seen := map[ledger.Digest]string{want: "nothing"}
	for name, change := range map[string]func(*ledger.Batch){
		"node": func(b *ledger.Batch) { b.Node = "aj" }, "journal": func(b *ledger.Batch) { b.JournalID = "" },
		"first": func(b *ledger.Batch) { b.FirstSeq++ }, "last": func(b *ledger.Batch) { b.LastSeq++ },
		"hash": func(b *ledger.Batch) { b.JournalHash[31]++ }, "decoder": func(b *ledger.Batch) { b.Decoder++ },
		"messages": func(b *ledger.Batch) { b.Messages++ }, "samples": func(b *ledger.Batch) { b.Samples++ },
		"previous": func(b *ledger.Batch) { b.Previous = ledger.Digest{} }, "a part": func(b *ledger.Batch) { b.Parts = b.Parts[:1] },
		"day": func(b *ledger.Batch) { b.Parts[0].Day++ }, "count": func(b *ledger.Batch) { b.Parts[1].Count++ },
		"digest": func(b *ledger.Batch) { b.Parts[1].Digest[0]++ },
	} {
		b := base()
		change(&b)
		if other, ok := seen[b.Sum()]; ok {
			t.Errorf("a change of %s gives the digest of a change of %s", name, other)
		}
		seen[b.Sum()] = name
	}
	b.ID, b.RecordedAt, b.Digest = 6, 78, ledger.Digest{9}
	b.Parts[0].Pack = []byte("pack")
	if b.Sum() != want {
		t.Error("number, time of recording or pack are in the digest")
	}
}

func FuzzParseCheckpoints(f *testing.F) {
	c, err := ledger.Sign(goldenStatement(), testKey(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Text())
	f.Add([]byte("halley checkpoint 1\nnode: \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := ledger.ParseCheckpoints(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrForm) {
				t.Fatalf("%v, want an ErrForm", err)
			}
			return
		}
		for _, c := range list {
			again, err := ledger.ParseCheckpoints(c.Text())
			if err != nil || len(again) != 1 || !cmp.Equal(again[0], c) {
				t.Fatalf("%q reads back as %v, %v", c.Text(), again, err)
			}
		}
	})
}

func FuzzParseRemoval(f *testing.F) {
	stone, err := ledger.SignRemoval(ledger.Removal{FromDay: 1, ToDay: 2, At: 5, Why: "why"}, testKey(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stone.Body)
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ledger.ParseRemoval(body)
		if err != nil {
			return
		}
		if again, err := r.Body(); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%q was read and is written as %q, %v", body, again, err)
		}
	})
}
