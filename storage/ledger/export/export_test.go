package export_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/storage/ledger"
	"halley/storage/ledger/export"
	"halley/storage/ledger/ledgertest"
	"halley/storage/ledger/verify"
)

func write(t *testing.T, m ledger.Source, from, to int64) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "export")
	if _, err := export.Write(t.Context(), export.Options{
		Source: m, Folder: folder, From: from, To: to, Version: "1", MadeAt: 1_763_700_000_000,
	}); err != nil {
		t.Fatal(err)
	}
	return folder
}

// check verifies a folder and gives findings and faults as lines.
func check(t *testing.T, folder string) (verify.Result, []string) {
	t.Helper()
	f, err := export.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	from, to := f.Days()
	r, err := verify.Run(t.Context(), verify.Options{
		Source: f, From: from, To: to, Keys: []ledger.Key{ledgertest.PublicKey("north", ledgertest.Key(1))},
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, x := range r.Findings {
		lines = append(lines, string(x.What)+": "+x.Text)
	}
	return r, append(lines, f.Faults()...)
}

func TestAnExportVerifiesLikeItsSource(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	want, err := verify.Run(t.Context(), verify.Options{Source: m, Keys: []ledger.Key{ledgertest.PublicKey("north", ledgertest.Key(1))}})
	if err != nil {
		t.Fatal(err)
	}
	got, lines := check(t, write(t, m, 0, 0))
	if len(lines) > 0 {
		t.Errorf("found %s", strings.Join(lines, "\n"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result of the export against that of the source (-want +got):\n%s", diff)
	}
}

func TestAnExportOfSomeDaysVerifies(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	folder := write(t, m, ledgertest.FirstDay+1, ledgertest.FirstDay+2)
	got, lines := check(t, folder)
	if len(lines) > 0 {
		t.Errorf("found %s", strings.Join(lines, "\n"))
	}
	if got.From != ledgertest.FirstDay+1 || got.To != ledgertest.FirstDay+2 || got.Samples == 0 || got.Batches != int64(len(m.Batches)) {
		t.Errorf("checked %+v", got)
	}
	entries, err := os.ReadDir(filepath.Join(folder, "samples"))
	if err != nil || len(entries) != 1 {
		t.Errorf("there are %v, %v", entries, err)
	}
}

func TestTamperingWithAnExportIsFound(t *testing.T) {
	t.Parallel()
	day := ledger.DayText(ledgertest.FirstDay)
	sheet := "samples/" + day + ".csv"
	replace := func(name, old, replacement string) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			path := filepath.Join(folder, filepath.FromSlash(name))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), old, replacement, 1)
			if changed == string(text) {
				t.Fatalf("%q is not in %s", old, name)
			}
			if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	line := func(name string, edit func(lines []string) []string) func(*testing.T, string) {
		return func(t *testing.T, folder string) {
			path := filepath.Join(folder, filepath.FromSlash(name))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.Join(edit(strings.SplitAfter(string(text), "\n")), "")), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		tamper func(*testing.T, string)
		want   string
	}{
		"a value":         {replace(sheet, ",20.3,0,", ",20.4,0,"), "changed: wifi 19960000, channel 1 temperature °C, " + day + "T00:00:00.000Z, batch 1: the value was 20.3 and is 20.4"},
		"a line":          {line(sheet, func(l []string) []string { return append(l[:5:5], l[6:]...) }), "missing: wifi 19960000"},
		"a line twice":    {line(sheet, func(l []string) []string { return append(l[:5:5], append([]string{l[4]}, l[5:]...)...) }), sheet + ", line 6: the line does not lie where it was written"},
		"a written time":  {replace(sheet, day+"T03:00:00.000Z", day+"T03:00:00.001Z"), sheet + ", line 5: measured_at and measured_ms are not the same instant"},
		"a device":        {replace("ledger/devices.jsonl", "19960001", "19960009"), "missing: wifi 19960001"},
		"a digest":        {line("ledger/parts/"+day+".jsonl", func(l []string) []string { return l[1:] }), "the list of what batches stored of " + day},
		"a batch":         {line("ledger/batches.jsonl", func(l []string) []string { return append(l[:5:5], l[6:]...) }), "missing: the batch that was recorded before"},
		"a fact":          {line("ledger/facts.jsonl", func(l []string) []string { return l[:len(l)-2] }), "truncated: the chain of facts"},
		"a setting":       {replace("settings/limit.jsonl", "8.5", "9.5"), `setting: the limit 1, place "Cold room 1" was changed: value was 8.5 and is 9.5`},
		"a setting twice": {line("settings/limit.jsonl", func(l []string) []string { return append(l, l[0]) }), "setting: the rows of limit are not those that were recorded (4 of 3)"},
		"a checkpoint":    {line("ledger/checkpoints.jsonl", func(l []string) []string { return append(l[:3:3], l[4:]...) }), "checkpoint: the checkpoint of node"},
		"a day more": {func(t *testing.T, folder string) {
			if err := os.WriteFile(filepath.Join(folder, "samples", "2030-01-01.csv"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "samples/2030-01-01.csv is no file of the days that the manifest names"},
		"a file of samples gone": {func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, filepath.FromSlash(sheet))); err != nil {
				t.Fatal(err)
			}
		}, "missing: wifi 19960000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := write(t, ledgertest.Site(t), 0, 0)
			c.tamper(t, folder)
			_, lines := check(t, folder)
			if !strings.Contains(strings.Join(lines, "\n"), c.want) {
				t.Errorf("found\n  %s\nwant\n  %s", strings.Join(lines, "\n  "), c.want)
			}
		})
	}
}

func TestNothingIsWrittenOverWhatIsThere(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := export.Write(t.Context(), export.Options{Source: ledgertest.Site(t), Folder: folder})
	if halley.KindOf(err) != halley.Conflict {
		t.Errorf("%v, want a Conflict", err)
	}
	if _, err := export.Open(folder); halley.KindOf(err) != halley.Invalid {
		t.Errorf("opening a folder that is no export: %v, want Invalid", err)
	}
}

func TestAnExportHasNoSecrets(t *testing.T) {
	t.Parallel()
	folder := write(t, ledgertest.Site(t), 0, 0)
	text, err := os.ReadFile(filepath.Join(folder, "settings", "credential.jsonl"))
	if err != nil || !strings.Contains(string(text), "sha256") || strings.Contains(string(text), "aGFzaCBvZiBhIHNlY3JldA") {
		t.Errorf("%s, %v", text, err)
	}
}

// TestRowsComeBackFromTheirSheet writes hostile rows and reads them back through a whole export.
func TestRowsComeBackFromTheirSheet(t *testing.T) {
	t.Parallel()
	texts := rapid.SampledFrom([]string{"", "°C", "=1+1", "'a", "a,\"b\"", "a\r\nb", `\a\r`, "-", "'\\x", "@x\ty", "\\"})
	rows := rapid.Custom(func(rt *rapid.T) ledgertest.Stored {
		s := ledgertest.Sample(1, 1, 1, 2)
		s.Row.Channels = nil
		for i := range rapid.IntRange(0, ledger.Slots).Draw(rt, "channels") {
			s.Row.Channels = append(s.Row.Channels, ledger.Channel{
				Number: rapid.IntRange(-1, 255).Draw(rt, "number"), Quantity: texts.Draw(rt, "quantity"), Unit: texts.Draw(rt, "unit"),
			})
			s.Row.Qualities[i] = ledger.Int{N: rapid.Int64().Draw(rt, "quality"), Valid: true}
			s.Row.Values[i] = ledger.Float{}
			if rapid.Bool().Draw(rt, "there") {
				s.Row.Values[i] = ledger.Float{F: rapid.OneOf(
					rapid.Float64(), rapid.SampledFrom([]float64{math.Copysign(0, -1), 5e-324, math.MaxFloat64, 0.1}),
				).Draw(rt, "value"), Valid: true}
			}
		}
		return s
	})
	for seed := range 3 {
		m := ledgertest.New(t)
		list := rapid.SliceOfN(rows, 300, 300).Example(seed)
		for i := range list {
			list[i].Row.At = halley.Millis(ledgertest.FirstDay)*halley.Day + halley.Millis(i)
			list[i].Device = halley.DeviceID(1 + i%4)
		}
		for i, serial := range []string{"=1", "a\r\n", `\`, "'"} {
			m.Devices = append(m.Devices, ledger.Device{ID: halley.DeviceID(i + 1), Family: "wifi", Serial: serial})
		}
		m.Record("north", list...)
		if _, lines := check(t, write(t, m, 0, 0)); len(lines) > 0 {
			t.Fatalf("found %s", strings.Join(lines, "\n"))
		}
	}
}

func FuzzFolder(f *testing.F) {
	// One sheet and one line of batches are hostile; the rest is as it was written.
	day := ledger.DayText(ledgertest.FirstDay)
	m := ledgertest.Site(f)
	folder := filepath.Join(f.TempDir(), "export")
	if _, err := export.Write(f.Context(), export.Options{Source: m, Folder: folder}); err != nil {
		f.Fatal(err)
	}
	sheet, err := os.ReadFile(filepath.Join(folder, "samples", day+".csv"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sheet, []byte("{\"id\":1}\n"))
	f.Add([]byte("a,b\n"), []byte(`{"id":9223372036854775807,"parts":[{"day":"2025-11-08"}]}`))
	f.Fuzz(func(t *testing.T, sheet, batches []byte) {
		copied := filepath.Join(t.TempDir(), "export")
		if err := os.CopyFS(copied, os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string][]byte{"samples/" + day + ".csv": sheet, "ledger/batches.jsonl": batches} {
			if err := os.WriteFile(filepath.Join(copied, filepath.FromSlash(name)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		x, err := export.Open(copied)
		if err != nil {
			return
		}
		// Whatever it says, it must come to an end, and not say that all is well.
		from, to := x.Days()
		r, err := verify.Run(t.Context(), verify.Options{Source: x, From: from, To: to})
		if err == nil && r.Count == 0 && len(x.Faults()) == 0 {
			t.Error("nothing was found in made-up files")
		}
	})
}

func TestSheetsAreReadableAsCSV(t *testing.T) {
	t.Parallel()
	folder := write(t, ledgertest.Site(t), 0, 0)
	in, err := os.Open(filepath.Join(folder, "samples", ledger.DayText(ledgertest.FirstDay)+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	lines, err := csv.NewReader(in).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i, c := range lines[0] {
		if v := lines[1][i]; v != "" {
			got[c] = v
		}
	}
	want := map[string]string{
		"device_family": "wifi", "device_serial": "19960000", "measured_at": "2025-11-08T00:00:00.000Z", "measured_ms": "1762560000000",
		"variant": "0", "part": "0", "batch": "1", "seq": "1", "idx": "0", "decoder": "1", "clock": "1", "sent_at": "1762560000000",
		"received_at": "1762560000120", "order_no": "6000", "kind": "0", "raw_kind": "0", "cache": "0", "interval": "600", "buffer": "0",
		"config": "3", "state": "1", "state_mask": "255", "signal": "-61", "battery": "88",
		"number1": "1", "quantity1": "temperature", "unit1": "°C", "value1": "20.3", "quality1": "0",
		"number2": "2", "quantity2": "humidity", "unit2": "%RH", "value2": "50", "quality2": "0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the first line (-want +got):\n%s", diff)
	}
}
