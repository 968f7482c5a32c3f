package journal

import "halley"

// Kind says what an entry records. The numbers are stored and never change.
type Kind uint8

// The kinds of entry.
const (
	// Upload is a request of a device.
	Upload Kind = 1
	// Release is an upload that lay in quarantine and was released by a person or by the acceptance of its device.
	Release Kind = 2
	// Event is something that happened to this server: start, stop, a step of its clock, a sign of life. Its Body is JSON.
	Event Kind = 3
	// Act is a deed for the audit trail, noted here so that it is kept while the store is away. Its Body is what
	// EncodeAct gives.
	Act Kind = 4
)

// Entry is one record of the journal.
type Entry struct {
	// Seq is given by Append, from 1, and never used again.
	Seq uint64
	// ReceivedMicros is when the upload was received: microseconds since 1970-01-01T00:00:00Z, strictly rising within a
	// journal. Append gives it; a Release carries the one of its first receipt in OriginalMicros.
	ReceivedMicros int64
	Kind           Kind
	// Family and Serial name the device that the body names; both are empty where it names none.
	Family halley.Family
	Serial string
	// EntryPoint is the id of the credential by which the device proved itself; 0 for none.
	EntryPoint int64
	// Admission says how the device comes in; the value of a storage.Admission.
	Admission uint8
	// Quarantine is why the upload is not trusted, a word of package quarantine; empty for one that is.
	Quarantine string
	// OriginalMicros and OriginalSeq are those of a Release's first receipt; 0 for the other kinds.
	OriginalMicros int64
	OriginalSeq    uint64
	// Body is the request body as received.
	Body []byte
}

// ReceivedAt gives when the upload was received first, in milliseconds.
func (e *Entry) ReceivedAt() halley.Millis {
	if e.OriginalMicros != 0 {
		return halley.Millis(e.OriginalMicros / 1000)
	}
	return halley.Millis(e.ReceivedMicros / 1000)
}

// Identity gives the sequence number by which a message without an identity of its own is known: that of the first receipt.
func (e *Entry) Identity() uint64 {
	if e.OriginalSeq != 0 {
		return e.OriginalSeq
	}
	return e.Seq
}
