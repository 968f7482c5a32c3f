package cometjson

import (
	"fmt"
	"strconv"

	"halley"
)

// localAddress stands in the field for the device's address: one of those that are kept for documentation (RFC 5737).
const localAddress = "192.0.2.10"

// Encode gives the body that a device would send for an upload of one message. What the family cannot carry (battery, buffer,
// signal without a radio) is not sent; a quality, clock or kind that it cannot express is an error.
func (d *Dialect) Encode(up *halley.Upload) ([]byte, error) {
	if len(up.Messages) != 1 {
		return nil, fmt.Errorf("encoding for %s: %d messages, a body takes one", d.Family, len(up.Messages))
	}
	if up.Serial == "" {
		return nil, fmt.Errorf("encoding for %s: no serial number", d.Family)
	}
	m := &up.Messages[0]
	kind, ok := d.numberOf(m)
	if !ok {
		return nil, fmt.Errorf("encoding for %s: there is no number for messages of kind %d", d.Family, m.Kind)
	}
	if m.Clock != halley.ClockValid && m.Clock != halley.ClockNotValid {
		return nil, fmt.Errorf("encoding for %s: these devices send a time with its offset", d.Family)
	}
	w := Writer{b: make([]byte, 0, 512+256*len(m.Readings))}
	w.Int("{\"JsonType\":", d.JSONType)
	w.Int(",\"JsonVersion\":", 1)
	w.known(",\"OrderId\":", m.Order)
	w.Int(",\"MsgType\":", int64(kind))
	w.known(",\"MsgCache\":", int64(m.Cache))
	w.Text(",\"Sn\":", up.Serial)
	w.Text(",\"Desc\":", up.Name)
	if up.Model != "" {
		number, ok := d.modelKind(up.Model)
		if !ok {
			return nil, fmt.Errorf("encoding for %s: the family has no model %q", d.Family, up.Model)
		}
		w.Int(",\"Kind\":", int64(number))
	}
	d.writeState(&w, m)
	w.known(",\"NConf\":", int64(m.Config))
	w.Text(",\"ConfID\":", "0-"+up.Serial+d.ConfigTail)
	w.Int(",\"Interval\":", int64(m.Interval))
	d.writeTimes(&w, m)
	w.Text(",\""+d.Address+"\":", localAddress)
	w.Put(",\"Channels\":[")
	for i := range m.Readings {
		if i > 0 {
			w.Put(",")
		}
		if err := d.writeChannel(&w, &m.Readings[i]); err != nil {
			return nil, err
		}
	}
	w.Put("]}")
	return w.b, nil
}

func (*Dialect) writeState(w *Writer, m *halley.Message) {
	if m.State == halley.Unknown && m.StateMask == halley.Unknown {
		return
	}
	w.Put(",\"AState\":{")
	separator := ""
	if m.State != halley.Unknown {
		w.Int("\"Reg\":", int64(m.State))
		separator = ","
	}
	w.known(separator+"\"Mask\":", int64(m.StateMask))
	w.Put("}")
}

func (d *Dialect) writeTimes(w *Writer, m *halley.Message) {
	w.Put(",\"Time\":{")
	if m.Now != 0 || m.Clock == halley.ClockNotValid {
		w.stamp("\"Now\":", m.Now)
		w.Put(",")
	}
	w.stamp("\"Sample\":", m.Sample)
	valid := int64(1)
	if m.Clock == halley.ClockNotValid {
		valid = 0
	}
	w.Int(",\"IsValid\":", valid)
	w.Put("}")
	if d.HasRadio {
		signal := int64(m.Signal)
		if signal == 0 {
			signal = noSignal
		}
		w.Int(",\"Rssi\":{\"Now\":", signal)
		w.Int(",\"Sample\":", signal)
		w.Put("}")
	}
}

func (d *Dialect) writeChannel(w *Writer, r *halley.Reading) error {
	w.Int("{\"Nr\":", int64(r.Number))
	w.Int(",\"En\":", 1)
	w.Text(",\"Quant\":", r.Name)
	if !w.Value(",\"Val\":", r) {
		return fmt.Errorf("encoding for %s: channel %d cannot be %q", d.Family, r.Number, r.Quality.Words(false))
	}
	w.Text(",\"ValStr\":", d.shown(r))
	w.Text(",\"Unit\":", r.Unit)
	w.Int(",\"Dec\":", int64(r.Decimals))
	if d.HasTypes {
		w.Int(",\"Type\":[", typeOf(r))
		w.Int(",", typeNone)
		w.Put("]")
	}
	a1, a2 := r.Quality.Alarms()
	w.Alarms(",\"Alarm\":", a1, a2, false)
	if d.HasRadio {
		w.Put(",\"AlarmLim\":[\"00000000\",\"00000000\"]")
	}
	w.Alarms(",\"AlarmMode\":", a1, a2, true)
	if d.HasTypes && r.Quantity == halley.Binary {
		w.Put(",\"BinDesc\":[\"Closed\",\"Open\"]")
	}
	w.Put("}")
	return nil
}

// errorNoProbe is the error that TAx6xx devices show as "n/a": no probe (TAx6xx document, error numbers seen).
const errorNoProbe = 0x35

// shown gives what the device would show for a reading.
func (d *Dialect) shown(r *halley.Reading) string {
	switch {
	case r.Quality.HasValue():
		return strconv.FormatFloat(r.Value, 'f', r.Decimals, 32)
	case r.Quality.Number() == errorNoProbe:
		return "n/a"
	}
	return d.ErrorWord + strconv.Itoa(int(r.Quality.Number()))
}

// typeOf gives the number of Type from which a reading's quantity is told again.
func typeOf(r *halley.Reading) int64 {
	switch r.Quantity {
	case halley.Temperature:
		return typeInternal
	case halley.Humidity:
		return typeHumidity
	case halley.DewPoint:
		return typeDewPoint
	case halley.Binary:
		return typeBinaryFirst
	case halley.AbsoluteHumidity, halley.SpecificHumidity, halley.MixingRatio, halley.SpecificEnthalpy:
		return typeCalculated
	}
	return typeNone
}
