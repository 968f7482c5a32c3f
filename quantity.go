package halley

// The quantities that Halley knows by a word. Families that send a free text instead of a quantity keep their text.
const (
	Temperature      = "temperature"
	Humidity         = "humidity"
	DewPoint         = "dew point"
	AbsoluteHumidity = "absolute humidity"
	SpecificHumidity = "specific humidity"
	MixingRatio      = "mixing ratio"
	SpecificEnthalpy = "specific enthalpy"
	Pressure         = "pressure"
	CO2              = "CO2"
	Current          = "current"
	Binary           = "binary"
)
