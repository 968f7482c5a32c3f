package verify_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage/ledger"
	"halley/storage/ledger/ledgertest"
	"halley/storage/ledger/verify"
)

func TestAnOldCopyIsFound(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	list, anchor := m.Remembered(), m.Checkpointed[len(m.Checkpointed)-1]
	m.Cut(20)
	m.Facts = m.Facts[:12]
	m.Tables["audit"] = m.Tables["audit"][:12]
	m.Checkpointed = m.Checkpointed[:9]
	for name, c := range map[string]struct {
		against func(*verify.Options)
		want    []string
	}{
		"nothing outside": {func(*verify.Options) {}, nil},
		"the journal": {remember(list), []string{
			"truncated: the chain of node north ends with batch 105, but the journal of this server says that it had come to batch 139",
			"truncated: the chain of node south ends with batch 103, but the journal of this server says that it had come to batch 145",
		}},
		"an anchor": {anchored(anchor), []string{
			"checkpoint: the checkpoint kept outside of node north at",
			"truncated: the chain of facts (settings and audit trail) ends with fact 12, but the checkpoint kept outside",
			"truncated: the chain of node north ends with batch 105, but the checkpoint kept outside",
			"truncated: the chain of node south ends with batch 103, but the checkpoint kept outside",
		}},
	} {
		lines := texts(run(t, m, c.against))
		ok := len(lines) == len(c.want)
		for i := 0; ok && i < len(lines); i++ {
			ok = strings.HasPrefix(lines[i], c.want[i])
		}
		if !ok {
			t.Errorf("against %s found\n  %s\nwant\n  %s", name, strings.Join(lines, "\n  "), strings.Join(c.want, "\n  "))
		}
	}
}

// proof is a row of proof that says that the database was set back to the heads.
func proof(t *testing.T, m *ledgertest.Memory, kind string, heads ledger.Heads) ledger.FactRow {
	t.Helper()
	text, err := json.Marshal(map[string]any{"heads": heads})
	if err != nil {
		t.Fatal(err)
	}
	return ledger.FactRow{Table: "proof", Values: []any{int64(1), int64(m.At), "north", kind, int64(0), string(text), nil}}
}

func TestWhatWasSetBackOpenlyIsANote(t *testing.T) {
	t.Parallel()
	for _, signed := range []bool{true, false} {
		m := ledgertest.Site(t)
		list, anchor := m.Remembered(), m.Checkpointed[len(m.Checkpointed)-1]
		m.Cut(20)
		m.Facts = m.Facts[:12]
		m.Tables["audit"] = m.Tables["audit"][:12]
		m.Checkpointed = m.Checkpointed[:9]
		m.Change(proof(t, m, "set-back", m.Heads()))
		if signed {
			m.Sign("north", ledgertest.Key(1))
		}
		got := run(t, m, remember(list), anchored(anchor))
		if signed && (got.Count != 0 || len(got.Notes) < 2) {
			t.Errorf("a set-back that is signed gives the findings\n%s\nand the notes\n%s", strings.Join(texts(got), "\n"), strings.Join(got.Notes, "\n"))
		}
		if !signed && got.Count == 0 {
			t.Error("a set-back that nobody signed explains what is gone")
		}
	}
}

func TestBatchesRecordedAgainUnderOtherNumbersAreTheSame(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	list := m.Remembered()
	shift := func(id int64) int64 {
		if id > 100 {
			return id + 1
		}
		return id
	}
	for i := range m.Batches {
		m.Batches[i].ID = shift(m.Batches[i].ID)
	}
	for i := range m.Parts {
		m.Parts[i].Batch = shift(m.Parts[i].Batch)
	}
	for i := range m.Rows {
		m.Rows[i].Batch = shift(m.Rows[i].Batch)
	}
	if diff := cmp.Diff([]string(nil), texts(run(t, m, remember(list)))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestBatchesFromBeforeTheLedgerAreANote(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	later := m.Batches
	m.Batches = nil
	for i := range 3 {
		m.Batches = append(m.Batches, ledger.Batch{ID: int64(i) - 5, Node: "north", JournalID: "an older journal", FirstSeq: uint64(i), LastSeq: uint64(i)})
	}
	m.Batches = append(m.Batches, later...)
	// Batches are numbered from 1; what lies below stands for the old ones here.
	for i := range m.Batches {
		m.Batches[i].ID += 10
	}
	for i := range m.Parts {
		m.Parts[i].Batch += 10
	}
	for i := range m.Rows {
		m.Rows[i].Batch += 10
	}
	m.Rows = append(m.Rows, ledgertest.Stored{Device: 1, Batch: 6, Row: ledgertest.Sample(1, halley.Millis(ledgertest.FirstDay)*halley.Day+77, 1, 2).Row})
	m.Checkpointed = nil
	got := run(t, m)
	if got.Count != 0 || !slices.Contains(got.Notes, "3 batches were recorded before the ledger began and are not covered") {
		t.Errorf("findings %v, notes %v", texts(got), got.Notes)
	}
}

func TestRetentionLeavesAChainThatVerifies(t *testing.T) {
	t.Parallel()
	remove := func(m *ledgertest.Memory) {
		stone, err := ledger.SignRemoval(ledger.Removal{
			FromDay: ledgertest.FirstDay, ToDay: ledgertest.FirstDay + 1, At: m.At, ProposedBy: "anna", CarriedOutBy: "ben", Why: "our rule",
		}, ledgertest.Key(1))
		if err != nil {
			t.Fatal(err)
		}
		stone.ID = 1
		m.Stones = append(m.Stones, stone)
		m.Rows = slices.DeleteFunc(m.Rows, func(s ledgertest.Stored) bool { return ledger.DayOf(s.Row.At) == ledgertest.FirstDay })
		for i := range m.Parts {
			if m.Parts[i].Day == ledgertest.FirstDay {
				m.Parts[i].Pack = nil
			}
		}
	}
	for name, c := range map[string]struct {
		after func(m, before *ledgertest.Memory)
		want  []verify.What
	}{
		"untouched": {func(*ledgertest.Memory, *ledgertest.Memory) {}, nil},
		"under way": {func(m, before *ledgertest.Memory) {
			m.Parts = before.Parts
			m.Rows = before.Rows[20:]
		}, nil},
		"a sample put in":   {func(m, _ *ledgertest.Memory) { m.Rows = append(m.Rows, *m.Forge(1, 4)) }, []verify.What{verify.Added, verify.Added}},
		"another tombstone": {func(m, _ *ledgertest.Memory) { m.Stones[0].Why = "because" }, nil},
		"no tombstone":      {func(m, _ *ledgertest.Memory) { m.Stones = nil }, nil},
	} {
		m, before := ledgertest.Site(t), ledgertest.Site(t)
		remove(m)
		c.after(m, before)
		got := run(t, m)
		if strings.Contains(name, "tombstone") {
			if got.Count == 0 {
				t.Errorf("%s: nothing was found", name)
			}
			continue
		}
		var whats []verify.What
		for _, f := range got.Findings {
			whats = append(whats, f.What)
		}
		if diff := cmp.Diff(c.want, whats); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%s", name, diff, strings.Join(texts(got), "\n"))
		}
	}
}
