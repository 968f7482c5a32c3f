package halley

// Upload is one request from a device, decoded.
type Upload struct {
	DeviceKey
	// Model is the maker's name, or "" where the code is not known.
	Model string
	// Name is what the device calls itself, or "".
	Name string
	// Form is the name of the message form inside the family, such as "InsertTx5xxSample"; the answer may need it.
	Form string
	// CustomerKey is a shared secret that some devices send along; "" where none.
	CustomerKey Secret
	// Messages are in the order of the body.
	Messages []Message
}

// Secret is a text that must not be shown: it prints as "***".
type Secret string

// String gives "***", or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString gives the same as String, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText gives the same as String, so that a secret never reaches JSON or a log.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal gives the text itself, to compare or hash it.
func (s Secret) Reveal() string { return string(s) }
