package viewerapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"halley"
)

// mostAtOnce is from how many bytes on the events that wait for a reader are written.
const mostAtOnce = 16 << 10

// Shared gives the event so that the text in which it is sent is made once for all readers who may know all of it.
func (e Event) Shared() Event {
	e.text = sync.OnceValues(e.newText)
	return e
}

// eventText gives an event as it is sent.
func (e *Event) eventText() ([]byte, error) {
	if e.text != nil {
		return e.text()
	}
	return e.newText()
}

// newText makes the text of an event; none for a kind that readers are told nothing of.
func (e Event) newText() ([]byte, error) {
	switch e.Kind {
	case EventMessage:
		return textOf("message", newMessageEvent(&e.Message))
	case EventDevices:
		return textOf("devices", devicesEvent{Version: e.Version})
	case EventMissed:
		return textOf("missed", struct{}{})
	}
	return nil, nil
}

// textOf gives a server-sent event.
func textOf(name string, data any) ([]byte, error) {
	body, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, body), nil
}

// seenText gives what the reader may know of an event, as it is sent; nothing where that is nothing.
func (s *stream) seenText(e *Event) ([]byte, error) {
	if e.Kind != EventMessage {
		return e.eventText()
	}
	if s.device != 0 && e.Message.DeviceID != s.device {
		return nil, nil
	}
	if s.rights.Everywhere(halley.PermitSampleRead) {
		return e.eventText()
	}
	seen := e.Message
	switch {
	case !seenMessage(s.rights, &seen):
		return nil, nil
	case len(seen.Values) == len(e.Message.Values):
		return e.eventText()
	}
	return textOf("message", newMessageEvent(&seen))
}

// tell sends what the reader may know of an event, and with it of those that wait behind it, so that many events are one write. It asks
// before each whether the reader still may, and says false where not.
func (s *stream) tell(e Event, waiting <-chan Event, still func() bool) (may bool, err error) {
	var all []byte
	for more := true; more && len(all) < mostAtOnce; {
		if may = still(); !may {
			break
		}
		text, err := s.seenText(&e)
		if err != nil {
			return true, err
		}
		if all == nil {
			all = slices.Clip(text) // It may be everybody's, and must not be written behind.
		} else {
			all = append(all, text...)
		}
		select {
		case e, more = <-waiting:
		default:
			more = false
		}
	}
	if len(all) == 0 {
		return may, nil
	}
	return may, s.write(all)
}
