package fleet

import (
	"encoding/json"
	"net/http"

	"halley"
	"halley/protocols/modem"
	"halley/protocols/tax6xx"
	"halley/protocols/websensor"
	"halley/protocols/wifi"
)

// Lines gives the families that a fleet can be of, in the order in which a mixed fleet has them.
func Lines() []Line {
	return []Line{webSensors(), wifiSensors(), webSensorsOf2026(), modemLoggers()}
}

// LinesOf gives the line of one family, or all for "all"; nil for any other word.
func LinesOf(family string) []Line {
	all := Lines()
	if family == "all" {
		return all
	}
	for i := range all {
		if string(all[i].Protocol.Family()) == family {
			return all[i : i+1]
		}
	}
	return nil
}

// OnlyModel gives the lines that have a model of this name, with that one alone; none where it is not there.
func OnlyModel(lines []Line, name string) []Line {
	var left []Line
	for _, line := range lines {
		for _, m := range line.Models {
			if m.Name == name {
				line.Models = []Model{m}
				left = append(left, line)
				break
			}
		}
	}
	return left
}

// webSensors speak SOAP. They send no name (but for the P2520), time, number or reason, and mark nothing as out of turn.
func webSensors() Line {
	return Line{
		Protocol: websensor.New(),
		Models:   webSensorModels(),
		Kinds:    map[halley.MessageKind]int{halley.Periodic: halley.Unknown, halley.Extra: halley.Unknown},
		Waited:   noReasons(),
		Header: func(form string) string {
			return "Content-Type: text/xml; charset=utf-8\r\nSOAPAction: \"http://tempuri.org/" + form + "\"\r\n"
		},
		Acknowledged: statusOK,
		Prepare: func(d *Device, m *halley.Message) {
			m.Sample, m.Now, m.Clock, m.Kind = 0, 0, halley.ClockNone, halley.Periodic
			m.Order, m.Cache, m.Config = halley.Unknown, halley.Unknown, halley.Unknown
			if d.model.Form == websensor.FormTx5xxCO2 {
				m.State = 1 // the green LED
			}
		},
	}
}

// webSensorModels gives the models whose form is known, with usual values; the family's channels come without.
func webSensorModels() []Model {
	var models []Model
	for _, m := range websensor.Models() {
		if m.Form == "" {
			continue
		}
		model := Model{
			Name: m.Name, Form: m.Form, Nameless: m.Form != websensor.FormP2520,
			Faults: []halley.Quality{halley.QualityOf(halley.BelowRange, 0)},
		}
		if m.Form == websensor.FormP2520 {
			model.Faults[0] = halley.QualityOf(halley.SensorError, 0)
		}
		model.Channels = m.Upload("00000001").Messages[0].Readings
		for i := range model.Channels {
			model.Channels[i].Value = usual(model.Channels[i].Quantity)
		}
		models = append(models, model)
	}
	return models
}

func usual(quantity string) float64 {
	switch quantity {
	case halley.Temperature:
		return 21.4
	case halley.Humidity:
		return 45.5
	case halley.DewPoint:
		return 9.1
	case halley.Pressure:
		return 987.4
	case halley.CO2:
		return 640
	}
	return 12
}

func wifiSensors() Line {
	line := Line{
		Protocol: wifi.New(),
		Kinds: map[halley.MessageKind]int{
			halley.AfterRestart: 0, halley.AfterConfiguration: 1, halley.Periodic: 2, halley.Extra: 3, halley.TestMessage: 4,
		},
		Waited: Reasons{NoNetwork: 1, Name: 2, Connection: 4, TLS: 4, Transfer: 5, Refused: 7},
		// Only a Result of true confirms (WiFi document, "Required response").
		Acknowledged: func(status int, body []byte) bool {
			var answer struct{ Result bool }
			return status == http.StatusOK && json.Unmarshal(body, &answer) == nil && answer.Result
		},
		Prepare: func(d *Device, m *halley.Message) {
			m.State, m.StateMask = 131, 4352
			m.Signal = -58 + int(12*swing(d.seed, 23)+4*drift(d.seed, m.Order))
		},
	}
	for _, m := range wifi.Models() {
		line.Models = append(line.Models, Model{Name: m.Name, Faults: sensorErrors(4, 0x35), Channels: m.Channels})
	}
	return line
}

func webSensorsOf2026() Line {
	line := Line{
		Protocol: tax6xx.New(),
		Kinds: map[halley.MessageKind]int{
			halley.AfterRestart: 0, halley.Periodic: 1, halley.Extra: 2, halley.TestMessage: 4,
		},
		Waited:       Reasons{NoNetwork: 1, Name: 2, Connection: 6, TLS: 7, Transfer: 9, Refused: 10},
		Acknowledged: statusOK,
		Prepare:      func(_ *Device, m *halley.Message) { m.State, m.StateMask = 128, 10688 },
	}
	for _, m := range tax6xx.Models() {
		line.Models = append(line.Models, Model{Name: m.Name, Faults: sensorErrors(4, 0x35), Channels: m.Channels})
	}
	return line
}

func modemLoggers() Line {
	const numbers = 256
	line := Line{
		Protocol:     modem.New(),
		Numbers:      numbers,
		Kinds:        map[halley.MessageKind]int{halley.Periodic: 0, halley.Extra: 1, halley.AfterRestart: 2},
		Waited:       noReasons(),
		Acknowledged: statusOK,
		Prepare: func(d *Device, m *halley.Message) {
			// The clock is in UTC, external power is there, the logger records.
			m.Clock, m.State, m.StateMask = halley.ClockLocalOrUTC, 192, 65535
			m.Signal = -79 + 2*int(8*swing(d.seed, 23))
			m.Battery = 60 + int(39*share(d.seed, 29))
			m.Order %= numbers
		},
	}
	for _, m := range modem.Models() {
		line.Models = append(line.Models, Model{Name: m.Name, Faults: sensorErrors(1, 4), Channels: m.Channels})
	}
	return line
}

// sensorErrors gives the errors of these numbers.
func sensorErrors(numbers ...uint8) []halley.Quality {
	faults := make([]halley.Quality, 0, len(numbers))
	for _, n := range numbers {
		faults = append(faults, halley.QualityOf(halley.SensorError, n))
	}
	return faults
}

// statusOK is the rule of the families for which status 200 alone confirms.
func statusOK(status int, _ []byte) bool { return status == http.StatusOK }
