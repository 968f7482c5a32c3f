// Package config turns halley.toml, the environment and the command line into one Config. It validates and explains; it opens
// nothing.
package config

import (
	"time"

	"halley"
)

// Config is everything an administrator can decide. Defaults gives the values that a server has without a file.
type Config struct {
	// Data is the folder that belongs to the service alone.
	Data string `toml:"data"`
	// Node names this server among those that share a database.
	Node       string     `toml:"node"`
	Store      Store      `toml:"store"`
	Viewer     Viewer     `toml:"viewer"`
	Devices    Devices    `toml:"devices"`
	Quarantine Quarantine `toml:"quarantine"`
	Journal    Journal    `toml:"journal"`
	Recorder   Recorder   `toml:"recorder"`
	Keys       Keys       `toml:"keys"`
	Clock      Clock      `toml:"clock"`
	Ledger     Ledger     `toml:"ledger"`
	Mail       Mail       `toml:"mail"`
	Log        Log        `toml:"log"`
	Backup     Backup     `toml:"backup"`
	Accounts   Accounts   `toml:"accounts"`
	LDAP       LDAP       `toml:"ldap"`
	OIDC       OIDC       `toml:"oidc"`
}

// Defaults gives the values of a server without a file, an environment and a command line. Node is empty: Load puts the name of
// the machine there.
func Defaults() Config {
	return Config{
		Data:   "halley-data",
		Viewer: Viewer{Address: "127.0.0.1:8443", Hosts: []string{}, PlainOnLoopback: true},
		Devices: Devices{
			Listen:         []string{"http://0.0.0.0:8081", "https://0.0.0.0:8444"},
			Accept:         AcceptApprove,
			BodyBytes:      1 << 20,
			ArrayBodyBytes: 8 << 20,
			HeaderBytes:    16 << 10,
			HeaderTimeout:  Duration{10 * time.Second},
			BodyTimeout:    Duration{30 * time.Second},
			IdleTimeout:    Duration{2 * time.Minute},
			Connections:    4096,
			ClockAhead:     Duration{time.Hour},
		},
		Quarantine: Quarantine{Devices: 100, DeviceBytes: 2_000_000, Bytes: 200_000_000},
		Journal:    Journal{FileBytes: 256 << 20, ReserveBytes: 1_000_000_000, SignOfLife: Duration{30 * time.Second}},
		Recorder:   Recorder{Every: Duration{10 * time.Second}, Samples: 20_000},
		Clock:      clockDefaults(),
		Ledger:     ledgerDefaults(),
		Mail:       mailDefaults(),
		Log:        Log{Level: "info", FileBytes: 20_000_000, Files: 10},
		Backup:     backupDefaults(),
		Accounts:   accountsDefaults(),
		LDAP:       ldapDefaults(),
		OIDC:       oidcDefaults(),
	}
}

// The policies for devices that have not been heard of: Devices.Accept.
const (
	// AcceptApprove keeps what they send in quarantine until a person decides.
	AcceptApprove = "approve"
	// AcceptAny takes each at its first message.
	AcceptAny = "any"
	// AcceptEntryPoint takes those that use an entry point; the others go to quarantine.
	AcceptEntryPoint = "entry-point"
)

// Store says where the samples go.
type Store struct {
	// DSN is sqlserver://..., or empty for the embedded store in the data folder. It may hold a password.
	DSN halley.Secret `toml:"dsn"`
	// PasswordFile holds the password of the DSN's user, Certificate the certificate of the database server or of its authority.
	PasswordFile string `toml:"password-file"`
	Certificate  string `toml:"certificate"`
}

// Viewer is the listener for people and programs.
type Viewer struct {
	// Address is HOST:PORT. Off loopback it speaks TLS only.
	Address string `toml:"address"`
	// Certificate and Key are PEM files; without them a self-signed certificate is made at first start.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	// Hosts are further names by which people reach the viewer.
	Hosts []string `toml:"hosts"`
	// PlainOnLoopback lets a loopback address speak plain HTTP.
	PlainOnLoopback bool `toml:"plain-on-loopback"`
}

// Devices are the listeners for devices and what is accepted there.
type Devices struct {
	// Listen holds HOST:PORT or http://HOST:PORT for plain HTTP, https://HOST:PORT for TLS.
	Listen []string `toml:"listen"`
	// Certificate and Key serve the TLS listeners; without them the viewer's are used.
	Certificate string `toml:"certificate"`
	Key         string `toml:"key"`
	// Accept is "approve", "any" or "entry-point".
	Accept string `toml:"accept"`
	// BodyBytes, ArrayBodyBytes and HeaderBytes bound a request.
	BodyBytes      int64 `toml:"body-bytes"`
	ArrayBodyBytes int64 `toml:"array-body-bytes"`
	HeaderBytes    int   `toml:"header-bytes"`
	// HeaderTimeout, BodyTimeout and IdleTimeout end slow connections.
	HeaderTimeout Duration `toml:"header-timeout"`
	BodyTimeout   Duration `toml:"body-timeout"`
	IdleTimeout   Duration `toml:"idle-timeout"`
	// Connections is the most at one time over all listeners.
	Connections int `toml:"connections"`
	// MessagesPerMinute quarantines what a device sends beyond it; 0 is no limit.
	MessagesPerMinute int `toml:"messages-per-minute"`
	// ClockAhead is how far in the future a message may be measured before it is quarantined as a clock jump.
	ClockAhead Duration `toml:"clock-ahead"`
}

// Quarantine bounds what is kept of devices that are not trusted.
type Quarantine struct {
	// Devices is how many unknown devices, DeviceBytes the size of each, Bytes of all.
	Devices     int   `toml:"devices"`
	DeviceBytes int64 `toml:"device-bytes"`
	Bytes       int64 `toml:"bytes"`
}

// Journal is the durable record of accepted uploads.
type Journal struct {
	// FileBytes is the size at which a new file begins.
	FileBytes int64 `toml:"file-bytes"`
	// ReserveBytes of disk are kept free for known devices: below it, unknown ones are refused.
	ReserveBytes int64 `toml:"reserve-bytes"`
	// KeepBytes is what the journal may take on disk: beyond it the oldest files go that are recorded; 0 keeps all.
	KeepBytes int64 `toml:"keep-bytes"`
	// SignOfLife is how often the server notes that it is there, so that its downtime is known.
	SignOfLife Duration `toml:"sign-of-life"`
}

// Recorder moves the journal into the store.
type Recorder struct {
	// Every and Samples say when a batch is committed, whichever comes first.
	Every   Duration `toml:"every"`
	Samples int      `toml:"samples"`
}

// Keys says where keys lie.
type Keys struct {
	// Path is empty for the folder keys in the data folder.
	Path string `toml:"path"`
}

// Log says where the log goes besides standard error.
type Log struct {
	// Level is "debug", "info", "warn" or "error".
	Level string `toml:"level"`
	// File gets JSON lines and is rotated; empty for none.
	File string `toml:"file"`
	// FileBytes is the size at which a new file begins, Files how many old ones are kept.
	FileBytes int64 `toml:"file-bytes"`
	Files     int   `toml:"files"`
}

// Duration is a time.Duration written as "10s" or "2m".
type Duration struct{ time.Duration }

// UnmarshalText reads "10s".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	d.Duration = v
	return err
}

// MarshalText writes "10s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
