package retention_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
	"halley/server/retention"
	"halley/storage"
	"halley/storage/ledger"
)

// memory is a store of rows by UTC day. It refuses to remove what no tombstone covers.
type memory struct {
	rows    map[int64]int
	audit   []halley.AuditEntry
	stones  []ledger.Tombstone
	keys    []ledger.Key
	breakAt int
	removes int
	limits  []int
	tokens  []storage.Token
}

var errBroken = errors.New("the connection broke")

func (m *memory) AddTombstone(_ context.Context, t ledger.Tombstone, c halley.Change) (int64, error) {
	t.ID = int64(len(m.stones) + 1)
	m.stones = append(m.stones, t)
	m.note(halley.AuditEntry{Change: c, What: "tombstone"})
	return t.ID, nil
}

func (m *memory) CountDays(_ context.Context, from, to int64) (rows, parts int64, err error) {
	for day, n := range m.rows {
		if day >= from && day < to {
			rows, parts = rows+int64(n), parts+1
		}
	}
	return rows, parts, nil
}

func (m *memory) RemoveDay(_ context.Context, day int64, limit int) (int64, error) {
	if !slices.ContainsFunc(m.stones, func(t ledger.Tombstone) bool { return day >= t.FromDay && day < t.ToDay }) {
		return 0, &halley.Error{Kind: halley.Conflict}
	}
	m.limits = append(m.limits, limit)
	m.removes++
	if m.removes == m.breakAt {
		return 0, errBroken
	}
	n := min(limit, m.rows[day])
	if m.rows[day] -= n; m.rows[day] == 0 {
		delete(m.rows, day)
	}
	return int64(n), nil
}

func (m *memory) LedgerDays(context.Context) (first, last int64, ok bool, err error) {
	days := slices.Sorted(maps.Keys(m.rows))
	if len(days) == 0 {
		return 0, 0, false, nil
	}
	return days[0], days[len(days)-1], true, nil
}

func (m *memory) LedgerKeys(context.Context) ([]ledger.Key, error)       { return m.keys, nil }
func (m *memory) Tombstones(context.Context) ([]ledger.Tombstone, error) { return m.stones, nil }

func (m *memory) Tokens(context.Context) ([]storage.Token, error) { return m.tokens, nil }

func (m *memory) note(e halley.AuditEntry) {
	e.ID = int64(len(m.audit) + 1)
	m.audit = append(m.audit, e)
}

func (m *memory) NoteAudit(_ context.Context, e halley.AuditEntry) error {
	m.note(e)
	return nil
}

func (m *memory) AuditWhere(_ context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error) {
	list := []halley.AuditEntry{}
	for _, e := range slices.Backward(m.audit) {
		ok := strings.HasPrefix(e.What, strings.TrimSuffix(f.What, "*")) && (f.On == "" || e.On == f.On) && (f.Before == 0 || e.ID < f.Before)
		if ok && len(list) < f.Limit {
			list = append(list, e)
		}
	}
	return list, nil
}

const (
	today = int64(20_000)
	now   = halley.Millis(today)*halley.Day + 10*halley.Hour
)

// by says that a person does something now.
func by(name, why string) halley.Change {
	return halley.Change{Actor: halley.Actor{Kind: "command", Name: name}, At: now, Why: why}
}

// signer is a key that the store knows.
func signer(t *testing.T, m *memory) func(ledger.Removal) (ledger.Tombstone, error) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("the key has no public half")
	}
	m.keys = []ledger.Key{{ID: ledger.KeyID(public), Node: "a", Public: public}}
	return func(r ledger.Removal) (ledger.Tombstone, error) { return ledger.SignRemoval(r, key) }
}

// planned makes a store with days and a plan of Anna's to remove those before day 110.
func planned(t *testing.T) (*memory, *retention.Retention, retention.Plan) {
	t.Helper()
	m := &memory{rows: map[int64]int{100: 3, 101: 4500, 109: 1, 110: 7}}
	r := retention.New(m)
	p, err := r.Plan(t.Context(), 110, by("anna", " as rule 17 says "))
	if err != nil {
		t.Fatal(err)
	}
	return m, r, p
}

func TestPlanRemovesNothingAndIsAudited(t *testing.T) {
	t.Parallel()
	m, r, p := planned(t)
	want := retention.Plan{
		FromDay: 100, ToDay: 110, Rows: 4504, Parts: 3, At: now, By: halley.Actor{Kind: "command", Name: "anna"}, Why: "as rule 17 says",
		State: retention.Open,
	}
	if diff := cmp.Diff(want, p, cmpopts.IgnoreFields(retention.Plan{}, "ID")); diff != "" {
		t.Errorf("the plan (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[int64]int{100: 3, 101: 4500, 109: 1, 110: 7}, m.rows); diff != "" || len(m.stones) != 0 {
		t.Errorf("a plan changed rows (-before +after):\n%s", diff)
	}
	entry := m.audit[0]
	if entry.What != "retention.plan" || entry.Change.Actor.Name != "anna" || entry.Change.Why != "as rule 17 says" ||
		entry.New != `{"from":"1970-04-11","to":"1970-04-21","rows":4504,"parts":3}` {
		t.Errorf("the act is %+v", entry)
	}
	for _, id := range []string{p.ID, " " + strings.ToUpper(p.ID)} {
		found, err := r.Find(t.Context(), id, now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, found); diff != "" {
			t.Errorf("found again as %q (-made +found):\n%s", id, diff)
		}
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before int64
		change halley.Change
		kind   halley.Kind
		says   string
	}{
		"without a reason":            {110, by("anna", "  "), halley.Invalid, "say why"},
		"with a reason of two lines":  {110, by("anna", "a\nb"), halley.Invalid, "one line"},
		"with a reason without end":   {110, by("anna", strings.Repeat("x", 201)), halley.Invalid, "200"},
		"of nobody":                   {110, by("unknown", "x"), halley.Forbidden, "who asks"},
		"of somebody without a name":  {110, by("", "x"), halley.Forbidden, "who asks"},
		"of today":                    {today + 1, by("anna", "x"), halley.Invalid, "2024-09-27"},
		"of a day less than a week":   {today - 6, by("anna", "x"), halley.Invalid, "over for 7 days"},
		"of days that nothing is of":  {100, by("anna", "x"), halley.NotFound, "1970-04-11"},
		"of days in a distant future": {1 << 40, by("anna", "x"), halley.Invalid, "over for 7 days"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &memory{rows: map[int64]int{100: 3}}
			_, err := retention.New(m).Plan(t.Context(), test.before, test.change)
			if halley.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Plan = %v (%v), want %v that says %q", err, halley.KindOf(err), test.kind, test.says)
			}
			if len(m.audit) != 0 {
				t.Error("a refused plan is noted")
			}
		})
	}
	m := &memory{rows: map[int64]int{100: 3}}
	if _, err := retention.New(m).Plan(t.Context(), today-7, by("anna", "x")); err != nil {
		t.Errorf("the oldest day that is young enough is refused: %v", err)
	}
}

func TestCarryingOutRemovesThePlannedDaysBehindATombstone(t *testing.T) {
	t.Parallel()
	m, r, p := planned(t)
	var exported [][2]int64
	var told []retention.Progress
	got, err := r.CarryOut(t.Context(), retention.Order{
		Plan: p.ID, Change: by("Ben", ""), Sign: signer(t, m), Tell: func(p retention.Progress) { told = append(told, p) },
		Export: func(_ context.Context, from, to int64) error {
			if len(m.stones) != 0 {
				t.Error("the tombstone stands before the export")
			}
			exported = append(exported, [2]int64{from, to})
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(retention.Removed{Plan: p, Rows: 4504, Days: 10}, got); diff != "" {
		t.Errorf("CarryOut (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[int64]int{110: 7}, m.rows); diff != "" {
		t.Errorf("rows left (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][2]int64{{100, 110}}, exported); diff != "" {
		t.Errorf("exported (-want +got):\n%s", diff)
	}
	stone := m.stones[0]
	removal, err := ledger.ParseRemoval(stone.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := ledger.Removal{
		FromDay: 100, ToDay: 110, At: now, ProposedBy: "anna", CarriedOutBy: "Ben", Why: "as rule 17 says", KeyID: m.keys[0].ID, Rows: 4504, Parts: 3,
	}
	if diff := cmp.Diff(want, removal); diff != "" {
		t.Errorf("the tombstone says (-want +got):\n%s", diff)
	}
	if !ledger.SignatureHolds(m.keys[0].Public, stone.Body, stone.Signature) {
		t.Error("the tombstone's signature does not hold")
	}
	if last := told[len(told)-1]; last != (retention.Progress{Days: 10, Of: 10, Rows: 4504}) {
		t.Errorf("the last that was told is %+v", last)
	}
	if most := slices.Max(m.limits); most > 5000 {
		t.Errorf("one transaction removes up to %d rows", most)
	}
	if _, err := r.CarryOut(t.Context(), retention.Order{Plan: p.ID, Change: by("Ben", ""), Sign: signer(t, m)}); halley.KindOf(err) != halley.Conflict {
		t.Errorf("carrying it out again = %v, want a conflict", err)
	}
}

func TestCarryingOutIsRefused(t *testing.T) {
	t.Parallel()
	late := by("ben", "")
	late.At += 31 * halley.Day
	tests := map[string]struct {
		change halley.Change
		edit   func(m *memory, o *retention.Order)
		kind   halley.Kind
		says   string
	}{
		"to the one who planned it":               {change: by("anna", ""), kind: halley.Forbidden, says: "another person"},
		"to the same name in capitals":            {change: by("ANNA", ""), kind: halley.Forbidden, says: "another person"},
		"to nobody":                               {change: by("unknown", ""), kind: halley.Forbidden, says: "who asks"},
		"when the plan is old":                    {change: late, kind: halley.Conflict, says: "30 days"},
		"for a plan that is not there":            {change: by("ben", ""), edit: func(_ *memory, o *retention.Order) { o.Plan = "x" }, kind: halley.NotFound, says: "retention list"},
		"with a key that the store does not know": {change: by("ben", ""), edit: func(m *memory, _ *retention.Order) { m.keys = nil }, kind: halley.Conflict, says: "signing key"},
		"when the export fails": {
			change: by("ben", ""), kind: halley.Unavailable, says: "nothing was removed",
			edit: func(_ *memory, o *retention.Order) {
				o.Export = func(context.Context, int64, int64) error {
					return &halley.Error{Kind: halley.Unavailable, Op: "export", Message: "the disk is full"}
				}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, r, p := planned(t)
			o := retention.Order{Plan: p.ID, Change: test.change, Sign: signer(t, m)}
			if test.edit != nil {
				test.edit(m, &o)
			}
			_, err := r.CarryOut(t.Context(), o)
			if halley.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("CarryOut = %v (%v), want %v that says %q", err, halley.KindOf(err), test.kind, test.says)
			}
			if len(m.stones) != 0 || m.removes != 0 {
				t.Error("something was removed")
			}
		})
	}
}

func TestBrokenRemovalGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	for breakAt := 1; ; breakAt++ {
		m, r, p := planned(t)
		m.breakAt = breakAt
		exports := 0
		order := retention.Order{
			Plan: p.ID, Change: by("ben", ""), Sign: signer(t, m),
			Export: func(context.Context, int64, int64) error { exports++; return nil },
		}
		first, err := r.CarryOut(t.Context(), order)
		if err == nil {
			if breakAt < 10 {
				t.Fatalf("the removal took %d steps only", breakAt)
			}
			return
		}
		if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "again") {
			t.Errorf("broken off at step %d CarryOut says %v", breakAt, err)
		}
		plans, err := r.Plans(t.Context(), now)
		if err != nil || len(plans) != 1 || plans[0].State != retention.Begun {
			t.Fatalf("the plans are then %+v, %v", plans, err)
		}
		// A month later it still goes on, by whoever may.
		order.Change.At += 40 * halley.Day
		second, err := r.CarryOut(t.Context(), order)
		if err != nil {
			t.Fatalf("going on: %v", err)
		}
		if !second.Resumed || first.Rows+second.Rows != 4504 || exports != 1 || len(m.stones) != 1 {
			t.Errorf("broken at step %d: %d and %d rows, %d exports, %d tombstones", breakAt, first.Rows, second.Rows, exports, len(m.stones))
		}
		if m.rows[100]+m.rows[101]+m.rows[109] != 0 || m.rows[110] != 7 {
			t.Errorf("rows are left: %v", m.rows)
		}
		if plans, err = r.Plans(t.Context(), now); err != nil || plans[0].State != retention.Done {
			t.Errorf("the plans are at last %+v, %v", plans, err)
		}
	}
}

func TestCancelledRemovalEndsBetweenTwoTransactions(t *testing.T) {
	t.Parallel()
	m, r, p := planned(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := r.CarryOut(ctx, retention.Order{Plan: p.ID, Change: by("ben", ""), Sign: signer(t, m), Tell: func(retention.Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) || m.removes != 1 {
		t.Errorf("CarryOut = %v after %d removals, want one and the end", err, m.removes)
	}
}

func TestPlansAreListedNewestFirstOverManyPages(t *testing.T) {
	t.Parallel()
	m := &memory{rows: map[int64]int{100: 3}}
	r := retention.New(m)
	var want []string
	for range 1201 {
		p, err := r.Plan(t.Context(), 110, by("anna", "x"))
		if err != nil {
			t.Fatal(err)
		}
		want = append([]string{p.ID}, want...)
	}
	plans, err := r.Plans(t.Context(), now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range plans {
		got = append(got, p.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("plans (-want +got):\n%s", diff)
	}
	if expired, err := r.Plans(t.Context(), now+31*halley.Day); err != nil || expired[0].State != retention.Expired {
		t.Errorf("after a month the state is %v, %v", expired[0].State, err)
	}
}
