package cometjson

import "halley"

// Dialect is what the WiFi sensors and the TAx6xx and PAx6xx Web Sensors do not share.
type Dialect struct {
	Family halley.Family
	// JSONType is the number that tells the families apart.
	JSONType int64
	// Kinds are the numbers of MsgType that are known.
	Kinds []KindNumber
	// Models are the instruments by their number in Kind.
	Models []Model
	// HasRadio says that messages carry Rssi, and channels AlarmLim.
	HasRadio bool
	// HasTypes says that channels carry Type.
	HasTypes bool
	// EnabledUnlessSaid says that a channel without En that has a value is enabled; otherwise it is not.
	EnabledUnlessSaid bool
	// Address is the name of the field with the device's address in the LAN.
	Address string
	// ErrorWord stands before the number of an error in ValStr.
	ErrorWord string
	// ConfigTail is what follows the serial number in ConfID.
	ConfigTail string
}

// KindNumber is one number of MsgType.
type KindNumber struct {
	Number int
	Kind   halley.MessageKind
}

// Model is an instrument as the simulator makes it.
type Model struct {
	// Kind is the family's number for it.
	Kind int
	// Name is the maker's.
	Name string
	// Channels are its usual channels with a usual value.
	Channels []halley.Reading
}

func (d *Dialect) kindOf(number int64) (halley.MessageKind, bool) {
	for _, k := range d.Kinds {
		if int64(k.Number) == number {
			return k.Kind, true
		}
	}
	return halley.Periodic, false
}

// numberOf gives the number of MsgType for a message: its own where that fits its kind, else the first that does.
func (d *Dialect) numberOf(m *halley.Message) (int, bool) {
	first, found := 0, false
	for _, k := range d.Kinds {
		if k.Kind != m.Kind {
			continue
		}
		if k.Number == m.RawKind {
			return k.Number, true
		}
		if !found {
			first, found = k.Number, true
		}
	}
	return first, found
}

func (d *Dialect) modelName(kind int64) string {
	for i := range d.Models {
		if int64(d.Models[i].Kind) == kind {
			return d.Models[i].Name
		}
	}
	return ""
}

func (d *Dialect) modelKind(name string) (int, bool) {
	for i := range d.Models {
		if d.Models[i].Name == name {
			return d.Models[i].Kind, true
		}
	}
	return 0, false
}
