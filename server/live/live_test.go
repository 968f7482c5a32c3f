package live_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"halley"
	"halley/server/live"
)

var key = halley.DeviceKey{Family: halley.WiFi, Serial: "20960050"}

const noon = halley.Millis(1_795_262_400_000)

func upload(at halley.Millis, value float64) *halley.Upload {
	return &halley.Upload{DeviceKey: key, Messages: []halley.Message{{
		Sample: at, Now: at + 5*halley.Second, Clock: halley.ClockValid, Interval: 60,
		Readings: []halley.Reading{{Number: 1, Quantity: halley.Temperature, Unit: "°C", Value: value}},
	}}}
}

func value(t *testing.T, l *live.Live) float64 {
	t.Helper()
	m, _, ok := l.Newest(key)
	if !ok {
		t.Fatal("the device has no newest message")
	}
	return m.Readings[0].Value
}

func TestNewestIsByTimeOfMeasuring(t *testing.T) {
	t.Parallel()
	l := live.New()
	l.Take(upload(noon, 1), noon+halley.Second, 1)
	l.Take(upload(noon-halley.Hour, 2), noon+2*halley.Second, 2)
	if got := value(t, l); got != 1 {
		t.Errorf("newest value after a late message: got %v, want 1", got)
	}
	if _, heard, _ := l.Newest(key); heard != noon+2*halley.Second {
		t.Errorf("last heard: got %v, want the receipt of the late message", heard)
	}
	l.Take(upload(noon, 3), noon+3*halley.Second, 3)
	if got := value(t, l); got != 3 {
		t.Errorf("newest value after another of the same instant: got %v, want 3", got)
	}
}

func TestTakeFillsTheMessage(t *testing.T) {
	t.Parallel()
	l := live.New()
	up := upload(noon, 20.5)
	l.Take(up, noon+halley.Second, 9)
	got, _, _ := l.Newest(key)
	want := &live.Message{
		Key: key, MeasuredAt: noon, SentAt: noon + 5*halley.Second, ReceivedAt: noon + halley.Second, Interval: 60, Seq: 9,
		Readings: up.Messages[0].Readings,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("newest message (-want +got):\n%s", diff)
	}
	if got.Late() {
		t.Error("a message of the same second counts as late")
	}
}

func TestWatcherGetsEventsInOrder(t *testing.T) {
	t.Parallel()
	l := live.New()
	w := l.Watch()
	defer w.Close()
	l.Take(upload(noon, 1), noon, 1)
	l.DevicesChanged()
	l.Take(upload(noon+halley.Minute, 2), noon+halley.Minute, 2)
	var got []live.Event
	for range 3 {
		got = append(got, <-w.Events())
	}
	want := []live.Event{{Message: &live.Message{Seq: 1}}, {Devices: true}, {Message: &live.Message{Seq: 2}}}
	ignore := cmpopts.IgnoreFields(live.Message{}, "Key", "MeasuredAt", "SentAt", "ReceivedAt", "Interval", "Battery", "Readings")
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestSlowWatcherIsToldThatEventsAreMissing(t *testing.T) {
	t.Parallel()
	l := live.New()
	w := l.Watch()
	defer w.Close()
	for i := range 3000 {
		l.Take(upload(noon+halley.Millis(i)*halley.Second, 1), noon, uint64(i))
	}
	missed, events := 0, 0
	for len(w.Events()) > 0 {
		events++
		if e := <-w.Events(); e.Missed {
			missed++
		}
	}
	if missed != 1 || events > 1024 {
		t.Errorf("a watcher that read nothing of 3000 events found %d events and %d words of missing ones, want at most 1024 and 1", events, missed)
	}
	l.DevicesChanged()
	if e := <-w.Events(); !e.Devices {
		t.Errorf("after reading up the watcher got %+v, want the next event", e)
	}
}

func TestClosedWatcherGetsNothing(t *testing.T) {
	t.Parallel()
	l := live.New()
	w := l.Watch()
	w.Close()
	l.DevicesChanged()
	if n := len(w.Events()); n != 0 {
		t.Errorf("a closed watcher got %d events", n)
	}
}

func TestAllIsOrdered(t *testing.T) {
	t.Parallel()
	l := live.New()
	for _, k := range []halley.DeviceKey{{Family: halley.WiFi, Serial: "2"}, {Family: halley.Modem, Serial: "9"}, {Family: halley.WiFi, Serial: "1"}} {
		l.Restore(&live.Message{Key: k, MeasuredAt: noon})
	}
	var got []string
	for _, m := range l.All() {
		got = append(got, string(m.Key.Family)+m.Key.Serial)
	}
	if diff := cmp.Diff([]string{"modem9", "wifi1", "wifi2"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestSilentAfter(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		interval, buffer int
		want             halley.Millis
	}{
		"unknown interval": {0, 0, 15 * halley.Minute},
		"short interval":   {10, 0, 90 * halley.Second},
		"one minute":       {60, 0, 150 * halley.Second},
		"one hour":         {3600, 1, 150 * halley.Minute},
		"buffered modem":   {600, 6, 25*halley.Minute + 60*halley.Minute},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := live.SilentAfter(noon, tt.interval, tt.buffer) - noon; got != tt.want {
				t.Errorf("SilentAfter(%d s, buffer %d) = %d ms later, want %d", tt.interval, tt.buffer, got, tt.want)
			}
		})
	}
}
