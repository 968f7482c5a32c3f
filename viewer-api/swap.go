package viewerapi

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// differs says in which way the channels of a swap differ.
type differs string

// The ways.
const (
	differsUnit     differs = "unit"
	differsQuantity differs = "quantity"
	// differsMissing is a channel of the old device that nothing continues, differsNew one of the new device that continues nothing.
	differsMissing differs = "missing"
	differsNew     differs = "new"
)

// swapPair is a channel of the old device and the one of the new device that is to continue it; one of them may be none.
type swapPair struct{ before, after *halley.Channel }

// differs lists in which ways the two differ.
func (p swapPair) differs() []differs {
	switch {
	case p.after == nil:
		return []differs{differsMissing}
	case p.before == nil:
		return []differs{differsNew}
	}
	list := []differs{}
	if p.before.Quantity != p.after.Quantity {
		list = append(list, differsQuantity)
	}
	if p.before.Unit != p.after.Unit {
		list = append(list, differsUnit)
	}
	return list
}

// pairs proposes which channel continues which: first those of the same quantity and unit, then those of the same quantity, then those of
// the same number, each time one of the same number before others. What remains stands by itself.
func pairs(before, after []halley.Channel) []swapPair {
	number := func(a, b *halley.Channel) bool { return a.Number == b.Number }
	quantity := func(a, b *halley.Channel) bool { return a.Quantity == b.Quantity }
	unit := func(a, b *halley.Channel) bool { return a.Quantity == b.Quantity && a.Unit == b.Unit }
	list := make([]swapPair, len(before))
	for i := range before {
		list[i].before = &before[i]
	}
	taken := map[halley.ChannelID]bool{}
	for _, alike := range []func(a, b *halley.Channel) bool{
		func(a, b *halley.Channel) bool { return unit(a, b) && number(a, b) }, unit,
		func(a, b *halley.Channel) bool { return quantity(a, b) && number(a, b) }, quantity, number,
	} {
		for i := range list {
			for j := range after {
				if list[i].after == nil && !taken[after[j].ID] && alike(list[i].before, &after[j]) {
					list[i].after = &after[j]
					taken[after[j].ID] = true
				}
			}
		}
	}
	for j := range after {
		if !taken[after[j].ID] {
			list = append(list, swapPair{after: &after[j]})
		}
	}
	return list
}

// swapPairView is a pair as the API shows it.
type swapPairView struct {
	Old     *deviceChannel `json:"old"`
	New     *deviceChannel `json:"new"`
	Differs []differs      `json:"differs"`
}

// swapPlanView is what a swap would do.
type swapPlanView struct {
	From     deviceView     `json:"from"`
	To       deviceView     `json:"to"`
	Channels []swapPairView `json:"channels"`
	Warnings []string       `json:"warnings"`
	At       Time           `json:"at"`
}

// swapEnds are the two devices of a swap at a place, with what of the old one is there and what the new one measures.
type swapEnds struct {
	place         halley.PlaceID
	old, new      halley.Device
	before, after []halley.Channel
}

// swapEnds finds the two devices of a swap. NotFound for one that is not there, Forbidden where the caller may not attach it, Conflict
// where the old one is not at the place.
func (a *API) swapEnds(r *http.Request, place halley.PlaceID, before, after halley.DeviceID) (swapEnds, error) {
	rights := rightsOf(r)
	for _, id := range []halley.DeviceID{before, after} {
		if err := (thing{scopeDevice, int64(id)}).allow(rights, halley.PermitDeviceAttach); err != nil {
			return swapEnds{}, err
		}
	}
	state := rights.State()
	e := swapEnds{place: place}
	e.old, _ = state.Device(before)
	e.new, _ = state.Device(after)
	for _, s := range staysNow(state, place, halley.MillisOf(time.Now())) {
		if s.channel.DeviceID == before {
			e.before = append(e.before, s.channel)
		}
	}
	for _, id := range state.DeviceChannels(after) {
		if c, ok := state.Channel(id); ok && !c.Ended {
			e.after = append(e.after, c)
		}
	}
	slices.SortFunc(e.after, func(x, y halley.Channel) int { return cmp.Or(cmp.Compare(x.Number, y.Number), cmp.Compare(x.ID, y.ID)) })
	if len(e.before) == 0 {
		return swapEnds{}, &halley.Error{
			Kind: halley.Conflict, Op: "swap devices", Code: "not-at-place", Field: "from_device",
			Message: "the device that is to be replaced is not at this place: reload and look again",
		}
	}
	return e, nil
}

// planSwap shows what a swap would do, and warns of what differs. 404 where a device is not there, 409 where the old one is not at the
// place.
func (a *API) planSwap(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	q := newQuery(r, "from_device", "to_device")
	before, after := halley.DeviceID(q.number("from_device", 1, 1<<62, 0)), halley.DeviceID(q.number("to_device", 1, 1<<62, 0))
	if q.err == nil {
		q.err = bothDevices(before, after)
	}
	if q.err != nil {
		return q.err
	}
	e, err := a.swapEnds(r, halley.PlaceID(id), before, after)
	if err != nil {
		return err
	}
	devices, err := a.deviceViews(r, []halley.Device{e.old, e.new}, false)
	if err != nil {
		return err
	}
	plan := pairs(e.before, e.after)
	v := swapPlanView{
		From: devices[0], To: devices[1], Channels: make([]swapPairView, 0, len(plan)), At: Time(halley.MillisOf(time.Now())),
		Warnings: e.warnings(rightsOf(r).State(), plan),
	}
	for _, p := range plan {
		v.Channels = append(v.Channels, swapPairView{Old: channelOrNull(p.before), New: channelOrNull(p.after), Differs: p.differs()})
	}
	return writeJSON(w, v)
}

// bothDevices says which device of a swap is not named.
func bothDevices(before, after halley.DeviceID) error {
	switch {
	case before < 1:
		return invalid("from_device", "say which device is to be replaced, by its id")
	case after < 1:
		return invalid("to_device", "say which device takes its place, by its id")
	case before == after:
		return invalid("to_device", "a device cannot take its own place: choose another one")
	}
	return nil
}

func channelOrNull(c *halley.Channel) *deviceChannel {
	if c == nil {
		return nil
	}
	v := newDeviceChannel(*c)
	return &v
}

// warnings says in words what a person should look at before the swap.
func (e *swapEnds) warnings(state *directory.State, plan []swapPair) []string {
	list := []string{}
	warn := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if e.new.State != halley.DeviceAccepted {
		warn("The new device is not accepted. Accept it first.")
	}
	if len(e.after) == 0 {
		warn("The new device has not sent anything yet, so that nobody knows what it measures. Wait for its first message.")
	}
	if places := state.DevicePlaces(e.new.ID); slices.Contains(places, e.place) {
		warn("The new device is at this place already.")
	} else if len(places) > 0 {
		warn("The new device is at another place now, which it leaves.")
	}
	if e.new.Simulated != e.old.Simulated {
		warn("One of the two devices is simulated.")
	}
	for _, p := range plan {
		switch {
		case p.after == nil:
			warn("Nothing continues %s: it ends here.", inWords(p.before))
		case p.before == nil:
			warn("%s is new here and begins a history of its own.", inWords(p.after))
		case p.before.Quantity != p.after.Quantity:
			warn("%s would be continued by %s, which is another quantity. Earlier values would not be shown with it.", inWords(p.before), inWords(p.after))
		case p.before.Unit != p.after.Unit:
			if _, ok := converted(p.before.Unit, p.after.Unit); ok {
				warn("%s is continued in %s; earlier values are shown converted.", inWords(p.before), p.after.Unit)
			} else {
				warn("%s is continued in another unit, %s. Earlier values would not be shown with it.", inWords(p.before), unitWord(p.after.Unit))
			}
		}
	}
	return list
}

// inWords names a channel for a sentence.
func inWords(c *halley.Channel) string {
	return fmt.Sprintf("channel %d (%s, %s)", c.Number, cmp.Or(c.Quantity, "no quantity"), unitWord(c.Unit))
}

func unitWord(unit string) string { return cmp.Or(unit, "no unit") }

// swapRequest is the body of a swap.
type swapRequest struct {
	FromDevice halley.DeviceID `json:"from_device"`
	ToDevice   halley.DeviceID `json:"to_device"`
	At         string          `json:"at"`
	// Channels says which channel continues which; absent, those of the same quantity do, as the plan proposes.
	Channels *[]struct {
		Old halley.ChannelID `json:"old"`
		New halley.ChannelID `json:"new"`
	} `json:"channels"`
	Retire bool   `json:"retire"`
	Why    string `json:"why"`
}

// swapDevices puts a device in the place of another, which goes on at no place or is retired. 404 where a device is not there, 409 where
// the old one is not at the place or the new one cannot come there.
func (a *API) swapDevices(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in swapRequest
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	now := halley.MillisOf(time.Now())
	at, err := actInstant(in.At, now)
	if err = cmp.Or(err, bothDevices(in.FromDevice, in.ToDevice), checkWhy(in.Why, true)); err != nil {
		return err
	}
	e, err := a.swapEnds(r, halley.PlaceID(id), in.FromDevice, in.ToDevice)
	if err != nil {
		return err
	}
	if in.Retire {
		if err = (thing{scopeDevice, int64(e.old.ID)}).allow(rightsOf(r), halley.PermitDeviceDecide); err != nil {
			return err
		}
	}
	s := storage.Swap{PlaceID: e.place, Old: e.old.ID, New: e.new.ID, At: at, Retire: in.Retire}
	if s.Channels, err = in.channels(&e); err != nil {
		return err
	}
	if _, err = a.Tree.Swap(r.Context(), s, change(r, now, in.Why)); err != nil {
		return err
	}
	return a.writePlace(w, a.renewed(r), e.place, http.StatusOK)
}

// channels gives which channel continues which. Without a person's word no quantity continues another one.
func (in *swapRequest) channels(e *swapEnds) ([]storage.SwappedChannel, error) {
	list := []storage.SwappedChannel{}
	if in.Channels == nil {
		for _, p := range pairs(e.before, e.after) {
			if p.before != nil && p.after != nil && p.before.Quantity == p.after.Quantity {
				list = append(list, storage.SwappedChannel{Old: p.before.ID, New: p.after.ID})
			}
		}
		return list, nil
	}
	has := func(channels []halley.Channel, id halley.ChannelID) bool {
		return slices.ContainsFunc(channels, func(c halley.Channel) bool { return c.ID == id })
	}
	for _, p := range *in.Channels {
		if !has(e.before, p.Old) || !has(e.after, p.New) {
			return nil, invalid("channels", "name a channel of the old device that is at this place, and one of the new device")
		}
		list = append(list, storage.SwappedChannel{Old: p.Old, New: p.New})
	}
	return list, nil
}
