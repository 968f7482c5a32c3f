package viewerapi

import (
	"cmp"
	"net/http"
	"time"

	"halley"
	"halley/server/directory"
)

// channelsMost is how many channels one request attaches or takes away.
const channelsMost = 100

// attachRequest is the body of attaching channels and of taking them away.
type attachRequest struct {
	ChannelIDs []halley.ChannelID `json:"channel_ids"`
	At         string             `json:"at"`
	Why        string             `json:"why"`
}

// attachChannels attaches channels to a place from an instant on. 404 where the place or a channel is not there, 409 where the place is
// closed, a device is not accepted, or the instant lies before the channel's newest attachment.
func (a *API) attachChannels(w http.ResponseWriter, r *http.Request) error {
	return a.moveChannels(w, r, func(place halley.PlaceID, _ halley.ChannelID) (halley.PlaceID, error) { return place, nil })
}

// detachChannels takes channels from a place from an instant on. 404 where the place or a channel is not there, 409 where a channel is not
// at the place.
func (a *API) detachChannels(w http.ResponseWriter, r *http.Request) error {
	state := rightsOf(r).State()
	return a.moveChannels(w, r, func(place halley.PlaceID, channel halley.ChannelID) (halley.PlaceID, error) {
		if placeNow(state, channel) != place {
			return 0, &halley.Error{
				Kind: halley.Conflict, Op: "take channels away", Code: "not-at-place", Field: "channel_ids",
				Message: "a channel of these is not at this place: reload and look again",
			}
		}
		return 0, nil
	})
}

// moveChannels reads which channels, and attaches each where to says. Who moves a channel needs the right at its device too, wherever
// that is now.
func (a *API) moveChannels(w http.ResponseWriter, r *http.Request,
	to func(halley.PlaceID, halley.ChannelID) (halley.PlaceID, error),
) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var in attachRequest
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	if n := len(in.ChannelIDs); n < 1 || n > channelsMost {
		return invalid("channel_ids", "name from 1 to 100 channels by their ids")
	}
	now, rights := halley.MillisOf(time.Now()), rightsOf(r)
	at, err := actInstant(in.At, now)
	if err = cmp.Or(err, checkWhy(in.Why, true)); err != nil {
		return err
	}
	list := make([]halley.Attachment, 0, len(in.ChannelIDs))
	for _, channel := range in.ChannelIDs {
		if err = mayMove(rights, channel); err != nil {
			return err
		}
		place, err := to(halley.PlaceID(id), channel)
		if err != nil {
			return err
		}
		list = append(list, halley.Attachment{ChannelID: channel, PlaceID: place, From: at})
	}
	if _, err = a.Tree.Attach(r.Context(), list, change(r, now, in.Why)); err != nil {
		return err
	}
	return a.writePlace(w, a.renewed(r), halley.PlaceID(id), http.StatusOK)
}

// mayMove says whether a channel may be attached elsewhere or nowhere: by whoever may attach its device, and at the place where it is.
func mayMove(rights directory.Rights, channel halley.ChannelID) error {
	state := rights.State()
	device := state.ChannelDevice(channel)
	if device == 0 || !(thing{scopeDevice, int64(device)}).held(rights, halley.PermitDeviceRead) {
		return thing{scopeChannel, int64(channel)}.missing()
	}
	if err := (thing{scopeDevice, int64(device)}).allow(rights, halley.PermitDeviceAttach); err != nil {
		return err
	}
	if place := placeNow(state, channel); place != 0 {
		return thing{scopePlace, int64(place)}.allow(rights, halley.PermitDeviceAttach)
	}
	return nil
}

// placeNow gives where a channel is in the end; 0 for nowhere.
func placeNow(state *directory.State, channel halley.ChannelID) halley.PlaceID {
	spans := state.ChannelSpans(channel)
	if len(spans) == 0 {
		return 0
	}
	return spans[len(spans)-1].Place
}

// actInstant reads from when on something is to be so: now where nothing is given, and never later.
func actInstant(text string, now halley.Millis) (halley.Millis, error) {
	if text == "" {
		return now, nil
	}
	at, err := bodyInstant("at", text)
	if err != nil {
		return 0, err
	}
	if at > now {
		return 0, invalid("at", "write an instant that has come")
	}
	return at, nil
}
