package storagetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/storage"
)

func cancellationTests() []test {
	return []test{
		{"a call with a cancelled context does nothing", cancelledBefore},
		{"a batch that is cancelled in the middle is stored as a whole or not at all", cancelledAmid},
		{"a deadline that has passed is no fault of the database", deadlinePassed},
		{"connections that are cut in the middle of a batch lose and repeat nothing", cutAmid},
		{"readers find their way back after connections were cut", cutReaders},
	}
}

func cancelledBefore(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	f := p.feed()
	b := f.Batch(d.Upload(0, d.Message(Start, 20)))
	lease := Maintenance(t, p)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	name := "x"
	for what, call := range map[string]func() error{
		"Append":   func() error { _, err := p.Append(ctx, b); return err },
		"Position": func() error { _, err := p.Position(ctx, "x"); return err },
		"RollUp":   func() error { _, err := p.RollUp(ctx, lease, 10); return err },
		"Devices":  func() error { _, err := p.Devices(ctx, storage.DeviceFilter{}); return err },
		"ChangeDevice": func() error {
			_, err := p.ChangeDevice(ctx, 1, storage.DeviceUpdate{Name: &name}, By("eva"))
			return err
		},
		"Register": func() error {
			_, err := p.Register(ctx, halley.DeviceKey{Family: halley.WiFi, Serial: p.serial(2)}, "", By("eva"))
			return err
		},
		"NoteAudit": func() error { return p.NoteAudit(ctx, halley.AuditEntry{Change: By("eva"), What: "session.begin"}) },
		"Latest":    func() error { _, err := p.Latest(ctx, nil); return err },
		"TakeLease": func() error { _, _, err := p.TakeLease(ctx, p.name("work"), "a", time.Hour); return err },
		"Attend":    func() error { _, err := p.Attend(ctx, storage.Node{Name: p.node(), JournalID: "j"}); return err },
		"DaysDue":   func() error { _, err := p.DaysDue(ctx, firstDay, 1); return err },
		"PutDays":   func() error { return p.PutDays(ctx, lease, nil) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context = %v, want context.Canceled", what, err)
		}
	}
	p.nothing(t)
	_, err := p.Append(t.Context(), b)
	must(t, "Append afterwards", err)
	taken(t, p, p.name("work"), "b", time.Hour)
}

// bigBatch gives a batch of uploads with many messages each, and how many messages these are.
func bigBatch(f *plotFeed, d *Device, at halley.Millis) (storage.Batch, int) {
	const uploads, each = 6, 250
	var list []storage.Upload
	for range uploads {
		var messages []halley.Message
		for range each {
			messages = append(messages, d.Message(at, 20))
			at += halley.Minute
		}
		list = append(list, d.Upload(0, messages...))
	}
	b := f.Batch(list...)
	b.Audit = []storage.JournaledAct{f.p.act(b.Seq, "session.begin", "eva")}
	return b, uploads * each
}

// wholeOrNothing looks at what became of a batch of which one cannot know whether it was stored, and gives whether it was. The
// position tells; messages, parts, acts and devices must agree with it.
func wholeOrNothing(t *testing.T, p *plot, b storage.Batch, before, messages int) (int, bool) {
	t.Helper()
	at, err := p.Position(t.Context(), b.JournalID)
	must(t, "Position", err)
	stored := at == b.Position
	want := before
	if stored {
		want += messages
	}
	first, last, acts := 0, 0, len(ofPerson(t, p))
	if list := p.devices(t); len(list) > 0 {
		channels := ChannelsOf(t, p, list[0].Serial)
		first, last = len(SamplesOf(t, p, channels[0].ID)), len(SamplesOf(t, p, channels[len(channels)-1].ID))
	}
	if first != want || last != want || acts != want/messages {
		t.Errorf("with the position at %d of %d there are %d and %d samples and %d acts, want %d and %d",
			at.Seq, b.Seq, first, last, acts, want, want/messages)
	}
	return want, stored
}

func cancelledAmid(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 10)
	samples := 0
	// The moments of cancelling are spread over what a batch takes: the first may take as long as it will.
	took := 4 * patience
	for round := range 4 {
		b, messages := bigBatch(f, d, Start+halley.Millis(round)*10*halley.Day)
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), took*time.Duration(max(round, 1))/4)
		_, err := p.Append(ctx, b)
		cancel()
		if round == 0 {
			must(t, "Append", err)
			took = time.Since(begin)
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
			t.Errorf("Append that was cancelled = %v, want the context's error", err)
		}
		now, stored := wholeOrNothing(t, p, b, samples, messages)
		if samples = now; err == nil && !stored {
			t.Error("a batch is not there that was said to be stored")
		}
		if !stored {
			_, err := p.Append(t.Context(), b)
			must(t, "Append again", err)
			samples, _ = wholeOrNothing(t, p, b, samples, messages)
		}
	}
}

func deadlinePassed(t *testing.T, p *plot) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err := p.Devices(ctx, storage.DeviceFilter{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Devices after the deadline = %v, want context.DeadlineExceeded", err)
	}
	_, err = p.Append(ctx, p.feed().Batch())
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Append after the deadline = %v, want context.DeadlineExceeded", err)
	}
	got := info(t, p)
	if got.Samples < 0 {
		t.Errorf("Info() = %+v afterwards", got)
	}
}

// back asks for the position until the store has found its way back.
func back(t *testing.T, p *plot, journal string) storage.Position {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		at, err := p.Position(ctx, journal)
		if err == nil {
			return at
		}
		if halley.KindOf(err) != halley.Unavailable || ctx.Err() != nil {
			t.Fatalf("Position after the connections were cut: %v, want Unavailable until the store is back", err)
		}
	}
}

func cutAmid(t *testing.T, p *plot) {
	if p.ground.engine.Kill == nil {
		t.Skip("this engine has no connections to cut")
	}
	f, d := p.feed(), WiFi(p.serial(1), 10)
	samples, cut := 0, 0
	for round := range 4 {
		b, messages := bigBatch(f, d, Start+halley.Millis(round)*10*halley.Day)
		done := make(chan error, 1)
		go func() {
			_, err := p.Append(t.Context(), b)
			done <- err
		}()
		// Every look at the database moves the moment of cutting on.
		for range round {
			_, err := p.Position(t.Context(), b.JournalID)
			must(t, "Position", err)
		}
		p.kill(t)
		err := <-done
		if err != nil {
			cut++
			wantKind(t, "Append whose connection was cut", err, halley.Unavailable)
		}
		back(t, p, b.JournalID)
		now, stored := wholeOrNothing(t, p, b, samples, messages)
		samples = now
		if err == nil && !stored {
			t.Fatal("a batch is not there that was said to be stored")
		}
		_, err = p.Append(t.Context(), b)
		if stored {
			wantKind(t, "the same batch again", err, halley.Conflict)
		} else {
			must(t, "the same batch again", err)
			samples, _ = wholeOrNothing(t, p, b, samples, messages)
		}
	}
	if cut == 0 {
		t.Error("no batch was cut in its middle, so that nothing is shown")
	}
}

func cutReaders(t *testing.T, p *plot) {
	if p.ground.engine.Kill == nil {
		t.Skip("this engine has no connections to cut")
	}
	f, d := p.feed(), WiFi(p.serial(1), 2)
	b, messages := bigBatch(f, d, Start)
	_, err := p.Append(t.Context(), b)
	must(t, "Append", err)
	id := p.channel(t, 2)
	group, ctx := errgroup.WithContext(t.Context())
	for range 3 {
		group.Go(func() error {
			for range 20 {
				list, err := p.Samples(ctx, storage.SampleQuery{Channel: id, From: Start, To: Start + halley.Day*30, Limit: 100_000})
				if err != nil && halley.KindOf(err) == halley.Unavailable {
					continue
				}
				if err != nil || len(list) != messages {
					return errors.Join(err, errors.New("a reader got another number of samples than are stored"))
				}
			}
			return nil
		})
	}
	for range 3 {
		p.kill(t)
	}
	must(t, "reading while connections are cut", group.Wait())
	back(t, p, b.JournalID)
	f.Append(t, d.Upload(0, d.Message(Start+40*halley.Day, 1)))
	equal(t, "samples afterwards", messages+1, len(p.samples(t, 2)))
}
