package halley

// DeviceID names a device for ever. IDs begin at 1.
type DeviceID int64

// Family is a group of instruments that speak one protocol. A device is known by its family and serial number.
type Family string

// The families.
const (
	// WebSensor is the T-, H- and P-line and P2520, which send SOAP and keep no memory.
	WebSensor Family = "websensor"
	// WiFi is the W-line, which sends JSON of type 2 and keeps unconfirmed messages.
	WiFi Family = "wifi"
	// TAx6xx is the TA- and PA-line, which sends JSON of type 5 and keeps unconfirmed messages.
	TAx6xx Family = "tax6xx"
	// Modem is the U-line with modem, which sends JSON of type 1 and keeps unconfirmed messages.
	Modem Family = "modem"
)

// DeviceKey is what a device calls itself.
type DeviceKey struct {
	Family Family
	// Serial is the serial number, 8 digits for every known model, 32 characters at most.
	Serial string
}

// DeviceState says what is done with a device's uploads.
type DeviceState string

// The states of a device.
const (
	// DeviceNew has been heard of and waits for a person; its uploads wait in quarantine.
	DeviceNew DeviceState = "new"
	// DeviceAccepted has its uploads recorded.
	DeviceAccepted DeviceState = "accepted"
	// DeviceSuspended has its uploads kept in quarantine for a while.
	DeviceSuspended DeviceState = "suspended"
	// DeviceRejected has its uploads refused and counted.
	DeviceRejected DeviceState = "rejected"
	// DeviceRetired is out of service; what it still sends is kept in quarantine.
	DeviceRetired DeviceState = "retired"
)

// Device is an instrument that uploads.
type Device struct {
	ID DeviceID
	DeviceKey
	// Model is the maker's name of it, or "" where it is not known.
	Model string
	// Name is what people call it; at first what it calls itself, else its model and serial number.
	Name        string
	State       DeviceState
	FirstSeenAt Millis
	// PlaceID is the place where the device is; 0 where it is at none, or its channels are at several.
	PlaceID PlaceID
	// OrganizationID is the node that it belongs to: that of its place, else where it was put; the root before it is accepted.
	OrganizationID OrganizationID
	// Simulated says that its serial number is one of the simulator's (00000001 to 00009999).
	Simulated bool
}

// IsSimulated says whether serial is one of those that only the simulator uses: 00000001 to 00009999.
func IsSimulated(serial string) bool {
	return len(serial) == 8 && serial[:4] == "0000" && serial != "00000000" && allDigits(serial)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
