package modem

import (
	"halley"
	"halley/protocols/internal/cometjson"
)

// Model is an instrument: its number in Kind (0: not known), the maker's name, and its usual channels with a usual value.
type Model = cometjson.Model

// Models gives some instruments of the family. Their numbers in Kind are not known, so that a name does not come through an
// upload. The channels are those of the maker's catalogue by the digits of the name; units are those of the example message.
func Models() []Model {
	return []Model{
		{Name: "U0110", Channels: []halley.Reading{temperature(1, "Temperature", 21.3)}},
		{Name: "U0121", Channels: []halley.Reading{temperature(1, "Fridge", 4.2), temperature(2, "Freezer", -19.5)}},
		{Name: "U0141", Channels: []halley.Reading{
			temperature(1, "Shelf 1", 4.1), temperature(2, "Shelf 2", 4.4), temperature(3, "Shelf 3", 4.9), temperature(4, "Shelf 4", 5.3),
		}},
		{Name: "U0843", Channels: []halley.Reading{
			temperature(1, "Fridge", 4.2), temperature(2, "Freezer", -19.5), binary(3, "Door 1"), binary(4, "Door 2"),
		}},
		{Name: "U3120", Channels: climate()},
		{Name: "U3121", Channels: climate()},
		{Name: "U3631", Channels: append(climate(), temperature(4, "Probe", 4.2), binary(5, "Door"))},
		{Name: "U4440", Channels: append(climate(), pressure(4), carbonDioxide(5))},
		{Name: "U8410", Channels: append(climate(), binary(4, "Input 1"), binary(5, "Input 2"))},
	}
}

func temperature(number int, name string, usual float64) halley.Reading {
	return halley.Reading{Number: number, Name: name, Quantity: halley.Temperature, Unit: "°C", Decimals: 1, Value: usual}
}

// climate is what a logger for temperature and humidity gives: three channels.
func climate() []halley.Reading {
	return []halley.Reading{
		temperature(1, "Temperature", 21.3),
		{Number: 2, Name: "Rel. humidity", Quantity: halley.Humidity, Unit: "%", Decimals: 1, Value: 45},
		{Number: 3, Name: "Dew point", Quantity: halley.DewPoint, Unit: "°C", Decimals: 1, Value: 8.9},
	}
}

func pressure(number int) halley.Reading {
	return halley.Reading{Number: number, Name: "Pressure", Quantity: halley.Pressure, Unit: "hPa", Decimals: 1, Value: 1013.2}
}

func carbonDioxide(number int) halley.Reading {
	return halley.Reading{Number: number, Name: "CO2", Quantity: halley.CO2, Unit: "ppm", Value: 640}
}

func binary(number int, name string) halley.Reading {
	return halley.Reading{Number: number, Name: name, Quantity: halley.Binary}
}
