package cometjson

import (
	"strings"

	"halley"
)

// QuantityOf tells what is measured from the unit. A channel's quantity is part of its identity, so it must not change when a
// person renames the channel: the name counts only where a unit serves several quantities (a temperature may be a dew point,
// g/kg a mixing ratio or a specific humidity), and it is the quantity itself where the unit is not known.
//
// "%" alone is taken as relative humidity: modem loggers send it so (example in the modem document).
func QuantityOf(unit, name string) string {
	switch unit {
	case "°C", "°F", "C", "F", "K", "ºC", "ºF", "˚C", "˚F", "℃", "℉", "degC", "degF", "deg C", "deg F":
		if namesDewPoint(name) {
			return halley.DewPoint
		}
		return halley.Temperature
	case "ppm":
		return halley.CO2
	case "g/m3", "g/m³", "gr/ft3", "gr/ft³":
		return halley.AbsoluteHumidity
	case "g/kg", "gr/lb":
		if names(name, "specific", "měrná vlhkost", "spezifische") {
			return halley.SpecificHumidity
		}
		return halley.MixingRatio
	case "kJ/kg", "BTU/lb", "Btu/lb":
		return halley.SpecificEnthalpy
	case "mA":
		return halley.Current
	}
	switch strings.ToLower(unit) {
	case "%rh", "% rh", "%r.h.", "% r.h.", "%":
		return halley.Humidity
	case "hpa", "kpa", "pa", "mpa", "bar", "mbar", "psi", "inhg", "mmhg", "inh2o", "mmh2o", "oz/in2", "oz/in²":
		return halley.Pressure
	}
	return name
}

// namesDewPoint says whether a channel's name speaks of a dew point, in the languages that the maker's sensors are sold in.
func namesDewPoint(name string) bool {
	switch name {
	case "", "Temperature":
		return false
	case "Dew point":
		return true
	}
	return names(name, "dew", "rosn", "taupunkt", "rosée", "rocío", "rugiada", "rosy", "dauw")
}

// names says whether name holds one of the words, in any case.
func names(name string, words ...string) bool {
	lower := strings.ToLower(name)
	for _, w := range words {
		if strings.Contains(lower, w) {
			return true
		}
	}
	return false
}
