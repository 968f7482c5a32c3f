package secondfactor

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"halley"
	"halley/storage"
)

const (
	// passkeysAtMost is how many passkeys a person may have.
	passkeysAtMost = 10
	// credentialBytes bounds the id of a credential, so that it fits the store in base64.
	credentialBytes = 300
)

// Passkey is what is shown of a passkey.
type Passkey struct {
	// ID is the id of the credential in base64url.
	ID string
	// Name is what the person called it; Host is the name of the viewer at which it works.
	Name, Host string
	AddedAt    halley.Millis
	// Copied says that it is taken no more: its counter went back, so somebody may have a copy.
	Copied bool
}

// NewPasskey is the answer of a browser that made a passkey.
type NewPasskey struct {
	PersonID halley.PersonID
	// Name is what the person calls it.
	Name string
	// Credential is the answer as the browser gives it, in JSON; Origin where the browser was.
	Credential json.RawMessage
	Origin     string
}

// held is what is stored of a passkey.
type held struct {
	Name string `json:"name"`
	// Host is the name of the viewer for which it was made.
	Host       string              `json:"host"`
	Credential webauthn.Credential `json:"credential"`
	Copied     bool                `json:"copied,omitempty"`
	// Used are the challenges that it answered and whose time has not ended.
	Used []usedChallenge `json:"used,omitempty"`

	// data is what the store holds.
	data    []byte
	addedAt halley.Millis
}

// ceremony is a passkey that is being added.
type ceremony struct {
	session webauthn.SessionData
	until   halley.Millis
}

func (c ceremony) end() halley.Millis { return c.until }

// Person is who adds a passkey, as the authenticator shows it.
type Person struct {
	ID halley.PersonID
	// Name is the account's; FullName may be empty.
	Name, FullName string
}

// PasskeyOptions gives what the browser is to be asked to make a passkey. Conflict with the code "passkey-not-here" where the viewer
// was not opened by https at one of its names.
func (f *Factors) PasskeyOptions(ctx context.Context, p Person, origin string, now halley.Millis) (json.RawMessage, error) {
	site, err := f.site(origin)
	if err != nil {
		return nil, err
	}
	known, err := f.Store.Secrets(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	passkeys, err := heldIn(known)
	if err != nil {
		return nil, err
	}
	if len(passkeys) >= passkeysAtMost {
		return nil, &halley.Error{
			Kind: halley.Conflict, Op: "add a passkey", Code: "too-many-passkeys",
			Message: fmt.Sprintf("a person has at most %d passkeys: remove one first", passkeysAtMost),
		}
	}
	exclude := make([]protocol.CredentialDescriptor, 0, len(passkeys))
	for i := range passkeys {
		exclude = append(exclude, passkeys[i].Credential.Descriptor())
	}
	creation, session, err := site.BeginRegistration(account{person: p}, webauthn.WithExclusions(exclude))
	if err != nil {
		return nil, fmt.Errorf("asking for a passkey: %w", err)
	}
	options, err := json.Marshal(creation)
	if err != nil {
		return nil, fmt.Errorf("asking for a passkey: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	sweep(f.ceremonies, now)
	f.ceremonies[p.ID] = ceremony{session: *session, until: now + begunFor}
	return options, nil
}

// AddPasskey puts the passkey in force that the browser made. Invalid where the answer cannot be taken; Conflict where none was asked
// for, and where the passkey is there already.
func (f *Factors) AddPasskey(ctx context.Context, n NewPasskey, c halley.Change) (Passkey, error) {
	site, err := f.site(n.Origin)
	if err != nil {
		return Passkey{}, err
	}
	begun, err := f.takeCeremony(n.PersonID, c.At)
	if err != nil {
		return Passkey{}, err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(n.Credential)
	if err != nil {
		return Passkey{}, errPasskey(err)
	}
	made, err := site.CreateCredential(account{person: Person{ID: n.PersonID}}, begun.session, answer)
	if err != nil {
		return Passkey{}, errPasskey(err)
	}
	if len(made.ID) == 0 || len(made.ID) > credentialBytes {
		return Passkey{}, errPasskey(fmt.Errorf("its id has %d bytes", len(made.ID)))
	}
	// Who made the authenticator is nobody's business here, and takes kilobytes.
	made.Attestation = webauthn.CredentialAttestation{}
	h := held{Name: n.Name, Host: site.Config.RPID, Credential: *made, addedAt: c.At}
	key := credentialKey(made.ID)
	_, found, err := f.Store.Secret(ctx, storage.SecretPasskey, key, c.At)
	if err == nil && found {
		err = &halley.Error{Kind: halley.Conflict, Op: "add a passkey", Code: codeExists, Message: "this passkey is there already"}
	}
	if err != nil {
		return Passkey{}, err
	}
	if err = f.keep(ctx, n.PersonID, h, auditFactor, c); err != nil {
		return Passkey{}, err
	}
	return h.shown(), nil
}

// takeCeremony takes what PasskeyOptions began. It counts once.
func (f *Factors) takeCeremony(person halley.PersonID, now halley.Millis) (ceremony, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	begun, ok := f.ceremonies[person]
	delete(f.ceremonies, person)
	if !ok || begun.until <= now {
		return ceremony{}, &halley.Error{
			Kind: halley.Conflict, Op: "add a passkey", Code: codeSetUp,
			Message: "no passkey is being added, or it took longer than ten minutes: begin again",
		}
	}
	return begun, nil
}

// Passkeys lists the passkeys of a person, in the order in which they were added.
func (f *Factors) Passkeys(ctx context.Context, person halley.PersonID) ([]Passkey, error) {
	all, _, err := f.secrets(ctx, person)
	if err != nil {
		return nil, err
	}
	passkeys, err := heldIn(all)
	if err != nil {
		return nil, err
	}
	list := make([]Passkey, 0, len(passkeys))
	for i := range passkeys {
		list = append(list, passkeys[i].shown())
	}
	return list, nil
}

// RemovePasskey removes a passkey, and the recovery codes where it was the last second factor. NotFound where the person has no such
// one.
func (f *Factors) RemovePasskey(ctx context.Context, person halley.PersonID, id string, c halley.Change) error {
	s, found, err := f.Store.Secret(ctx, storage.SecretPasskey, id, c.At)
	if err != nil {
		return err
	}
	if !found || s.PersonID != person {
		return &halley.Error{Kind: halley.NotFound, Op: "remove a passkey", Message: "there is no such passkey"}
	}
	if err = f.Store.RemoveSecret(ctx, storage.SecretPasskey, id, auditFactor, c); err != nil {
		return err
	}
	return f.withoutLast(ctx, person, c)
}

// keep stores a passkey. Conflict where the store holds another state of it than h was read from.
func (f *Factors) keep(ctx context.Context, person halley.PersonID, h held, what string, c halley.Change) error {
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("keeping a passkey: %w", err)
	}
	s := storage.Secret{
		Kind: storage.SecretPasskey, Key: credentialKey(h.Credential.ID), PersonID: person, Data: data, At: h.addedAt,
	}
	return f.Store.SetSecret(ctx, s, h.data, what, c)
}

// heldIn reads the passkeys among secrets, in the order in which they were added.
func heldIn(all []storage.Secret) ([]held, error) {
	var list []held
	for _, s := range all {
		if s.Kind != storage.SecretPasskey {
			continue
		}
		h := held{data: s.Data, addedAt: s.At}
		if err := json.Unmarshal(s.Data, &h); err != nil {
			return nil, fmt.Errorf("reading a passkey of person %d: %w", s.PersonID, err)
		}
		list = append(list, h)
	}
	sortByAge(list)
	return list, nil
}

func (h *held) shown() Passkey {
	return Passkey{ID: credentialKey(h.Credential.ID), Name: h.Name, Host: h.Host, AddedAt: h.addedAt, Copied: h.Copied}
}

// credentialKey is the key of a passkey in the store.
func credentialKey(id []byte) string { return base64.RawURLEncoding.EncodeToString(id) }

// errPasskey says that the answer of an authenticator cannot be taken.
func errPasskey(cause error) error {
	return &halley.Error{
		Kind: halley.Invalid, Op: "add a passkey", Code: codePasskey, Field: "credential",
		Message: "the browser's answer cannot be taken: try again, or use another passkey", Err: cause,
	}
}
