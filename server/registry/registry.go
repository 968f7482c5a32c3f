// Package registry is this server's own copy of what is known of devices and of those who may ask: which devices there are, in what
// state, and by what they prove themselves; their channels; the tree of organizations and places; people and the tokens of programs. The
// acknowledged path and the viewer ask it and never wait for the database. The copy follows the store within a second and is kept
// in a file, so that a server that starts while the database is away still knows them.
//
// It holds hashes of secrets, and the shared secrets of authenticators, for a code cannot be checked against a hash; its file can be
// read by its owner alone.
package registry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"halley"
	"halley/server/directory"
	"halley/storage"
)

// pollEvery is how often the store is asked whether something changed; commands of the administrator take effect within it.
const pollEvery = time.Second

// When the file is written: not more often than every 30 s, once devices have not changed for 3 s, for while a fleet arrives each
// copy would be out of date at once, but after 2 minutes at the latest.
const (
	saveEvery  = 30 * time.Second
	saveQuiet  = 3 * time.Second
	saveLatest = 2 * time.Minute
)

// TreeSource is what ReadTree reads from the store.
type TreeSource interface {
	Organizations(ctx context.Context) ([]halley.Organization, error)
	PlaceStates(ctx context.Context, after halley.PlaceID, limit int) ([]halley.Place, error)
	Roles(ctx context.Context) ([]halley.CustomRole, error)
}

// Source is what the registry reads from the store.
type Source interface {
	TreeSource
	RegistryVersion(ctx context.Context) (int64, error)
	Devices(ctx context.Context, f storage.DeviceFilter) ([]halley.Device, error)
	Channels(ctx context.Context, f storage.ChannelFilter) ([]halley.Channel, error)
	Credentials(ctx context.Context) ([]storage.Credential, error)
	Tokens(ctx context.Context) ([]storage.Token, error)
	AllAttachments(ctx context.Context, after int64, limit int) ([]halley.Attachment, error)
	FormerChannelNames(ctx context.Context, after halley.ChannelName, limit int) ([]halley.ChannelName, error)
	People(ctx context.Context) ([]halley.Person, error)
	PersonDetails(ctx context.Context) ([]halley.PersonDetail, error)
	Grants(ctx context.Context) ([]halley.Grant, error)
	Secrets(ctx context.Context, person halley.PersonID) ([]storage.Secret, error)
}

// Options configure a Registry.
type Options struct {
	Source Source
	// File is the path of the durable copy.
	File string
	// Write replaces a file atomically, readable by the owner alone, with what content writes.
	Write func(path string, content func(io.Writer) error) error
	Log   *slog.Logger
}

// Registry is the copy. Its methods may be called at the same time.
type Registry struct {
	opts    Options
	current atomic.Pointer[snapshot]
	poke    chan struct{}
	loading sync.Mutex
	// savedAt is when the file was written; changedAt when the copy changed last; unsavedSince when it changed first after the file
	// was written, zero where the file is up to date. loading guards them and loaded.
	savedAt, changedAt, unsavedSince time.Time
	// loaded says that the copy is the store's and not that of the file, whose version may be another database's.
	loaded   bool
	mu       sync.Mutex
	watchers []chan struct{}
}

// Open loads the copy from the store, or from its file where the store is away.
func Open(ctx context.Context, opts Options) (*Registry, error) {
	r := &Registry{opts: opts, poke: make(chan struct{}, 1)}
	none := newSnapshot(copied{})
	none.known = false
	r.current.Store(none)
	err := r.load(ctx, true)
	if err == nil {
		return r, nil
	}
	if halley.KindOf(err) != halley.Unavailable {
		return nil, err
	}
	opts.Log.Warn("the store is away: starting with the devices known when it was last there", "err", err)
	if err := r.loadFile(); err != nil {
		opts.Log.Error("the copy of the devices cannot be used: uploads of all devices wait in quarantine until the store is there", "err", err)
	}
	return r, nil
}

// Device gives what is known of the device that calls itself key.
func (r *Registry) Device(key halley.DeviceKey) (halley.Device, bool) {
	d, ok := r.current.Load().devices[key]
	if !ok {
		return halley.Device{}, false
	}
	return *d, true
}

// DeviceByID gives what is known of a device.
func (r *Registry) DeviceByID(id halley.DeviceID) (halley.Device, bool) {
	d, ok := r.current.Load().byID[id]
	if !ok {
		return halley.Device{}, false
	}
	return *d, true
}

// Devices lists all devices by id.
func (r *Registry) Devices() []halley.Device { return r.current.Load().Devices }

// Channels lists the channels of a device that have not ended, by number. The caller must not change the list.
func (r *Registry) Channels(id halley.DeviceID) []halley.Channel {
	return r.current.Load().channels[id]
}

// Channel gives what is known of a channel that has not ended.
func (r *Registry) Channel(id halley.ChannelID) (halley.Channel, bool) {
	for _, c := range r.current.Load().Channels {
		if c.ID == id && !c.Ended {
			return c, true
		}
	}
	return halley.Channel{}, false
}

// Select lists devices by id, as storage.Registry's Devices does.
func (r *Registry) Select(f storage.DeviceFilter) []halley.Device {
	list := []halley.Device{}
	for _, d := range r.current.Load().Devices {
		if d.ID <= f.After || f.Serial != "" && d.Serial != f.Serial || f.Family != "" && d.Family != f.Family || f.State != "" && d.State != f.State {
			continue
		}
		if list = append(list, d); len(list) == f.Limit {
			break
		}
	}
	return list
}

// OpenChannels lists the channels of all devices that have not ended, by device, then number. The caller may change the list.
func (r *Registry) OpenChannels() []halley.Channel {
	s := r.current.Load()
	list := make([]halley.Channel, 0, len(s.Channels))
	for _, c := range s.Channels {
		if !c.Ended {
			list = append(list, c)
		}
	}
	return list
}

// PlaceName gives the name of a place.
func (r *Registry) PlaceName(id halley.PlaceID) (string, bool) {
	p, ok := r.current.Load().directory.Place(id)
	return p.Name, ok
}

// Directory gives the tree, its places and the people, as of this copy.
func (r *Registry) Directory() *directory.State { return r.current.Load().directory }

// Token gives what is known of the token with this hash, also where it was revoked or has expired.
func (r *Registry) Token(hash [sha256.Size]byte) (storage.Token, bool) {
	t, ok := r.current.Load().tokens[hash]
	return t, ok
}

// Known says whether the copy is one: the store was there since the start, or left its copy in the file.
func (r *Registry) Known() bool { return r.current.Load().known }

// Version is that of the store's registry when the copy was made.
func (r *Registry) Version() int64 { return r.current.Load().Version }

// EntryPoint says which device a secret path belongs to.
func (r *Registry) EntryPoint(path string) (storage.Credential, bool) {
	s := r.current.Load()
	if len(s.entryPoints) == 0 || len(path) < minSecretPath {
		return storage.Credential{}, false
	}
	c, ok := s.entryPoints[sha256.Sum256([]byte(path))]
	return c, ok
}

// HasCredential says whether a device must prove itself in this way, and with what hash.
func (r *Registry) HasCredential(id halley.DeviceID, kind storage.CredentialKind) (storage.Credential, bool) {
	c, ok := r.current.Load().credentials[credentialKey{id, kind}]
	return c, ok
}

// Poke asks for a look at the store now rather than at the next poll.
func (r *Registry) Poke() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// Watch gives a channel that receives after each change of the copy; changes that come together count once.
func (r *Registry) Watch() <-chan struct{} {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(r.watchers, c)
	return c
}

// Refresh looks at the store and takes over what changed.
func (r *Registry) Refresh(ctx context.Context) error { return r.load(ctx, false) }

// Run follows the store until ctx ends, and then writes the file.
func (r *Registry) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			r.keep()
			return nil
		case <-tick.C:
		case <-r.poke:
		}
		err := r.Refresh(ctx)
		if err != nil && !away && ctx.Err() == nil {
			r.opts.Log.Warn("cannot look for changes to devices; the last known ones stay in force", "err", err)
		}
		away = err != nil
		if r.saveDue() {
			r.keep()
		}
	}
}

// keep writes the file. Without it a start while the store is away knows what it knew before; that is no reason to end.
func (r *Registry) keep() {
	if err := r.save(); err != nil {
		r.opts.Log.Warn("cannot keep the copy of the devices", "err", err)
	}
}

// load takes over the store's state where its version differs, or always.
func (r *Registry) load(ctx context.Context, always bool) error {
	r.loading.Lock()
	defer r.loading.Unlock()
	version, err := r.opts.Source.RegistryVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the version of the registry: %w", err)
	}
	if !always && r.loaded && version == r.Version() {
		return nil
	}
	c, err := read(ctx, r.opts.Source, r.attachments(version))
	if err != nil {
		return err
	}
	c.Version = version
	r.current.Store(newSnapshot(c))
	r.loaded = true
	r.changedAt = time.Now()
	if r.unsavedSince.IsZero() {
		r.unsavedSince = r.changedAt
	}
	r.notify()
	return nil
}

func (r *Registry) notify() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (r *Registry) saveDue() bool {
	r.loading.Lock()
	defer r.loading.Unlock()
	if r.unsavedSince.IsZero() || time.Since(r.savedAt) < saveEvery {
		return false
	}
	return time.Since(r.changedAt) >= saveQuiet || time.Since(r.unsavedSince) >= saveLatest
}

func (r *Registry) save() error {
	r.loading.Lock()
	defer r.loading.Unlock()
	if r.unsavedSince.IsZero() || r.opts.File == "" {
		return nil
	}
	if err := r.opts.Write(r.opts.File, r.current.Load().copied.write); err != nil {
		return fmt.Errorf("writing the copy of the devices: %w", err)
	}
	r.unsavedSince, r.savedAt = time.Time{}, time.Now()
	return nil
}

func (r *Registry) loadFile() error {
	data, err := os.ReadFile(r.opts.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the copy of the devices: %w", err)
	}
	var c copied
	if err := json.Unmarshal(data, &c); err != nil {
		return fmt.Errorf("reading the copy of the devices in %s: %w", r.opts.File, err)
	}
	r.current.Store(newSnapshot(c))
	return nil
}
