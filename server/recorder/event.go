package recorder

import (
	"encoding/json"

	"halley"
	"halley/server/alive"
	"halley/storage"
)

// addEvent takes from an event when the node could not take messages. All other events, and those that cannot be read, stay in the
// journal alone: they add nothing to what devices said.
func (s *sorted) addEvent(it *item) {
	var e alive.Event
	if json.Unmarshal(it.Body, &e) != nil {
		return
	}
	i := storage.Interruption{Node: s.batch.Node}
	switch e.Event {
	case alive.Start:
		// A start that could not be noted at once says itself when it was.
		i.Kind, i.From, i.To = storage.ServerDown, e.DownSince, e.At
		if i.To == 0 {
			i.To = halley.Millis(it.ReceivedMicros / 1000)
		}
	case alive.Refused:
		i.Kind, i.From, i.To = storage.ServerRefused, e.From, e.To
	default:
		return
	}
	// After a step of the clock a span may run backwards: it says nothing then.
	if i.From.Storable() && i.To.Storable() && i.From < i.To {
		s.batch.Interruptions = append(s.batch.Interruptions, i)
	}
}
