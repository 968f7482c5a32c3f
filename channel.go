package halley

// ChannelID names a channel for ever. IDs begin at 1.
type ChannelID int64

// PlaceID names a place for ever. IDs begin at 1.
type PlaceID int64

// Channel is one quantity that a device measures: (device, number, quantity, unit). When quantity or unit changes, the channel
// ends and another begins; when the device returns to the former, the former goes on. Name and decimals may change.
type Channel struct {
	ID       ChannelID
	DeviceID DeviceID
	// Number is the device's own, from 1.
	Number int
	// Name is the device's own text for the channel.
	Name string
	// Quantity is what is measured: one of the words of quantity.go, or the device's own text where no word fits.
	Quantity string
	// Unit is the device's own text, such as "°C" or "%RH"; "" where there is none.
	Unit string
	// Decimals is how many decimal places the device shows, 0 to 10.
	Decimals int
	// Ended says that the device's newest message has another channel in its place, or none.
	Ended bool
}

// ChannelName is what a device called a channel from an instant on, by measured-at and up to the channel's next one. Before the first one,
// the first counts.
type ChannelName struct {
	ChannelID ChannelID
	From      Millis
	Name      string
	// Decimals is how many decimal places the device showed, 0 to 10.
	Decimals int
}
