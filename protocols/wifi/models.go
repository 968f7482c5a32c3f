package wifi

import (
	"halley"
	"halley/protocols/internal/cometjson"
)

// Model is an instrument: its number in Kind, the maker's name, and its usual channels with a usual value.
type Model = cometjson.Model

// Models gives the instruments of the family (WiFi document, table Kind). The document has ATAL's names; the COMET names were
// matched by quantities and by the digits of the names, W8810 and W4710 with the least certainty. Which number a channel has is
// not documented; the order is that of the TAx6xx family.
func Models() []Model {
	return []Model{
		{Kind: 1, Name: "W0710", Channels: []halley.Reading{temperature(1, "Temperature", 21.4)}},
		{Kind: 2, Name: "W0741", Channels: pt1000s(1, 4)},
		{Kind: 3, Name: "W3710", Channels: climate(1)},
		{Kind: 4, Name: "W3711", Channels: climate(1)},
		{Kind: 5, Name: "W3721", Channels: append(climate(1), climate(4)...)},
		{Kind: 6, Name: "W3745", Channels: append(climate(1), pt1000s(4, 3)...)},
		{Kind: 7, Name: "W7710", Channels: append(climate(1), pressure(4))},
		{Kind: 8, Name: "W8810", Channels: append(climate(1), pressure(4), carbonDioxide(5))},
		{Kind: 9, Name: "W5714", Channels: []halley.Reading{carbonDioxide(1)}},
		{Kind: 10, Name: "W4710", Channels: append(climate(1), carbonDioxide(4))},
		{Kind: 11, Name: "W0711", Channels: []halley.Reading{temperature(1, "Temperature", 4.2)}},
	}
}

func temperature(number int, name string, usual float64) halley.Reading {
	return halley.Reading{Number: number, Name: name, Quantity: halley.Temperature, Unit: "°C", Decimals: 1, Value: usual}
}

// climate is what a probe for temperature and humidity gives: three channels.
func climate(first int) []halley.Reading {
	return []halley.Reading{
		temperature(first, "Temperature", 21.4),
		{Number: first + 1, Name: "Relative humidity", Quantity: halley.Humidity, Unit: "%RH", Decimals: 1, Value: 45.5},
		{Number: first + 2, Name: "Dew point", Quantity: halley.DewPoint, Unit: "°C", Decimals: 1, Value: 9.1},
	}
}

// pt1000s are several inputs for Pt1000 probes.
func pt1000s(first, count int) []halley.Reading {
	names := []string{"Input 1", "Input 2", "Input 3", "Input 4"}
	readings := make([]halley.Reading, 0, count)
	for i := range count {
		readings = append(readings, temperature(first+i, names[i], 4.2-float64(8*i)))
	}
	return readings
}

func pressure(number int) halley.Reading {
	return halley.Reading{Number: number, Name: "Pressure", Quantity: halley.Pressure, Unit: "hPa", Decimals: 1, Value: 1013.2}
}

func carbonDioxide(number int) halley.Reading {
	return halley.Reading{Number: number, Name: "CO2", Quantity: halley.CO2, Unit: "ppm", Value: 640}
}
