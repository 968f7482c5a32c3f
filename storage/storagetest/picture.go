package storagetest

import (
	"context"
	"errors"
	"math"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"halley"
	"halley/storage"
)

// picture is all that can be read of a device, without ids.
type picture struct {
	Device                halley.Device
	Channels              []channelPicture
	Heads                 []storage.Head
	Latest                []latestPicture
	Duplicates, Conflicts [3]int64
}

type channelPicture struct {
	Channel halley.Channel
	Samples []storage.Sample
	Buckets []storage.Bucket
}

type latestPicture struct {
	Head   storage.Head
	Values []valuePicture
}

type valuePicture struct {
	Number         int
	Quantity, Unit string
	Value          float64
	Quality        halley.Quality
}

// lens says what a picture is of.
type lens struct {
	from, to, width halley.Millis
}

// compare compares all that can be read of the run's devices, and its newest acts.
func (r *modelRun) compare() {
	r.rt.Helper()
	l := lens{
		from: Start + halley.Millis(rapid.IntRange(-1000, 1000).Draw(r.rt, "from"))*halley.Minute,
		width: rapid.SampledFrom([]halley.Millis{
			halley.Minute, 10 * halley.Minute, halley.Hour, 5 * halley.Hour, halley.Day, 7 * halley.Day, 100_003,
		}).Draw(r.rt, "width"),
	}
	l.to = l.from + halley.Millis(rapid.IntRange(1, 60*24*30).Draw(r.rt, "length"))*halley.Minute
	for _, d := range r.devices {
		mine, theirs := r.id(r.p, d), r.id(r.model, d)
		if (mine == 0) != (theirs == 0) {
			r.rt.Fatalf("device %s has the id %d in the store, %d in the model", d.Key.Serial, mine, theirs)
		}
		if mine == 0 {
			continue
		}
		ctx := r.t.Context()
		got, err := pictureOf(ctx, r.p, mine, l)
		want, wantErr := pictureOf(ctx, r.model, theirs, l)
		if err = errors.Join(err, wantErr); err != nil {
			r.rt.Fatalf("reading device %s: %v", d.Key.Serial, err)
		}
		same(r.rt, "what can be read of "+d.Key.Serial, want, got)
	}
	want, err := r.model.Audit(r.t.Context(), 0, 20)
	got, gotErr := r.p.Audit(r.t.Context(), 0, len(want))
	if err = errors.Join(err, gotErr); err != nil {
		r.rt.Fatalf("Audit: %v", err)
	}
	for i := range min(len(want), len(got)) {
		same(r.rt, "an act", want[i].What, got[i].What)
	}
}

// same compares; sums of buckets may differ in their last bits, because they may be taken in another order.
func same(t *rapid.T, what string, want, got any) {
	t.Helper()
	buckets := cmp.Comparer(func(x, y storage.Bucket) bool {
		return x.Start == y.Start && x.Count == y.Count && x.Min == y.Min && x.Max == y.Max &&
			math.Abs(x.Sum-y.Sum) <= 1e-9*(math.Abs(x.Sum)+1)
	})
	if diff := cmp.Diff(want, got, buckets); diff != "" {
		t.Fatalf("%s (-model +store):\n%s", what, diff)
	}
}

// pictureOf reads a device.
func pictureOf(ctx context.Context, s storage.Store, id halley.DeviceID, l lens) (picture, error) {
	var p picture
	devices, err := s.Devices(ctx, storage.DeviceFilter{After: id - 1, Limit: 1})
	if err != nil || len(devices) == 0 || devices[0].ID != id {
		return p, errors.Join(err, errors.New("a device is not in the list"))
	}
	p.Device = withoutIDs(devices[0])
	channels, err := s.Channels(ctx, storage.ChannelFilter{Devices: []halley.DeviceID{id}, Ended: true})
	if err != nil {
		return p, err
	}
	byID := map[halley.ChannelID]halley.Channel{}
	for _, c := range channels {
		byID[c.ID] = c
		x := channelPicture{Channel: c}
		x.Channel.ID, x.Channel.DeviceID = 0, 0
		x.Samples, err = s.Samples(ctx, storage.SampleQuery{
			Channel: c.ID, From: halley.EarliestMillis, To: halley.LatestMillis, Limit: 100_000,
		})
		if err != nil {
			return p, err
		}
		x.Buckets, err = s.Buckets(ctx, storage.BucketQuery{Channel: c.ID, From: l.from, To: l.to, Width: l.width})
		if err != nil {
			return p, err
		}
		p.Channels = append(p.Channels, x)
	}
	p.Heads, err = s.Heads(ctx, storage.HeadQuery{Device: id, From: halley.EarliestMillis, To: halley.LatestMillis, Limit: 100_000})
	if err != nil {
		return p, err
	}
	latest, err := s.Latest(ctx, []halley.DeviceID{id})
	if err != nil {
		return p, err
	}
	for _, m := range latest {
		x := latestPicture{Head: m.Head}
		for _, v := range m.Values {
			c := byID[v.ChannelID]
			x.Values = append(x.Values, valuePicture{c.Number, c.Quantity, c.Unit, v.Value, v.Quality})
		}
		p.Latest = append(p.Latest, x)
	}
	for i := range p.Duplicates {
		from := Start + halley.Millis(i-1)*3*halley.Day
		p.Duplicates[i], p.Conflicts[i], err = s.Tally(ctx, id, from, from+3*halley.Day)
		if err != nil {
			return p, err
		}
	}
	return p, nil
}
