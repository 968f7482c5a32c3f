package viewerapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// latestView is the newest message of every accepted device.
type latestView struct {
	At     Time           `json:"at"`
	Latest []latestDevice `json:"latest"`
}

// latestDevice is a device with its newest message.
type latestDevice struct {
	DeviceID       halley.DeviceID    `json:"device_id"`
	Serial         string             `json:"serial"`
	Family         halley.Family      `json:"family"`
	Model          string             `json:"model"`
	Name           string             `json:"name"`
	State          halley.DeviceState `json:"state"`
	MeasuredAt     Time               `json:"measured_at"`
	ReceivedAt     Time               `json:"received_at"`
	Interval       *int               `json:"interval"`
	Late           bool               `json:"late"`
	Silent         bool               `json:"silent"`
	SilentSince    Time               `json:"silent_since"`
	SignalDBm      *int               `json:"signal_dbm"`
	BatteryPercent *int               `json:"battery_percent"`
	Values         []latestValue      `json:"values"`
}

// latestValue is a value with what its channel measures.
type latestValue struct {
	ChannelID halley.ChannelID `json:"channel_id"`
	Number    int              `json:"number"`
	Name      string           `json:"name"`
	Quantity  string           `json:"quantity"`
	Unit      string           `json:"unit"`
	Decimals  int              `json:"decimals"`
	Value     *float64         `json:"value"`
	Quality   string           `json:"quality"`
}

// getLatest gives the newest message of every accepted device that the caller may see, by name, all as of one instant. Of a message only
// those values are told that were measured where the caller may see values.
func (a *API) getLatest(w http.ResponseWriter, r *http.Request) error {
	devices, err := a.Registry.Devices(r.Context(), storage.DeviceFilter{State: halley.DeviceAccepted})
	if err != nil {
		return err
	}
	list, err := a.Registry.Channels(r.Context(), storage.ChannelFilter{})
	if err != nil {
		return err
	}
	channels := make(map[halley.ChannelID]halley.Channel, len(list))
	for _, c := range list {
		channels[c.ID] = c
	}
	newest := make(map[halley.DeviceID]LiveMessage)
	for _, m := range a.Live.Latest() {
		newest[m.DeviceID] = m
	}
	rights := rightsOf(r)
	all := rights.Everywhere(halley.PermitSampleRead)
	now := halley.MillisOf(time.Now())
	v := latestView{At: Time(now), Latest: make([]latestDevice, 0, len(devices))}
	for _, d := range devices {
		if !all && !rights.AtDevice(halley.PermitSampleRead, d.ID) {
			continue
		}
		m, known := newest[d.ID]
		l := newLatestDevice(d, m, known, now)
		if known && !all && !seenMessage(rights, &m) {
			// What was measured elsewhere is not for this caller; that the device was heard, and when, is.
			l.MeasuredAt, l.ReceivedAt, l.Late, l.SignalDBm, l.BatteryPercent = 0, 0, false, nil, nil
		}
		l.Values = latestValues(m, channels)
		v.Latest = append(v.Latest, l)
	}
	slices.SortStableFunc(v.Latest, func(x, y latestDevice) int {
		return cmp.Or(strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), cmp.Compare(x.DeviceID, y.DeviceID))
	})
	return writeJSON(w, v)
}

// seenMessage keeps of a message what was measured where the rights show values, and says whether that is anything. A message without
// values is seen with its device.
func seenMessage(rights directory.Rights, m *LiveMessage) bool {
	if len(m.Values) == 0 {
		return rights.AtDevice(halley.PermitSampleRead, m.DeviceID)
	}
	kept := make([]LiveValue, 0, len(m.Values))
	for _, v := range m.Values {
		if len(rights.Spans(halley.PermitSampleRead, v.ChannelID, m.MeasuredAt, m.MeasuredAt+1)) > 0 {
			kept = append(kept, v)
		}
	}
	m.Values = kept // The list of before is everybody's, and stays.
	return len(kept) > 0
}

// newLatestDevice gives a device with what its newest message says of itself.
func newLatestDevice(d halley.Device, m LiveMessage, known bool, now halley.Millis) latestDevice {
	silent, since := silence(d, m, known, now)
	l := latestDevice{
		DeviceID: d.ID, Serial: d.Serial, Family: d.Family, Model: d.Model, Name: d.Name, State: d.State,
		Silent: silent, SilentSince: Time(since),
	}
	if known {
		l.MeasuredAt, l.ReceivedAt, l.Late = Time(m.MeasuredAt), Time(m.ReceivedAt), m.Late
		l.Interval = wholeOrNull(m.Interval, m.Interval > 0)
		l.SignalDBm = wholeOrNull(m.Signal, m.Signal != 0)
		l.BatteryPercent = wholeOrNull(m.Battery, m.Battery != halley.Unknown)
	}
	return l
}

// latestValues gives the values of a message, leaving out channels that have ended since.
func latestValues(m LiveMessage, channels map[halley.ChannelID]halley.Channel) []latestValue {
	values := make([]latestValue, 0, len(m.Values))
	for _, lv := range m.Values {
		c, ok := channels[lv.ChannelID]
		if !ok {
			continue
		}
		values = append(values, latestValue{
			ChannelID: c.ID, Number: c.Number, Name: c.Name, Quantity: c.Quantity, Unit: c.Unit, Decimals: c.Decimals,
			Value: valueOrNull(lv.Value, lv.Quality), Quality: lv.Quality.Words(m.Late),
		})
	}
	return values
}
