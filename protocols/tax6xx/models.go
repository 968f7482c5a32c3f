package tax6xx

import (
	"halley"
	"halley/protocols/internal/cometjson"
)

// Model is an instrument: its number in Kind, the maker's name, and its usual channels with a usual value.
type Model = cometjson.Model

// Models gives the instruments of the family (TAx6xx document, table Kind). Number 6 is reserved. The document contradicts
// itself on the TA5640: CO2 and pressure in the table, temperature and CO2 in its comment, which is taken here. The order of
// channels beyond the example of the TA3610 and of the PA8652 is not documented.
func Models() []Model {
	return []Model{
		{Kind: 1, Name: "TA3610", Channels: climate(1)},
		{Kind: 2, Name: "TA3611", Channels: climate(1)},
		{Kind: 3, Name: "TA7610", Channels: append(climate(1), pressure(4))},
		{Kind: 4, Name: "TA4611", Channels: []halley.Reading{temperature(1, "Temperature", 4.2)}},
		{Kind: 5, Name: "TA0610", Channels: []halley.Reading{temperature(1, "Temperature", 21.4)}},
		{Kind: 7, Name: "TA7611", Channels: append(climate(1), pressure(4))},
		{Kind: 8, Name: "TA5640", Channels: []halley.Reading{temperature(1, "Temperature", 21.4), carbonDioxide(2)}},
		{Kind: 9, Name: "TA4621", Channels: []halley.Reading{temperature(1, "Temperature 1", 4.2), temperature(2, "Temperature 2", -19.5)}},
		{Kind: 10, Name: "TA3621", Channels: append(climate(1), climate(4)...)},
		{Kind: 11, Name: "TA3645", Channels: append(climate(1), temperature(4, "Temperature 2", 4.2), temperature(5, "Temperature 3", -19.5))},
		{Kind: 12, Name: "TA7640", Channels: append(climate(1), pressure(4), carbonDioxide(5))},
		{Kind: 128, Name: "PA8652", Channels: []halley.Reading{
			temperature(1, "Temperature", 22.3), temperature(3, "Temperature", 21.7), humidity(4),
			binary(5, "Binary input 1"), binary(6, "Binary input 2"), binary(7, "Binary input 3"),
		}},
		{Kind: 129, Name: "PA8611", Channels: []halley.Reading{temperature(1, "Temperature", 21.4), humidity(2)}},
		{Kind: 130, Name: "PA8641", Channels: []halley.Reading{
			temperature(1, "Temperature", 21.4), humidity(2), temperature(3, "Temperature", 4.2), temperature(5, "Temperature", -19.5),
		}},
		{Kind: 131, Name: "PA8610", Channels: []halley.Reading{temperature(1, "Temperature", 21.4)}},
	}
}

func temperature(number int, name string, usual float64) halley.Reading {
	return halley.Reading{Number: number, Name: name, Quantity: halley.Temperature, Unit: "°C", Decimals: 1, Value: usual}
}

func humidity(number int) halley.Reading {
	return halley.Reading{Number: number, Name: "Relative humidity", Quantity: halley.Humidity, Unit: "%RH", Decimals: 1, Value: 45.5}
}

// climate is what a probe for temperature and humidity gives: three channels.
func climate(first int) []halley.Reading {
	return []halley.Reading{
		temperature(first, "Temperature", 21.4),
		humidity(first + 1),
		{Number: first + 2, Name: "Dew point", Quantity: halley.DewPoint, Unit: "°C", Decimals: 1, Value: 9.1},
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
