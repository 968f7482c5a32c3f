package verify_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"halley"
	"halley/storage/ledger"
	"halley/storage/ledger/ledgertest"
	"halley/storage/ledger/verify"
)

func trusted() []ledger.Key { return []ledger.Key{ledgertest.PublicKey("north", ledgertest.Key(1))} }

func run(t *testing.T, m *ledgertest.Memory, change ...func(*verify.Options)) verify.Result {
	t.Helper()
	o := verify.Options{Source: m, Keys: trusted()}
	for _, c := range change {
		c(&o)
	}
	got, err := verify.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// texts gives findings as lines.
func texts(r verify.Result) []string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, string(f.What)+": "+f.Text)
	}
	return lines
}

func remember(list []verify.Remembered) func(*verify.Options) {
	return func(o *verify.Options) {
		o.Remembered = func(yield func(verify.Remembered, error) bool) {
			for _, m := range list {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
}

func anchored(c ...ledger.Checkpoint) func(*verify.Options) {
	return func(o *verify.Options) { o.Anchors = c }
}

func TestUntouchedIsFoundAsItIs(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	got := run(t, m, remember(m.Remembered()), anchored(m.Checkpointed[5]))
	if diff := cmp.Diff([]string(nil), texts(got)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if got.Samples != int64(2*len(m.Rows)) || got.Batches != int64(len(m.Batches)) || got.Facts != int64(len(m.Facts)) ||
		got.Checkpoints != int64(len(m.Checkpointed)) || !got.Outside || got.AnchorAt != m.Checkpointed[5].At || !got.Signed {
		t.Errorf("checked %+v", got)
	}
	if got.From != ledgertest.FirstDay-1 || got.To != ledgertest.FirstDay+3 {
		t.Errorf("checked from %s to %s", ledger.DayText(got.From), ledger.DayText(got.To))
	}
	want := []string{"checkpoints of node south were checked with a key that only the database itself names (" + m.Keys[1].ID + ")"}
	if diff := cmp.Diff(want, got.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestWhatComesInMeanwhileIsNoFinding(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	n := 0
	m.Hook = func() {
		n++
		if n%7 == 0 && n < 200 {
			at := halley.Millis(ledgertest.FirstDay)*halley.Day + halley.Millis(n)
			m.Record([]string{"north", "south"}[n%2], ledgertest.Sample(1, at, 1, 2), ledgertest.Sample(2, at+2*halley.Day, 3, 4))
			m.Change(ledger.FactRow{Table: "audit", Values: []any{
				int64(1000 + n), int64(m.At), "session", "ben", "s2", "sign-in", "", nil, nil, "", nil,
			}}, ledger.FactRow{Table: "device_description", Values: []any{int64(1), int64(n), int64(m.At), "accepted", "", "", "x", nil, nil, nil}})
			m.Sign("north", ledgertest.Key(1))
		}
	}
	list := m.Remembered()
	if diff := cmp.Diff([]string(nil), texts(run(t, m, remember(list)))); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestTamperingIsFoundAndNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tamper func(m *ledgertest.Memory)
		// want are the findings, each as how it begins and, behind "...", what it has in it.
		want []string
	}{
		"a value": {
			func(m *ledgertest.Memory) { m.Find(2, 10).Row.Values[0].F = 25 },
			[]string{"changed: wifi 19960001, channel 1 temperature °C, 2025-11-08T10:00:00.000Z, batch 25: the value was 21.2 and is 25"},
		},
		"a value to the last bit": {
			func(m *ledgertest.Memory) { m.Find(2, 10).Row.Values[0].F = 21.200000000000003 },
			[]string{"changed: wifi 19960001, channel 1 temperature °C, 2025-11-08T10:00:00.000Z, batch 25: the value was 21.2 and is 21.200000000000003"},
		},
		"a quality": {
			func(m *ledgertest.Memory) { m.Find(2, 10).Row.Qualities[1].N = int64(halley.NotReady) },
			[]string{"changed: wifi 19960001, channel 2 humidity %RH, 2025-11-08T10:00:00.000Z, batch 25: the quality was good (0) and is not-ready (4)"},
		},
		"a time": {
			func(m *ledgertest.Memory) { m.Find(2, 10).Row.At += 60_000 },
			[]string{
				"moved: wifi 19960001, channel 1 temperature °C, 2025-11-08T10:00:00.000Z, batch 25 (value 21.2) was moved to 2025-11-08T10:01:00.000Z",
				"moved: wifi 19960001, channel 2 humidity %RH, 2025-11-08T10:00:00.000Z, batch 25 (value 52) was moved to 2025-11-08T10:01:00.000Z",
			},
		},
		"a time to another day": {
			func(m *ledgertest.Memory) { m.Find(2, 10).Row.At += halley.Day + 7 },
			[]string{
				"missing: wifi 19960001, channel 1 temperature °C, 2025-11-08T10:00:00.000Z, batch 25 (value 21.2) was recorded and is gone",
				"missing: wifi 19960001, channel 2 humidity %RH, 2025-11-08T10:00:00.000Z, batch 25 (value 52) was recorded and is gone",
				"added: wifi 19960001, channel 1 temperature °C, 2025-11-09T10:00:00.007Z, batch 25 (value 21.2) was never recorded: the batch stored nothing of that day",
				"added: wifi 19960001, channel 2 humidity %RH, 2025-11-09T10:00:00.007Z, batch 25 (value 52) was never recorded: the batch stored nothing of that day",
			},
		},
		"when it was received": {
			func(m *ledgertest.Memory) { m.Find(2, 10).Row.Head[ledger.HeadReceivedAt].N += 1000 },
			[]string{"changed: wifi 19960001, message of 2025-11-08T10:00:00.000Z, batch 25: received_at was 2025-11-08T10:00:00.120Z and is 2025-11-08T10:00:01.120Z"},
		},
		"a deletion": {
			func(m *ledgertest.Memory) { m.Remove(1, 20) },
			[]string{
				"missing: wifi 19960002, channel 1 temperature °C, 2025-11-08T20:00:00.000Z",
				"missing: wifi 19960002, channel 2 humidity %RH, 2025-11-08T20:00:00.000Z",
			},
		},
		"an insertion": {
			func(m *ledgertest.Memory) {
				x := *m.Find(1, 20)
				x.Row.At += 5
				x.Row.Values[0].F = 99
				m.Rows = append(m.Rows, x)
			},
			[]string{
				"added: wifi 19960002, channel 1 temperature °C, 2025-11-08T20:00:00.005Z",
				"added: wifi 19960002, channel 2 humidity %RH, 2025-11-08T20:00:00.005Z",
			},
		},
		"a copy to another device": {
			func(m *ledgertest.Memory) {
				x := *m.Find(1, 20)
				x.Row.At += 5
				x.Device = 3
				m.Rows = append(m.Rows, x)
			},
			[]string{
				"added: wifi 19960000, channel 1 temperature °C, 2025-11-08T20:00:00.005Z",
				"added: wifi 19960000, channel 2 humidity %RH, 2025-11-08T20:00:00.005Z",
			},
		},
		"a move to another device": {
			func(m *ledgertest.Memory) {
				x := m.Find(1, 20)
				x.Row.At += 5
				x.Device = 3
			},
			[]string{
				"moved: wifi 19960002, channel 1 temperature °C, 2025-11-08T20:00:00.000Z...was moved to wifi 19960000, 2025-11-08T20:00:00.005Z",
				"moved: wifi 19960002, channel 2 humidity %RH, 2025-11-08T20:00:00.000Z...was moved to wifi 19960000, 2025-11-08T20:00:00.005Z",
			},
		},
		"an exchange of two values": {
			func(m *ledgertest.Memory) {
				a, b := m.Find(1, 20), m.Find(1, 22)
				a.Row.Values[0], b.Row.Values[0] = b.Row.Values[0], a.Row.Values[0]
			},
			[]string{
				"changed: wifi 19960002, channel 1 temperature °C, 2025-11-08T20:00:00.000Z...the value was 22.1 and is 22.3",
				"changed: wifi 19960002, channel 1 temperature °C, 2025-11-08T22:00:00.000Z...the value was 22.3 and is 22.1",
			},
		},
		"an insertion into a batch that is to come": {
			func(m *ledgertest.Memory) {
				x := *m.Find(1, 20)
				x.Row.At, x.Batch = x.Row.At+5, 9999
				m.Rows = append(m.Rows, x)
			},
			[]string{
				"added: wifi 19960002, channel 1 temperature °C...was never recorded: there is no such batch",
				"added: wifi 19960002, channel 2 humidity %RH...was never recorded: there is no such batch",
			},
		},
		"a part": {
			func(m *ledgertest.Memory) { m.Parts[3].Count++ },
			[]string{"changed: batch 7 of node south", "changed: the part of batch 7 for 2025-11-08 says that it has 4 messages, and 3 were recorded"},
		},
		"a part that is gone": {
			func(m *ledgertest.Memory) { m.Parts = slices.Delete(m.Parts, 3, 4) },
			[]string{
				"changed: batch 7 of node south",
				"added: wifi 19960000, channel 1", "added: wifi 19960000, channel 2", "added: wifi 19960001, channel 1",
				"added: wifi 19960001, channel 2", "added: wifi 19960002, channel 1", "added: wifi 19960002, channel 2",
			},
		},
		"a value with the pack": {
			func(m *ledgertest.Memory) {
				m.Find(2, 3).Row.Values[0].F = 25
				m.Parts[3].Pack = m.Pack([]byte{1})
			},
			[]string{"changed: the samples that batch 7 stored of 2025-11-08 are not what was recorded (3 messages are there, 3 were recorded); which ones cannot be said"},
		},
		"a value, its pack and its digest": {
			func(m *ledgertest.Memory) {
				x := m.Find(2, 3)
				x.Row.Values[0].F = 25
				var e ledger.Encoder
				var rows []ledgertest.Stored
				for _, s := range m.Rows {
					if s.Batch == 7 {
						rows = append(rows, s)
					}
				}
				m.Sort(rows)
				for _, s := range rows {
					e.Add(m.Device(s.Device), &s.Row)
				}
				m.Parts[3].Pack, m.Parts[3].Digest = m.Pack(e.Bytes()), e.Sum()
			},
			[]string{"changed: batch 7 of node south (entries 4 to 6 of its journal): its row, or the list of its parts, is not what was recorded"},
		},
		"a batch": {
			func(m *ledgertest.Memory) { m.Batches[6].LastSeq++ },
			[]string{"changed: batch 13 of node south (entries 7 to 10"},
		},
		"a batch without its digest": {
			func(m *ledgertest.Memory) { m.Batches[10].Digest = ledger.Digest{} },
			[]string{"changed: batch 21 of node south has no digest", "missing: the batch that was recorded before batch 23 of node south"},
		},
		"a batch that is gone": {
			func(m *ledgertest.Memory) {
				m.Batches = slices.Delete(m.Batches, 10, 11)
				m.Parts = slices.DeleteFunc(m.Parts, func(p ledger.Part) bool { return p.Batch == 21 })
				m.Rows = slices.DeleteFunc(m.Rows, func(s ledgertest.Stored) bool { return s.Batch == 21 })
			},
			[]string{
				"missing: the batch that was recorded before batch 23 of node south is gone...the entries 15 to 17 of the journal of node south are in no batch",
			},
		},
		"batches in another order": {
			func(m *ledgertest.Memory) {
				a, b := m.Batches[10].ID, m.Batches[11].ID
				swap := func(id int64) int64 {
					switch id {
					case a:
						return b
					case b:
						return a
					}
					return id
				}
				for i := range m.Batches {
					m.Batches[i].ID = swap(m.Batches[i].ID)
				}
				for i := range m.Parts {
					m.Parts[i].Batch = swap(m.Parts[i].Batch)
				}
				for i := range m.Rows {
					m.Rows[i].Batch = swap(m.Rows[i].Batch)
				}
			},
			[]string{
				"reordered: batch 21 of node south was recorded behind batch 23, but it now lies behind batch 17",
				"reordered: batch 23 of node south was recorded behind batch 17, but it now lies behind batch 21",
				"reordered: batch 27 of node south was recorded behind batch 21, but it now lies behind batch 23",
			},
		},
		"the end of the chain": {
			func(m *ledgertest.Memory) { m.Cut(12) },
			[]string{
				"truncated: the chain of node north ends with batch 121, but the checkpoint of node south at",
				"truncated: the chain of node south ends with batch 119, but the checkpoint of node north at",
			},
		},
		"the end of the facts": {
			func(m *ledgertest.Memory) {
				m.Facts = m.Facts[:len(m.Facts)-1]
				m.Tables["audit"] = m.Tables["audit"][:len(m.Tables["audit"])-1]
			},
			[]string{"truncated: the chain of facts (settings and audit trail) ends with fact 15"},
		},
		"a checkpoint's text": {
			func(m *ledgertest.Memory) {
				m.Checkpointed[4].Body = []byte(strings.Replace(string(m.Checkpointed[4].Body), "kind: hour", "kind: stop", 1))
			},
			[]string{"checkpoint: the checkpoint of node north at", "checkpoint: the checkpoint of node north at"},
		},
		"a checkpoint of another key": {
			func(m *ledgertest.Memory) {
				s, err := m.Checkpointed[4].Statement()
				if err != nil {
					t.Fatal(err)
				}
				c, err := ledger.Sign(s, ledgertest.Key(9))
				if err != nil {
					t.Fatal(err)
				}
				c.ID = m.Checkpointed[4].ID
				m.Checkpointed[4] = c
			},
			[]string{"checkpoint: the checkpoint of node north at...signed with a key that is not known", "checkpoint: the checkpoint of node north at...was not made behind"},
		},
		"a checkpoint of a key that was put in": {
			func(m *ledgertest.Memory) {
				m.Keys = append(m.Keys, ledgertest.PublicKey("north", ledgertest.Key(9)))
				m.Sign("north", ledgertest.Key(9))
			},
			[]string{"checkpoint: the checkpoint of node north at...signed with a key that is not known"},
		},
		"a checkpoint that is gone": {
			func(m *ledgertest.Memory) { m.Checkpointed = slices.Delete(m.Checkpointed, 4, 5) },
			[]string{"checkpoint: the checkpoint of node north at...was not made behind that of"},
		},
		"an entry of the audit trail": {
			func(m *ledgertest.Memory) { m.Setting("audit", 3).Values[3] = "nobody" },
			[]string{`audit: the entry of the audit trail 4 (2025-11-08T00:00:03.000Z, "device.accept" by "anna") was changed: actor_name was "anna" and is "nobody"`},
		},
		"an entry of the audit trail that is gone": {
			func(m *ledgertest.Memory) { m.Tables["audit"] = slices.Delete(m.Tables["audit"], 2, 3) },
			[]string{`audit: the entry of the audit trail 3 (2025-11-08T00:00:02.000Z, "device.accept" by "anna") is gone`},
		},
		"an entry of the audit trail that was put in": {
			func(m *ledgertest.Memory) {
				r := ledger.FactRow{Table: "audit", Values: slices.Clone(m.Tables["audit"][2].Values)}
				r.Values[0] = int64(77)
				m.Tables["audit"] = append(m.Tables["audit"], r)
			},
			[]string{`audit: the entry of the audit trail 77 (2025-11-08T00:00:02.000Z, "device.accept" by "anna") was added behind Halley's back`},
		},
		"an attachment": {
			func(m *ledgertest.Memory) { m.Setting("attachment", 0).Values[3] = int64(1) },
			[]string{`setting: the attachment 3, device wifi 19960000 channel 1 temperature °C, place "Cold room 3" was changed: place_id was 3 and is 1`},
		},
		"a limit": {
			func(m *ledgertest.Memory) { m.Setting("limit", 1).Values[7] = 12.5 },
			[]string{`setting: the limit 2, place "Cold room 2" was changed: value was 8.5 and is 12.5`},
		},
		"a channel's unit": {
			func(m *ledgertest.Memory) { m.Setting("channel", 1).Values[4] = "°F" },
			[]string{`setting: the channel 2, device wifi 19960001 channel 1 temperature °F, device wifi 19960001 was changed: unit was "°C" and is "°F"`},
		},
		"the hash of a credential": {
			func(m *ledgertest.Memory) { m.Setting("credential", 1).Values[3] = []byte("of another secret") },
			[]string{"setting: the credential 2, device wifi 19960001 was changed: hash was a hash (SHA-256 "},
		},
		"a fact": {
			func(m *ledgertest.Memory) { m.Facts[3].At++ },
			[]string{"setting: fact 4 (2025-11-08T00:00:04.001Z)"},
		},
		"a channel in the layout": {
			func(m *ledgertest.Memory) {
				channels := slices.Clone(ledgertest.Channels())
				channels[0].Unit = "°F"
				m.Find(2, 10).Row.Channels = channels
			},
			[]string{"changed: wifi 19960001, channel 1 temperature °C, 2025-11-08T10:00:00.000Z, batch 25: the channel was channel 1 temperature °C and is channel 1 temperature °F"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := ledgertest.Site(t)
			c.tamper(m)
			got := run(t, m)
			lines := texts(got)
			ok := len(lines) == len(c.want)
			for i := 0; ok && i < len(lines); i++ {
				begin, within, _ := strings.Cut(c.want[i], "...")
				ok = strings.HasPrefix(lines[i], begin) && strings.Contains(lines[i], within)
			}
			if !ok {
				t.Errorf("found\n  %s\nwant\n  %s", strings.Join(lines, "\n  "), strings.Join(c.want, "\n  "))
			}
			if got.Count != int64(len(lines)) {
				t.Errorf("%d findings are counted, %d are there", got.Count, len(lines))
			}
		})
	}
}

func TestAnExchangeOfTwoSerialsIsFound(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	m.Devices[0].Serial, m.Devices[1].Serial = m.Devices[1].Serial, m.Devices[0].Serial
	a, b := m.Setting("device", 0), m.Setting("device", 1)
	a.Values[2], b.Values[2] = b.Values[2], a.Values[2]
	got := run(t, m)
	settings, samples := 0, 0
	for _, f := range got.Findings {
		switch f.What {
		case verify.Setting:
			settings++
		case verify.Changed, verify.Moved, verify.Missing, verify.Added:
			samples++
		default:
			t.Errorf("found %s: %s", f.What, f.Text)
		}
	}
	if settings != 2 || samples == 0 {
		t.Errorf("found %d settings and %d samples", settings, samples)
	}
}

func TestOnlyTheDeviceThatWasAskedForIsReported(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	m.Find(1, 10).Row.Values[0].F = 99
	m.Find(2, 10).Row.Values[0].F = 98
	got := run(t, m, func(o *verify.Options) { o.Only = func(d ledger.Device) bool { return d.Serial == "19960002" } })
	if got.Count != 1 || got.Findings[0].Device.Serial != "19960002" || got.Samples != int64(2*len(m.Rows)) {
		t.Errorf("%d findings %v over %d samples", got.Count, texts(got), got.Samples)
	}
}

func TestOnlyTheDaysThatWereAskedForAreRead(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	m.Find(1, 10).Row.Values[0].F = 99
	m.Find(1, 30).Row.Values[0].F = 98
	got := run(t, m, func(o *verify.Options) { o.From, o.To = ledgertest.FirstDay+1, ledgertest.FirstDay+2 })
	if got.Count != 1 || ledger.DayOf(got.Findings[0].At) != ledgertest.FirstDay+1 || got.From != ledgertest.FirstDay+1 || got.To != ledgertest.FirstDay+2 {
		t.Errorf("%v from %d to %d", texts(got), got.From, got.To)
	}
}

func TestRollupsAreCheckedAndStandBehindWhatExplainsThem(t *testing.T) {
	t.Parallel()
	m := ledgertest.Site(t)
	m.Find(2, 10).Row.Values[0].F = 25
	got := run(t, m, func(o *verify.Options) {
		o.Rollups = func(_ context.Context, d ledger.Device, day int64) ([]verify.RollupFault, error) {
			if d.ID != 2 || day != ledgertest.FirstDay {
				return nil, nil
			}
			at := halley.Millis(day) * halley.Day
			return []verify.RollupFault{{Channel: ledgertest.Channels()[0], From: at, To: at + halley.Hour}}, nil
		}
	})
	want := []string{
		"changed: wifi 19960001, channel 1 temperature °C, 2025-11-08T10:00:00.000Z, batch 25: the value was 21.2 and is 25",
		"rollup: wifi 19960001, channel 1 temperature °C: the figures for 2025-11-08T00:00:00.000Z to 2025-11-08T01:00:00.000Z that charts are drawn from do not follow from the samples",
	}
	if diff := cmp.Diff(want, texts(got)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	m := ledgertest.New(t)
	m.Devices = []ledger.Device{{ID: 1, Family: "wifi", Serial: "19960000"}}
	var rows []ledgertest.Stored
	for i := range 2 * verify.MaxFindings {
		rows = append(rows, ledgertest.Sample(1, m.At+halley.Millis(i), 1, 2))
	}
	m.Record("north", rows...)
	for i := range m.Rows {
		m.Rows[i].Row.Values[0].F = 5
	}
	got := run(t, m)
	if len(got.Findings) != verify.MaxFindings || got.Count != 2*verify.MaxFindings {
		t.Errorf("%d findings of %d", len(got.Findings), got.Count)
	}
}

func TestNothingAtAllVerifies(t *testing.T) {
	t.Parallel()
	got := run(t, ledgertest.New(t))
	if got.Count != 0 || got.From != got.To || got.Outside {
		t.Errorf("%+v", got)
	}
}
