package websensor

import "halley"

// Model is a device model: its code in the messages, and what it measures.
type Model struct {
	// Code is what the message says in "device" or "kind".
	Code int
	// Name is the maker's, such as "T3510".
	Name string
	// Form is the name of the message that it sends; "" where no published text gives it (H-line, P-line).
	Form string
	// Temperature, Humidity, Computed, Pressure and CO2 say what a T- or H-line model measures. A P-line model and the P2520
	// describe their channels in each message instead, and have none of them.
	Temperature, Humidity, Computed, Pressure, CO2 bool
}

// The names of the message elements.
const (
	FormTx5xx    = "InsertTx5xxSample"
	FormTx5xxCO2 = "InsertTx5xxCO2Sample"
	FormP2520    = "InsertP2520Sample"
)

const codeP2520 = 4357

// measures is a set of quantities, for the table below. Models with humidity compute a quantity from it.
type measures uint8

const (
	temperature measures = 1 << iota
	humidity
	pressure
	co2
)

// The sets that occur.
const (
	humid         = temperature | humidity
	humidPressure = humid | pressure
	humidCO2      = humid | co2
)

// Models gives all known models by rising code. Quantities of T-line models 41xx up to 4146 are from manual IE-SNC-Tx5xx-28;
// those of Tx6xx, of the CO2 and of the H-line models follow the digits of their names.
func Models() []Model {
	return []Model{
		tLine(4106, "T4511", temperature),
		tLine(4107, "T3511", humid),
		tLine(4124, "T2514", pressure),
		tLine(4129, "T7511", humidPressure),
		tLine(4144, "T0510", temperature),
		tLine(4145, "T3510", humid),
		tLine(4146, "T7510", humidPressure),
		tLine(4155, "T5540", co2),
		tLine(4158, "T6540", humidCO2),
		tLine(4161, "T5541", co2),
		tLine(4164, "T6541", humidCO2),
		tLine(4173, "T0610", temperature),
		tLine(4174, "T4611", temperature),
		tLine(4175, "T3610", humid),
		tLine(4176, "T3611", humid),
		tLine(4177, "T7610", humidPressure),
		tLine(4178, "T7611", humidPressure),
		tLine(4179, "T6640", humidCO2),
		tLine(4180, "T5640", co2),
		tLine(4191, "T5545", co2),
		tLine(4194, "T6545", humidCO2),
		tLine(4195, "T7613D", humidPressure),
		tLine(4199, "T5641", co2),
		tLine(4200, "T6641", humidCO2),
		{Code: 4352, Name: "P8511"},
		{Code: 4353, Name: "P8541"},
		{Code: 4354, Name: "P8510"},
		{Code: 4355, Name: "P8610"},
		{Code: 4356, Name: "P8631"},
		{Code: codeP2520, Name: "P2520", Form: FormP2520},
		{Code: 4358, Name: "P8611"},
		{Code: 4359, Name: "P8641"},
		{Code: 4360, Name: "P8652"},
		{Code: 4361, Name: "P8552"},
		{Code: 4362, Name: "P8653"},
		hLine(4631, "H5524", co2),
		hLine(4637, "H6520", humidCO2),
		hLine(4640, "H5521", co2),
		hLine(4643, "H6521", humidCO2),
		hLine(4656, "H4531", temperature),
		hLine(4657, "H0530", temperature),
		hLine(4658, "H3531", humid),
		hLine(4659, "H3530", humid),
		hLine(4660, "H7530", humidPressure),
		hLine(4661, "H7531", humidPressure),
		hLine(4673, "H3531R", humid),
		hLine(4674, "H4531R", temperature),
		hLine(4675, "H7531R", humidPressure),
		hLine(4676, "H3536", humid),
	}
}

func tLine(code int, name string, m measures) Model {
	model := hLine(code, name, m)
	model.Form = FormTx5xx
	if m&co2 != 0 {
		model.Form = FormTx5xxCO2
	}
	return model
}

func hLine(code int, name string, m measures) Model {
	return Model{
		Code: code, Name: name,
		Temperature: m&temperature != 0, Humidity: m&humidity != 0, Computed: m&humidity != 0, Pressure: m&pressure != 0,
		CO2: m&co2 != 0,
	}
}

// describesQuantities says whether the model is one whose quantities the table knows.
func (m *Model) describesQuantities() bool {
	return m.Temperature || m.Humidity || m.Computed || m.Pressure || m.CO2
}

// Upload gives an upload as the model sends it, with one message and a reading for each of its channels, for the caller to set
// the values of: °C, %RH, dew point in °C, hPa, ppm; the P2520 has two channels of mA. All readings are 0 and good. It is for a
// model with a Form; of another, Encode takes none.
func (m Model) Upload(serial string) halley.Upload {
	message := emptyMessage()
	message.Interval = factoryInterval
	add := func(has bool, number int, quantity, unit string, decimals int) {
		if has {
			message.Readings = append(message.Readings, halley.Reading{
				Number: number, Quantity: quantity, Unit: unit, Decimals: decimals, Quality: halley.ServerTime,
			})
		}
	}
	add(m.Temperature, channelTemperature, halley.Temperature, celsius, 1)
	add(m.Humidity, channelHumidity, halley.Humidity, percentRH, 1)
	add(m.Computed, channelComputed, halley.DewPoint, celsius, 1)
	add(m.Pressure, channelFourth, halley.Pressure, "hPa", 1)
	add(m.CO2, channelFourth, halley.CO2, ppm, 0)
	if m.CO2 {
		message.State = 0
	}
	up := halley.Upload{
		DeviceKey: halley.DeviceKey{Family: halley.WebSensor, Serial: serial}, Model: m.Name, Form: m.Form,
	}
	if m.Code == codeP2520 {
		add(true, 1, halley.Current, "mA", 2)
		add(true, 2, halley.Current, "mA", 2)
	}
	up.Messages = []halley.Message{message}
	return up
}

// factoryInterval is the sending interval that devices leave the factory with, in seconds.
const factoryInterval = 60

// emptyMessage gives a message of a device that sends neither a time nor anything else about itself.
func emptyMessage() halley.Message {
	return halley.Message{
		Clock: halley.ClockNone, Order: halley.Unknown, RawKind: halley.Unknown, Cache: halley.Unknown, Config: halley.Unknown,
		State: halley.Unknown, StateMask: halley.Unknown, Battery: halley.Unknown,
	}
}
