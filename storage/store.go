// Package storage is the contract of the database of record. A store keeps samples append-only, hands out identities and
// answers the viewer; storage/sqlite and storage/sqlserver implement it, storagetest holds it to every driver.
//
// Texts are compared exactly. What the program itself makes as a key (journal ids, hashes of sessions, names of leases and nodes)
// has no blanks at its end, which SQL Server takes no notice of.
//
// All ranges are half-open [from, to). Times are UTC milliseconds. Lists come in ascending order of their key. Errors are
// *halley.Error: Unavailable where the database cannot be reached or written, Invalid for content that cannot be stored.
package storage

import (
	"context"

	"halley"
	"halley/storage/ledger"
)

// Store is a database of record. All methods may be called at the same time.
type Store interface {
	Recorder
	Registry
	Directory
	People
	Series
	Access
	Leases
	Nodes
	Completeness
	Ledger
	Rollups
	Retention
	Proofs
	Explanations
	Attachments
	// Info says what the store is and how it stands. It answers at once from what the store last saw.
	Info(ctx context.Context) (Info, error)
	// Close waits for running calls and releases the database.
	Close() error
}

// State says whether a store can be used.
type State string

// The states of a store.
const (
	OK       State = "ok"
	Away     State = "away"
	ReadOnly State = "read-only"
	Full     State = "full"
)

// The codes of an Unavailable *halley.Error that say more than that the database is away.
const (
	// CodeFull is a disk, a file or an edition of the engine that takes no more: the state Full.
	CodeFull = "disk-full"
	// CodeReadOnly is a database that can only be read now, such as a secondary of an availability group: the state ReadOnly.
	CodeReadOnly = "read-only"
	// CodeNoSchema is a database without Halley's tables, CodeOlderSchema one that waits for "halley init". Both are Away.
	CodeNoSchema    = "no-schema"
	CodeOlderSchema = "older-schema"
	// CodeNewerSchema is a database of a newer program.
	CodeNewerSchema = "newer-schema"
	// CodeBusy is a lock that others held for too long, or a deadlock: the same again later may work, a smaller batch sooner. It is
	// Away.
	CodeBusy = "busy"
	// CodeRecorded is a Conflict: the range of a batch is recorded already.
	CodeRecorded = "recorded-already"
	// CodeLeaseLost is a Conflict: the lease under which a change was to be made is another's by now.
	CodeLeaseLost = "lease-lost"
)

// Info describes a store.
type Info struct {
	// Kind is the engine: "sqlite" or "sqlserver".
	Kind string
	// Engine says in words which engine it is, with edition and version; "" where it was not reached yet.
	Engine string
	// Schema is the number of the newest migration; 0 where it was not read yet.
	Schema int
	// Bytes is what the database takes on disk, Samples how many it holds; 0 where it is not known.
	Bytes, Samples int64
	// SamplesPerDay is how many were recorded in a day over the last week, or since the first batch where that is less; 0 where it
	// is not known or less than an hour.
	SamplesPerDay float64
	// LimitBytes is what the database may take at most, 0 where the engine sets no limit; Limit says in a word what sets it:
	// "edition" or "file-size".
	LimitBytes int64
	Limit      string
}

// Recorder is what the recorder needs.
type Recorder interface {
	// Position gives how far a journal is recorded: its last batch. The zero Position means that there is none.
	Position(ctx context.Context, journalID string) (Position, error)
	// Append stores a batch in one transaction: devices, channels and layouts that are new, messages that are not there yet,
	// rollups of the hours that closed, marks on the hours that late messages changed, counts of duplicates, and the batch
	// row with its journal position, also when the batch stores nothing. All or nothing: after an error none of it is there.
	// A batch whose range is not behind the journal's position is a Conflict. A message that cannot be stored for its content is
	// an *EntryError.
	Append(ctx context.Context, b Batch) (Appended, error)
	// RollUp recomputes at most limit device-hours and device-days that are marked, in time order, each in a short transaction
	// under the lease, and says how many marks are left. A Conflict with CodeLeaseLost where another holds it by now.
	RollUp(ctx context.Context, l Lease, limit int) (left int, err error)
}

// Position is a place in a journal.
type Position struct {
	JournalID string
	Seq       uint64
	// Hash is the journal's running hash after the row that holds Seq.
	Hash [32]byte
}

// Batch is what one transaction records: a range of one journal.
type Batch struct {
	Node string
	// Position is the journal, and the last sequence number of the range with the hash there.
	Position
	// FirstSeq is the first sequence number of the range.
	FirstSeq   uint64
	RecordedAt halley.Millis
	// Decoder is the version of the decoding, from 1.
	Decoder int
	// Uploads are in the order of the journal.
	Uploads []Upload
	// Audit are the acts that were journaled in this range, in its order.
	Audit []JournaledAct
	// Interruptions are those that the range's own entries tell of. One that is there already, by node, kind and From, is left out.
	Interruptions []Interruption
}

// JournaledAct is an act that was noted in the journal, so that it is not lost while the store is away. Seq and the entry's
// instant, deed, actor and subject are its identity: recorded again, also from a journal that got a new id, it is stored once.
type JournaledAct struct {
	Seq uint64
	halley.AuditEntry
}

// Upload is one journal entry as the store sees it.
type Upload struct {
	halley.Upload
	Seq        uint64
	ReceivedAt halley.Millis
	// Admission says what this entry does to its device.
	Admission Admission
}

// Admission is how a device that the store does not know yet comes in.
type Admission uint8

// The admissions.
const (
	// Known is an upload of a device that was accepted when it came. If the store does not know the device it is accepted as
	// under Admit: its registration was lost with an older copy of the store.
	Known Admission = iota
	// Admit is an upload of a device that the policy accepts at its first message: it becomes accepted, with a place of its
	// name and an audit row by the policy.
	Admit
	// Announce is an upload in quarantine: its device becomes new where it is unknown, its messages are not stored.
	Announce
)

// EntryError says that one journal entry cannot be stored for its content.
type EntryError struct {
	Seq uint64
	Err error
}

// Error gives one line.
func (e *EntryError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *EntryError) Unwrap() error { return e.Err }

// Appended says what a batch did.
type Appended struct {
	BatchID int64
	// Messages and Samples were stored; Duplicates were there already; Conflicts were there with other values and were not
	// stored; Late messages fell into an hour that had closed.
	Messages, Samples, Duplicates, Conflicts, Late int
	// Digest is the batch's in the ledger.
	Digest ledger.Digest
	// DevicesChanged says that a device, channel or layout is new, so that copies of the registry are out of date.
	DevicesChanged bool
}

// Registry is what is known of devices.
type Registry interface {
	// RegistryVersion gives a number that grows with every change to devices, channels, credentials and tokens.
	RegistryVersion(ctx context.Context) (int64, error)
	// Devices lists by ascending id.
	Devices(ctx context.Context, f DeviceFilter) ([]halley.Device, error)
	// Device gives one; NotFound where it is not there.
	Device(ctx context.Context, id halley.DeviceID) (halley.Device, error)
	// Channels lists by device, then ended, then number, then id.
	Channels(ctx context.Context, f ChannelFilter) ([]halley.Channel, error)
	// Channel gives one; NotFound where it is not there.
	Channel(ctx context.Context, id halley.ChannelID) (halley.Channel, error)
	// ChangeDevice changes what u names and writes an audit row for each change. Accepting a device for the first time makes a
	// place of its name and attaches the device's channels to it from their beginning, unless u says where it goes. NotFound; Conflict
	// where the state does not allow it (any state may become any other but new), and for saying where a device goes that was
	// accepted before.
	ChangeDevice(ctx context.Context, id halley.DeviceID, u DeviceUpdate, c halley.Change) (halley.Device, error)
	// Register makes a device that has not been heard of yet, accepted. Conflict where it is there.
	Register(ctx context.Context, key halley.DeviceKey, name string, c halley.Change) (halley.Device, error)
	// PlaceNames gives the names of these places, leaving out what is not there.
	PlaceNames(ctx context.Context, ids []halley.PlaceID) (map[halley.PlaceID]string, error)
	// Credentials lists what devices prove themselves by.
	Credentials(ctx context.Context) ([]Credential, error)
	// SetCredential ends the device's former credential of this kind and begins a new one; a nil hash only ends.
	SetCredential(ctx context.Context, cr Credential, c halley.Change) error
	// NoteAudit appends an audit row for an act that changes nothing in the store, such as a sign-in.
	NoteAudit(ctx context.Context, e halley.AuditEntry) error
	// Audit lists newest first, with ids below before (0: from the newest), at most limit.
	Audit(ctx context.Context, before int64, limit int) ([]halley.AuditEntry, error)
	// AuditWhere lists like Audit what a filter lets through. The ids of all acts together begin with 1 and leave no gap: what is
	// told of their number may be counted by them.
	AuditWhere(ctx context.Context, f AuditFilter) ([]halley.AuditEntry, error)
}

// AuditFilter says which acts; empty fields do not filter. Texts are compared exactly.
type AuditFilter struct {
	// Before is the id below which the list begins; 0 begins with the newest.
	Before int64
	// Who is the actor's name, On the subject.
	Who, On string
	// What is the act, such as "device.accept", or with a "*" at its end what acts begin with, such as "device.*".
	What string
	// From and To bound the acts' times, half-open; a To of 0 does not.
	From, To halley.Millis
	// Limit is the most to list, at least 1.
	Limit int
}

// DeviceFilter says which devices; empty fields do not filter.
type DeviceFilter struct {
	Serial string
	Family halley.Family
	State  halley.DeviceState
	// After is the id behind which the list begins.
	After halley.DeviceID
	// Limit is the most to list; 0 is all.
	Limit int
}

// ChannelFilter says which channels; empty fields do not filter.
type ChannelFilter struct {
	Devices []halley.DeviceID
	// Ended lists also those that ended.
	Ended bool
}

// DeviceUpdate says what to change; nil fields stay.
type DeviceUpdate struct {
	State *halley.DeviceState
	Name  *string
	// Placing says where a device that is accepted for the first time comes to be; nil makes a place of its name at the root. It is
	// Invalid with every other change.
	Placing *Placing
}

// Placing says where a device comes to be when it is accepted for the first time.
type Placing struct {
	// OrganizationID is the node of a new place, or of a device that comes to no place; 0 is the root. It does not count where PlaceID
	// names a place.
	OrganizationID halley.OrganizationID
	// PlaceID is the place that is there; nil makes one, and 0 leaves the device at none. NotFound where it is not there, Conflict
	// where it is closed.
	PlaceID *halley.PlaceID
	// PlaceName is the name of the new place; "" is the name of the device.
	PlaceName string
}

// CredentialKind is how a device proves itself.
type CredentialKind string

// The kinds of credential.
const (
	// EntryPoint is a secret URL path.
	EntryPoint CredentialKind = "entry-point"
	// CustomerKey is the shared secret that modem loggers send.
	CustomerKey CredentialKind = "customer-key"
)

// Credential is what a device proves itself by, hashed.
type Credential struct {
	ID       int64
	DeviceID halley.DeviceID
	Kind     CredentialKind
	// Hash is SHA-256 of the secret; secrets made by Halley have 128 random bits, so that a plain hash will do.
	Hash      []byte
	CreatedAt halley.Millis
}

// Access is who may use the API.
type Access interface {
	// CreateToken adds a token. Conflict where the name is used.
	CreateToken(ctx context.Context, t Token, c halley.Change) (Token, error)
	// Token finds a token by its hash; NotFound where there is none. Whether it has expired is the caller's to see.
	Token(ctx context.Context, hash []byte) (Token, error)
	// Tokens lists by id.
	Tokens(ctx context.Context) ([]Token, error)
	// RevokeToken ends a token by its name; NotFound where there is none that still counts.
	RevokeToken(ctx context.Context, name string, c halley.Change) error
	// Session, SaveSession, DeleteSession keep the sessions of browsers by the hash of their cookie. Session gives found false
	// where there is none or it has expired. A PersonID of 0 is a session of nobody's account. SaveSession gives NotFound where the
	// person is not there, disabled or deleted, and where a session that it renews is not there.
	Session(ctx context.Context, hash string, now halley.Millis) (data []byte, found bool, err error)
	SaveSession(ctx context.Context, s Session) error
	DeleteSession(ctx context.Context, hash string) error
}

// Token is a bearer token of a program.
type Token struct {
	ID   int64
	Name string
	// Hash is SHA-256 of the token.
	Hash []byte
	Role halley.Role
	// OrganizationID is the node that it reaches, with all below; 0 is the root.
	OrganizationID halley.OrganizationID
	// Places are the only ones that it reaches; none for all of the node's. Only halley.ViewByMeasuredPlaces has some, and must.
	Places []halley.PlaceID
	// ExpiresAt is 0 for never.
	ExpiresAt, CreatedAt, RevokedAt halley.Millis
	// By is who made it. It counts on by itself when they are gone; see Makers.
	By halley.Actor
}
