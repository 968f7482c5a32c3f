package halley

// Actor is who did something.
type Actor struct {
	// Kind is "session", "token", "command", "policy" or "program".
	Kind string
	// Name is the account, the token's name, the operating system's user of a command, or the part of the program.
	Name string
	// Session identifies the session or token without being its secret; "" for the other kinds.
	Session string
}

// Change says who changes something and why, for the audit row that is written with it.
type Change struct {
	Actor Actor
	At    Millis
	// Why is the person's reason; "" where none is asked for.
	Why string
}

// AuditEntry is one act that changed something, or tried to.
type AuditEntry struct {
	ID     int64
	Change Change
	// What is the act, a word of the list in docs/audit.md, such as "device.accept".
	What string
	// On is the thing acted on, such as "device 12".
	On string
	// Old and New are the values before and after, as JSON; "" where there is none.
	Old, New string
}
