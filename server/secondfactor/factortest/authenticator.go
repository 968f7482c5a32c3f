package factortest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// The flags of authenticator data.
const (
	userPresent   = 0x01
	userVerified  = 0x04
	attestedData  = 0x40
	credentialLen = 32
)

// Authenticator is a passkey in software: ES256, without attestation. Its fields may be changed to make it misbehave.
type Authenticator struct {
	// Origin is where its browser says that it is.
	Origin string
	// Counter is the last signature counter; Still keeps it as it is, as authenticators without a counter do.
	Counter uint32
	Still   bool
	// RPID is the relying party that it signs for; "" takes that of the options.
	RPID string
	// Flags are added to those of authenticator data.
	Flags byte

	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
}

// NewAuthenticator gives one with a new key.
func NewAuthenticator(origin string) (*Authenticator, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	id := make([]byte, credentialLen)
	if _, err = rand.Read(id); err != nil {
		return nil, fmt.Errorf("making a credential's id: %w", err)
	}
	return &Authenticator{Origin: origin, key: key, id: id}, nil
}

// Clone gives a second authenticator with the same key and counter.
func (a *Authenticator) Clone() *Authenticator {
	clone := *a
	return &clone
}

// ID gives the id of the credential in base64url.
func (a *Authenticator) ID() string { return base64.RawURLEncoding.EncodeToString(a.id) }

// SetID makes the id another one.
func (a *Authenticator) SetID(id []byte) { a.id = bytes.Clone(id) }

// options are those of making and of using a passkey, as far as they count here.
type options struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		RPID string `json:"rpId"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
	} `json:"publicKey"`
}

func read(text json.RawMessage) (o options, err error) {
	if err = json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("reading options: %w", err)
	}
	return o, nil
}

// Make answers the options of making a passkey.
func (a *Authenticator) Make(text json.RawMessage) (json.RawMessage, error) {
	o, err := read(text)
	if err != nil {
		return nil, err
	}
	if a.handle, err = base64.RawURLEncoding.DecodeString(o.PublicKey.User.ID); err != nil {
		return nil, fmt.Errorf("reading the user handle: %w", err)
	}
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	const half = 32
	// COSE: kty EC2, alg ES256, crv P-256, x, y.
	public, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1 : 1+half], -3: point[1+half:]})
	if err != nil {
		return nil, fmt.Errorf("writing the public key: %w", err)
	}
	data := a.data(o.PublicKey.RP.ID, attestedData)
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(a.id)))
	data = append(append(data, a.id...), public...)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	if err != nil {
		return nil, fmt.Errorf("writing the attestation: %w", err)
	}
	return a.answer(map[string]string{
		"clientDataJSON":    text64(a.client("webauthn.create", o.PublicKey.Challenge)),
		"attestationObject": text64(object),
	})
}

// Use answers the options of using the passkey.
func (a *Authenticator) Use(text json.RawMessage) (json.RawMessage, error) {
	o, err := read(text)
	if err != nil {
		return nil, err
	}
	if !a.Still {
		a.Counter++
	}
	data := a.data(o.PublicKey.RPID, 0)
	client := a.client("webauthn.get", o.PublicKey.Challenge)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return a.answer(map[string]string{
		"clientDataJSON": text64(client), "authenticatorData": text64(data),
		"signature": text64(signature), "userHandle": text64(a.handle),
	})
}

// data gives authenticator data up to the counter.
func (a *Authenticator) data(rpID string, flags byte) []byte {
	if a.RPID != "" {
		rpID = a.RPID
	}
	hash := sha256.Sum256([]byte(rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], userPresent|userVerified|flags|a.Flags), a.Counter)
}

func (a *Authenticator) client(kind, challenge string) []byte {
	return fmt.Appendf(nil, `{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":false}`, kind, challenge, a.Origin)
}

func (a *Authenticator) answer(response map[string]string) (json.RawMessage, error) {
	text, err := json.Marshal(map[string]any{
		"id": a.ID(), "rawId": a.ID(), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{},
	})
	if err != nil {
		return nil, fmt.Errorf("writing the answer: %w", err)
	}
	return text, nil
}

func text64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
