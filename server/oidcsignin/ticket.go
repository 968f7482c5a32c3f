package oidcsignin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"halley"
	"halley/server/once"
)

const (
	// ticketFor is how long somebody may take at the issuer.
	ticketFor = 10 * halley.Minute
	// ticketsAtMost bounds what is remembered of tickets that were used.
	ticketsAtMost = 10_000
	keyBytes      = 32
)

// ticket is what a browser keeps while its person is at the issuer.
type ticket struct {
	State    string        `json:"state"`
	Nonce    string        `json:"nonce"`
	Verifier string        `json:"verifier"`
	Redirect string        `json:"redirect"`
	To       string        `json:"to"`
	Until    halley.Millis `json:"until"`
}

// tickets seals and opens them. A ticket holds for this process, and is taken once.
type tickets struct {
	seal cipher.AEAD
	used *once.Uses
}

func newTickets() (*tickets, error) {
	key := make([]byte, keyBytes)
	if _, err := rand.Read(key); err != nil {
		return nil, fmt.Errorf("making a key for sign-ins: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making a key for sign-ins: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("making a key for sign-ins: %w", err)
	}
	return &tickets{seal: seal, used: once.New(ticketsAtMost)}, nil
}

// close gives the text of a ticket of an issuer.
func (t *tickets) close(k ticket, issuer string) (string, error) {
	plain, err := json.Marshal(k)
	if err != nil {
		return "", fmt.Errorf("sealing a sign-in: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(t.seal.Seal(nil, nil, plain, []byte(issuer))), nil
}

// open gives the ticket that a text holds. It fails for everything that close did not give, for what is too old and for another
// issuer's.
func (t *tickets) open(text, issuer string, now halley.Millis) (ticket, error) {
	var k ticket
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return k, fmt.Errorf("reading a ticket: %w", err)
	}
	plain, err := t.seal.Open(nil, nil, sealed, []byte(issuer))
	if err != nil {
		return k, fmt.Errorf("opening a ticket: %w", err)
	}
	if err = json.Unmarshal(plain, &k); err != nil {
		return k, fmt.Errorf("reading a ticket: %w", err)
	}
	if now >= k.Until {
		return k, errors.New("the ticket is too old")
	}
	return k, nil
}

// use takes a ticket; false where it was taken before.
func (t *tickets) use(k ticket, now halley.Millis) bool { return t.used.Take(k.State, k.Until, now) }
