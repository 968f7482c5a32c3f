package storagetest

import (
	"context"
	"testing"

	"halley"
	"halley/storage"
)

func infoTests() []test {
	return []test{
		{"info counts what is stored and how fast it grows", growth},
		{"info is right after opening again", growthReopened},
	}
}

// info gives the Info of a store, whose fixed parts must be there.
func info(t *testing.T, p *plot) storage.Info {
	t.Helper()
	got, err := p.Info(t.Context())
	must(t, "Info", err)
	if got.Kind == "" || got.Engine == "" || got.Schema < 1 || got.Bytes < 0 || got.LimitBytes < 0 || got.LimitBytes == 0 != (got.Limit == "") {
		t.Errorf("Info() = %+v, want a kind, an engine, a schema, and a limit with its name or none", got)
	}
	return got
}

// infoOf gives the Info once it counts so many samples. A store tells what it saw last, which may be some batches ago: batches that
// store nothing let it look again.
func infoOf(t *testing.T, p *plot, f *plotFeed, recorded halley.Millis, samples int64) storage.Info {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		got := info(t, p)
		if got.Samples == samples {
			return got
		}
		b := f.Batch()
		b.RecordedAt = recorded
		if _, err := p.Append(ctx, b); err != nil {
			t.Fatalf("Info() = %+v, want %d samples in the end; %v", got, samples, err)
		}
	}
}

// growth is the first on its store, so that no other batch counts.
func growth(t *testing.T, p *plot) {
	const perBatch = 400
	f, d := p.feed(), WiFi(p.serial(1), 4)
	before := info(t, p)
	equal(t, "samples of an empty store", int64(0), before.Samples)
	equal(t, "samples a day of an empty store", 0.0, before.SamplesPerDay)
	add := func(recorded halley.Millis) {
		t.Helper()
		var messages []halley.Message
		for range perBatch / 4 {
			messages = append(messages, d.Message(Start+halley.Millis(d.order)*halley.Minute, 20))
		}
		b := f.Batch(d.Upload(0, append(messages, messages[0])...))
		b.RecordedAt = recorded
		_, err := p.Append(t.Context(), b)
		must(t, "Append", err)
	}
	add(Start)
	equal(t, "samples a day after one batch", 0.0, infoOf(t, p, f, Start, perBatch).SamplesPerDay)
	add(Start + 12*halley.Hour)
	add(Start + 24*halley.Hour)
	got := infoOf(t, p, f, Start+24*halley.Hour, 3*perBatch)
	// Whether the batch at the very beginning or end counts is the store's to decide.
	if got.SamplesPerDay < 2*perBatch || got.SamplesPerDay > 3*perBatch {
		t.Errorf("SamplesPerDay = %v after three times %d in a day", got.SamplesPerDay, perBatch)
	}
	add(Start + 30*halley.Day)
	add(Start + 36*halley.Day)
	got = infoOf(t, p, f, Start+36*halley.Day, 5*perBatch)
	if week := got.SamplesPerDay * 7; week < perBatch || week > 2*perBatch+1 {
		t.Errorf("SamplesPerDay = %v after two times %d in a week", got.SamplesPerDay, perBatch)
	}
}

func growthReopened(t *testing.T, p *plot) {
	before := info(t, p)
	p.reopen(t)
	f, d := p.feed(), WiFi(p.serial(1), 3)
	f.Append(t, d.Upload(0, d.Message(Start, 20)))
	after := infoOf(t, p, f, Start+37*halley.Day, before.Samples+3)
	equal(t, "what is fixed", []any{before.Kind, before.Engine, before.Schema}, []any{after.Kind, after.Engine, after.Schema})
}
