package evidence_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"

	"halley"
	"halley/storage"
	"halley/storage/ledger"
)

// store is a store of what a test puts into it. Its samples are computed: one a step, so that a year costs no memory.
type store struct {
	places        map[halley.PlaceID]string
	devices       []halley.Device
	channels      []halley.Channel
	attachments   []storage.Attachment
	audit         []halley.AuditEntry
	proofs        []storage.Proof
	stops         []storage.Interruption
	causes        []storage.GapCause
	facts         map[string][][]any
	organizations []halley.Organization
	// placeStates are those of places besides places, which belong to the root.
	placeStates []halley.Place
	// step is the time between samples, first and last bound them; sample makes one.
	step, first, last halley.Millis
	sample            func(at halley.Millis) storage.Sample
	longest           int
}

func notFound() error { return &halley.Error{Kind: halley.NotFound, Op: "look"} }

func (s *store) PlaceStates(_ context.Context, after halley.PlaceID, _ int) ([]halley.Place, error) {
	list := []halley.Place{}
	for _, p := range s.placeStates {
		if p.ID == after+1 {
			list = append(list, p)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.places)) {
		if id > after && (len(list) == 0 || list[0].ID == id) {
			list = append(list, halley.Place{ID: id, OrganizationID: halley.RootOrganization, Name: s.places[id]})
		}
	}
	return list, nil
}

func (s *store) Organizations(context.Context) ([]halley.Organization, error) {
	return s.organizations, nil
}

func (s *store) Device(_ context.Context, id halley.DeviceID) (halley.Device, error) {
	for _, d := range s.devices {
		if d.ID == id {
			return d, nil
		}
	}
	return halley.Device{}, notFound()
}

func (s *store) Channel(_ context.Context, id halley.ChannelID) (halley.Channel, error) {
	for _, c := range s.channels {
		if c.ID == id {
			return c, nil
		}
	}
	return halley.Channel{}, notFound()
}

func (s *store) Attachments(_ context.Context, place halley.PlaceID, from, to halley.Millis) ([]storage.Attachment, error) {
	var list []storage.Attachment
	for _, a := range s.attachments {
		if a.Place == place && a.From < to && a.To > from {
			list = append(list, a)
		}
	}
	return list, nil
}

func (s *store) AuditWhere(_ context.Context, f storage.AuditFilter) ([]halley.AuditEntry, error) {
	var list []halley.AuditEntry
	for _, e := range slices.Backward(s.audit) {
		prefix, many := f.What, false
		if n := len(f.What); n > 0 && f.What[n-1] == '*' {
			prefix, many = f.What[:n-1], true
		}
		switch {
		case len(list) == f.Limit, f.Before != 0 && e.ID >= f.Before, f.On != "" && f.On != e.On:
		case f.What != "" && (many && (len(e.What) < len(prefix) || e.What[:len(prefix)] != prefix) || !many && e.What != prefix):
		case e.Change.At < f.From, f.To != 0 && e.Change.At >= f.To:
		default:
			list = append(list, e)
		}
	}
	return list, nil
}

func (s *store) Proofs(_ context.Context, kind storage.ProofKind, before int64, limit int) ([]storage.Proof, error) {
	var list []storage.Proof
	for _, p := range slices.Backward(s.proofs) {
		if p.Kind == kind && (before == 0 || p.ID < before) && len(list) < limit {
			list = append(list, p)
		}
	}
	return list, nil
}

func (s *store) Interruptions(_ context.Context, from, to halley.Millis) ([]storage.Interruption, error) {
	var list []storage.Interruption
	for _, i := range s.stops {
		if i.From < to && i.To > from {
			list = append(list, i)
		}
	}
	return list, nil
}

func (s *store) AddGapCause(context.Context, storage.GapCause, halley.Change) (storage.GapCause, error) {
	return storage.GapCause{}, notFound()
}

func (s *store) GapCauses(_ context.Context, device halley.DeviceID, from, to halley.Millis) ([]storage.GapCause, error) {
	var list []storage.GapCause
	for _, g := range s.causes {
		if g.Device == device && g.From < to && g.To > from {
			list = append(list, g)
		}
	}
	return list, nil
}

func (s *store) FactRows(_ context.Context, t ledger.FactTable, after []int64, limit int) ([]ledger.FactRow, error) {
	var list []ledger.FactRow
	for _, values := range s.facts[t.Name] {
		key := make([]int64, t.Key)
		for i := range key {
			key[i], _ = values[i].(int64)
		}
		if (after == nil || slices.Compare(key, after) > 0) && len(list) < limit {
			whole := make([]any, len(t.Columns)) // columns that came later are empty
			copy(whole, values)
			list = append(list, ledger.FactRow{Table: t.Name, Values: whole})
		}
	}
	return list, nil
}

// instants gives the instants of samples in [from, to) behind after, at most limit.
func (s *store) instants(from, to, after halley.Millis, limit int) []halley.Millis {
	s.longest = max(s.longest, limit)
	from, to = max(from, s.first, after+1), min(to, s.last)
	var list []halley.Millis
	for at := from.Ceil(s.step); at < to && len(list) < limit; at += s.step {
		list = append(list, at)
	}
	return list
}

func (s *store) Samples(_ context.Context, q storage.SampleQuery) ([]storage.Sample, error) {
	var list []storage.Sample
	for _, at := range s.instants(q.From, q.To, q.After, q.Limit) {
		list = append(list, s.sample(at))
	}
	return list, nil
}

func (s *store) Heads(_ context.Context, q storage.HeadQuery) ([]storage.Head, error) {
	var list []storage.Head
	for _, at := range s.instants(q.From, q.To, q.After, q.Limit) {
		list = append(list, storage.Head{
			MeasuredAt: at, SentAt: at + 1000, ReceivedAt: at + 2000, Order: int64(at / s.step), Interval: int(s.step / 1000),
			JournalID: "journal", Seq: uint64(at / s.step),
		})
	}
	return list, nil
}

func (s *store) Buckets(_ context.Context, q storage.BucketQuery) ([]storage.Bucket, error) {
	var list []storage.Bucket
	for _, at := range s.instants(q.From, q.To, 0, 1<<30) {
		one := s.sample(at)
		if !one.Quality.HasValue() {
			continue
		}
		start := at.Floor(q.Width)
		if n := len(list); n == 0 || list[n-1].Start != start {
			list = append(list, storage.Bucket{Start: start, Min: one.Value, Max: one.Value})
		}
		b := &list[len(list)-1]
		b.Count, b.Min, b.Max, b.Sum = b.Count+1, min(b.Min, one.Value), max(b.Max, one.Value), b.Sum+one.Value
	}
	s.longest = 0
	return list, nil
}

// begin is the first instant of the tests: 2026-06-01T00:00:00Z.
const begin halley.Millis = 1_780_272_000_000

// coldRoom is a place whose sensor was swapped, with everything that a file of evidence can tell of.
func coldRoom() *store {
	const day = halley.Day
	swap := begin + day + 12*halley.Hour
	return &store{
		organizations: []halley.Organization{{ID: halley.RootOrganization, Name: "Main site", TimeZone: "Europe/Prague"}},
		places:        map[halley.PlaceID]string{3: "Cold room 3", 4: "Empty room"},
		devices: []halley.Device{
			{
				ID: 1, DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: "22960017"}, Model: "W0741", Name: "Cold room 3",
				State: halley.DeviceRetired, PlaceID: 3,
			},
			{
				ID: 2, DeviceKey: halley.DeviceKey{Family: halley.WiFi, Serial: "22960018"}, Model: "W0741", Name: "=cmd|'/c calc'!A0",
				State: halley.DeviceAccepted, PlaceID: 3,
			},
		},
		channels: []halley.Channel{
			{ID: 11, DeviceID: 1, Number: 1, Name: "probe", Quantity: "temperature", Unit: "°C", Decimals: 1},
			{ID: 21, DeviceID: 2, Number: 1, Name: "<script>alert(1)</script>\u202egnp", Quantity: "temperature", Unit: "°C", Decimals: 1},
		},
		attachments: []storage.Attachment{
			{Channel: 11, Device: 1, Place: 3, From: begin - 300*day, To: swap},
			{Channel: 21, Device: 2, Place: 3, From: swap, To: halley.LatestMillis},
		},
		audit: []halley.AuditEntry{
			act(1, begin-300*day, "device.accept", "device 1"), act(2, begin-300*day, "device.accept", "device 9"),
			act(3, begin+2*halley.Hour, "program.start", "server main"), act(4, begin+3*halley.Hour, "clock.step", "server main"),
			act(5, swap, "device.retire", "device 1"), act(6, begin+40*day, "program.stop", "server main"),
		},
		proofs: []storage.Proof{
			{ID: 1, At: begin + halley.Hour, Kind: storage.ProofVerify, OK: true, Summary: `{"samples":5}`},
			{
				ID: 2, At: begin + 5*day, Node: "main", Kind: storage.ProofVerify, OK: true,
				Summary: `{"samples":4320,"batches":17,"checkpoints":3,"version":"1.2.3"}`,
			},
			{ID: 3, At: begin + 5*day, Kind: storage.ProofBackup, Summary: `{"name":"b0","problem":"the disk was full"}`},
			{ID: 4, At: begin + 6*day, Kind: storage.ProofBackup, OK: true, Summary: `{"name":"b1","encrypted":true,"end_at":1780700000000}`},
			{ID: 5, At: begin + 7*day, Kind: storage.ProofDrill, OK: true, Summary: `{"backup":"b1","samples":4320,"batches":17}`},
		},
		stops:  []storage.Interruption{{Node: "main", Kind: storage.ServerDown, From: begin + halley.Hour, To: begin + 2*halley.Hour}},
		causes: []storage.GapCause{{ID: 1, Device: 1, From: begin, To: begin + day, Cause: "server-down", Note: "maintenance", By: "Anna", At: begin + day}},
		facts: map[string][][]any{
			"channel_description": {
				{int64(11), int64(begin - 300*day), "old name", int64(1)},
				{int64(11), int64(begin + 3*halley.Hour), "probe", int64(1)},
				{int64(21), int64(swap), "<script>alert(1)</script>\u202egnp", int64(1)},
				{int64(22), int64(swap), "of another", int64(1)},
			},
			"device_description": {
				{int64(1), int64(1), int64(begin - 300*day), "accepted", "W0741", "W0741", "Cold room 3", int64(3), int64(1)},
				{int64(2), int64(1), int64(swap), "accepted", "W0741", "W0741", nil, int64(3), nil},
			},
			"limit": {
				{int64(1), int64(3), "temperature", "°C", "high", "alarm", int64(begin - 9*day), 7.0, 0.5, int64(60_000), nil},
				{int64(2), int64(3), "temperature", "°C", "high", "alarm", int64(begin - 8*day), 8.0, 0.5, int64(60_000), nil},
				{int64(3), int64(3), "temperature", "°C", "low", "alarm", int64(begin + day), 2.0, 0.5, int64(0), nil},
				{int64(4), int64(4), "temperature", "°C", "low", "alarm", int64(begin), 1.0, 0.5, int64(0), nil},
			},
		},
		step: 10 * halley.Minute, first: begin - day, last: begin + 30*day,
		sample: func(at halley.Millis) storage.Sample {
			minute := int64(at / halley.Minute)
			out := storage.Sample{At: at, Value: 5 + float64(minute%300)/100}
			if minute%1440 == 600 {
				out.Quality = halley.QualityOf(halley.SensorError, 53)
			}
			if minute%1440 == 700 {
				out.Quality, out.Late = out.Quality.WithAlarms(halley.AlarmHigh, halley.AlarmNone), true
			}
			return out
		},
	}
}

func act(id int64, at halley.Millis, what, on string) halley.AuditEntry {
	return halley.AuditEntry{
		ID: id, Change: halley.Change{Actor: halley.Actor{Kind: "session", Name: "Anna", Session: "s1"}, At: at, Why: "because"},
		What: what, On: on, New: `{"number":` + strconv.FormatInt(id, 10) + `}`,
	}
}

// sorted gives the names of a map's keys.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	var list []K
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
