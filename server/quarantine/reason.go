package quarantine

// Reason is why an upload is kept apart.
type Reason string

// The reasons. They are stored and never change.
const (
	NewDevice        Reason = "new-device"
	NoEntryPoint     Reason = "no-entry-point"
	WrongEntryPoint  Reason = "wrong-entry-point"
	WrongCustomerKey Reason = "wrong-customer-key"
	Suspended        Reason = "suspended"
	Retired          Reason = "retired"
	TwoSenders       Reason = "two-senders"
	TooFast          Reason = "too-fast"
	ClockJump        Reason = "clock-jump"
	NotUnderstood    Reason = "not-understood"
	RefusedByStore   Reason = "refused-by-store"
)

// Text says the reason to a person.
func (r Reason) Text() string {
	switch r {
	case NewDevice:
		return "A device that nobody has accepted yet."
	case NoEntryPoint:
		return "The device must use its entry point, and this upload came without one."
	case WrongEntryPoint:
		return "The upload came through the entry point of another device."
	case WrongCustomerKey:
		return "The customer key in the upload is not the one that is set for this device."
	case Suspended:
		return "The device is suspended."
	case Retired:
		return "The device is retired."
	case TwoSenders:
		return "Two senders use this serial number at the same time."
	case TooFast:
		return "The device sends faster than allowed."
	case ClockJump:
		return "The device's clock is ahead of this server's."
	case NotUnderstood:
		return "The upload could not be read."
	case RefusedByStore:
		return "The database refused the content of this upload."
	}
	return "Kept apart."
}

// ReleasedByAcceptance says whether accepting the device settles this reason, so that its uploads are recorded then. What has
// another reason waits for a decision of its own.
func (r Reason) ReleasedByAcceptance() bool {
	return r == NewDevice || r == Suspended || r == Retired
}

// Releasable says whether a person may have uploads recorded that are kept for this reason. What could not be read, and what the
// database refused, would only come back.
func (r Reason) Releasable() bool { return r != NotUnderstood && r != RefusedByStore }
