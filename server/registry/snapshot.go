package registry

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// minSecretPath is shorter than any entry point that Halley makes; shorter paths are not worth hashing.
const minSecretPath = 16

// copied is what the durable copy holds.
type copied struct {
	Version     int64
	Devices     []halley.Device
	Channels    []halley.Channel
	Credentials []storage.Credential
	// Tokens are those of programs, also those that were revoked.
	Tokens []storage.Token
	// Places holds all states of all places, as Organizations, People and Roles do of theirs.
	Places        []halley.Place
	Organizations []halley.Organization
	Attachments   []halley.Attachment
	// Names are what channels were called that are not where they always were.
	Names   []halley.ChannelName
	People  []halley.Person
	Details []halley.PersonDetail
	Grants  []halley.Grant
	Roles   []halley.CustomRole
	// Secrets are what people prove themselves by, without links.
	Secrets []storage.Secret
}

// write writes c as one JSON object, element by element: as a whole it would take several megabytes of memory for a moment.
func (c *copied) write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 64<<10)
	fmt.Fprintf(b, `{"Version":%d`, c.Version)
	lists := []struct {
		name  string
		write func() error
	}{
		{"Devices", func() error { return writeList(b, c.Devices) }},
		{"Channels", func() error { return writeList(b, c.Channels) }},
		{"Credentials", func() error { return writeList(b, c.Credentials) }},
		{"Tokens", func() error { return writeList(b, c.Tokens) }},
		{"Places", func() error { return writeList(b, c.Places) }},
		{"Organizations", func() error { return writeList(b, c.Organizations) }},
		{"Attachments", func() error { return writeList(b, c.Attachments) }},
		{"Names", func() error { return writeList(b, c.Names) }},
		{"People", func() error { return writeList(b, c.People) }},
		{"Details", func() error { return writeList(b, c.Details) }},
		{"Grants", func() error { return writeList(b, c.Grants) }},
		{"Roles", func() error { return writeList(b, c.Roles) }},
		{"Secrets", func() error { return writeList(b, c.Secrets) }},
	}
	for _, l := range lists {
		fmt.Fprintf(b, `,%q:`, l.name)
		if err := l.write(); err != nil {
			return err
		}
	}
	_, _ = b.WriteString("}\n")
	return b.Flush() // gives the first error of all before
}

func writeList[T any](b *bufio.Writer, list []T) error {
	e := json.NewEncoder(b)
	between := byte('[')
	for i := range list {
		_ = b.WriteByte(between)
		between = ','
		if err := e.Encode(&list[i]); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		_ = b.WriteByte('[')
	}
	return b.WriteByte(']')
}

// snapshot is one state of the copy, never changed after it is made.
type snapshot struct {
	copied
	// known says that it is a copy of a store; false before there was one.
	known       bool
	devices     map[halley.DeviceKey]*halley.Device
	byID        map[halley.DeviceID]*halley.Device
	channels    map[halley.DeviceID][]halley.Channel
	entryPoints map[[sha256.Size]byte]storage.Credential
	credentials map[credentialKey]storage.Credential
	tokens      map[[sha256.Size]byte]storage.Token
	directory   *directory.State
}

type credentialKey struct {
	device halley.DeviceID
	kind   storage.CredentialKind
}

func newSnapshot(c copied) *snapshot {
	s := &snapshot{
		copied:      c,
		known:       true,
		devices:     make(map[halley.DeviceKey]*halley.Device, len(c.Devices)),
		byID:        make(map[halley.DeviceID]*halley.Device, len(c.Devices)),
		channels:    make(map[halley.DeviceID][]halley.Channel, len(c.Devices)),
		entryPoints: make(map[[sha256.Size]byte]storage.Credential),
		credentials: make(map[credentialKey]storage.Credential, len(c.Credentials)),
		tokens:      make(map[[sha256.Size]byte]storage.Token, len(c.Tokens)),
	}
	for i := range c.Devices {
		d := &c.Devices[i]
		s.devices[d.DeviceKey] = d
		s.byID[d.ID] = d
	}
	s.arrange()
	for _, cr := range c.Credentials {
		s.credentials[credentialKey{cr.DeviceID, cr.Kind}] = cr
		if cr.Kind == storage.EntryPoint && len(cr.Hash) == sha256.Size {
			s.entryPoints[[sha256.Size]byte(cr.Hash)] = cr
		}
	}
	for _, t := range c.Tokens {
		if len(t.Hash) == sha256.Size {
			s.tokens[[sha256.Size]byte(t.Hash)] = t
		}
	}
	s.directory = directory.New(s.directoryData())
	return s
}

// directoryData gives what the directory is made of. A copy that was kept by an earlier version knows of no tree: what it has
// belongs to the root.
func (s *snapshot) directoryData() *directory.Data {
	d := &directory.Data{
		Organizations: s.Organizations, Places: s.Places, Attachments: s.Attachments, Devices: s.Devices, Channels: s.Channels,
		Names:  s.Names,
		People: s.People, Details: s.Details, Grants: s.Grants, Roles: s.Roles, Secrets: s.Secrets,
	}
	if len(d.Organizations) > 0 {
		return d
	}
	d.Organizations = []halley.Organization{{ID: halley.RootOrganization}}
	d.Places = slices.Clone(d.Places)
	for i := range d.Places {
		d.Places[i].OrganizationID = halley.RootOrganization
	}
	return d
}

// arrange finds the channels of each device that have not ended. Its lists are parts of s.Channels.
func (s *snapshot) arrange() {
	slices.SortStableFunc(s.Channels, func(a, b halley.Channel) int {
		return cmp.Or(cmp.Compare(a.DeviceID, b.DeviceID), compareEnded(a.Ended, b.Ended), cmp.Compare(a.Number, b.Number))
	})
	for list := s.Channels; len(list) > 0; {
		n := 1
		for n < len(list) && list[n].DeviceID == list[0].DeviceID && list[n].Ended == list[0].Ended {
			n++
		}
		if !list[0].Ended {
			s.channels[list[0].DeviceID] = list[:n:n]
		}
		list = list[n:]
	}
}

// compareEnded puts what has not ended first.
func compareEnded(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
