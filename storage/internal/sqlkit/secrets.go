package sqlkit

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"halley"
	"halley/storage"
)

const (
	// selectSecrets reads secrets; secretScan scans it.
	selectSecrets = "SELECT kind, secret_key, person_id, data, at, expires_at FROM person_secret"

	secretNamed = " WHERE kind = @kind AND secret_key = @key"

	insertSecret = `
INSERT INTO person_secret (kind, secret_key, person_id, data, at, expires_at)
VALUES (@kind, @key, @person, @data, @at, @expires)`

	updateSecret = "UPDATE person_secret SET data = @data, at = @at, expires_at = @expires" + secretNamed

	// clearSecrets removes what was good for one time and has expired.
	clearSecrets = "DELETE FROM person_secret WHERE kind = @kind AND expires_at > 0 AND expires_at <= @now"
)

// The bounds of a secret, in bytes.
const (
	maxSecretKey  = 400
	maxSecretData = 8 << 10
)

// personal says that a person has one secret of a kind, of which the key is the person's id.
func personal(kind storage.SecretKind) bool {
	return kind == storage.SecretPassword || kind == storage.SecretTOTP
}

// copied says that servers keep a copy of the secrets of a kind, so that people sign in while the database is away.
func copied(kind storage.SecretKind) bool {
	return personal(kind) || kind == storage.SecretPasskey || kind == storage.SecretIdentity
}

func secretScan(scan func(...any) error) (storage.Secret, error) {
	var x storage.Secret
	err := scan(&x.Kind, &x.Key, &x.PersonID, &x.Data, &x.At, &x.ExpiresAt)
	x.Data = append([]byte{}, x.Data...)
	return x, err
}

// expired says whether a secret counts no more.
func expired(x *storage.Secret, now halley.Millis) bool {
	return x.ExpiresAt != 0 && x.ExpiresAt <= now
}

// Secret gives what a person proves who they are by.
func (s *Store) Secret(ctx context.Context, kind storage.SecretKind, key string, now halley.Millis) (x storage.Secret, found bool, err error) {
	if badSecretKey(key) {
		return storage.Secret{}, false, nil
	}
	err = s.query(ctx, func(scan func(...any) error) (err error) {
		found = true
		x, err = secretScan(scan)
		return err
	}, selectSecrets+secretNamed, args("kind", string(kind), "key", key)...)
	if err != nil || !found || expired(&x, now) {
		return storage.Secret{}, false, s.fail("read a secret", err)
	}
	return x, true, nil
}

// Secrets lists those of a person, of all people and without links where it is 0, by kind, then key. Some may have expired.
func (s *Store) Secrets(ctx context.Context, person halley.PersonID) ([]storage.Secret, error) {
	list := []storage.Secret{}
	err := s.query(ctx, func(scan func(...any) error) error {
		x, err := secretScan(scan)
		list = append(list, x)
		return err
	}, selectSecrets+" WHERE (@anybody = 1 AND kind <> @link OR person_id = @person) ORDER BY kind, secret_key",
		args("anybody", yes(person == 0), "link", string(storage.SecretLink), "person", int64(person))...)
	if err != nil {
		return nil, s.fail("list secrets", err)
	}
	return list, nil
}

// badSecretKey says that there can be no secret with a key. SQL Server takes no notice of blanks at the end of a text, so that a key
// has none.
func badSecretKey(key string) bool {
	return key == "" || len(key) > maxSecretKey || badText(key, maxSecretKey) != "" || strings.HasSuffix(key, " ")
}

// validSecret holds a secret to what can be stored. That of a new person has no key yet where it is the person's id.
func validSecret(op string, x *storage.Secret, first bool) error {
	switch x.Kind {
	case storage.SecretPassword, storage.SecretTOTP, storage.SecretPasskey, storage.SecretRecovery, storage.SecretLink, storage.SecretIdentity:
	default:
		return unfit(op, "kind", "there is no such kind of secret")
	}
	switch {
	case personal(x.Kind) && first:
	case personal(x.Kind) && x.Key != strconv.FormatInt(int64(x.PersonID), 10):
		return unfit(op, "key", "the key of this kind is the person's id")
	case badSecretKey(x.Key):
		return unfit(op, "key", "the key has 1 to 400 bytes and no blank at its end")
	}
	switch {
	case len(x.Data) > maxSecretData:
		return unfit(op, "data", "a secret has at most 8 KiB")
	case !x.At.Storable():
		return unfit(op, "at", "the time must lie in the years 2000 to 2099")
	case x.ExpiresAt != 0 && !x.ExpiresAt.Storable():
		return unfit(op, "expires_at", "the time must lie in the years 2000 to 2099")
	}
	return nil
}

// secret reads a secret inside a change, also one that has expired.
func (c *change) secret(ctx context.Context, kind storage.SecretKind, key string) (x storage.Secret, found bool, err error) {
	err = c.each(ctx, func(scan func(...any) error) (err error) {
		found = true
		x, err = secretScan(scan)
		return err
	}, selectSecrets+secretNamed, args("kind", string(kind), "key", key)...)
	return x, found, err
}

// secretFree refuses a secret of a new person of which the key is somebody else's.
func (c *change) secretFree(ctx context.Context, op string, x storage.Secret) error {
	if personal(x.Kind) {
		return nil
	}
	_, found, err := c.secret(ctx, x.Kind, x.Key)
	if err == nil && found {
		err = secretTaken(op)
	}
	return err
}

func secretTaken(op string) error {
	return &halley.Error{Kind: halley.Conflict, Op: op, Code: "secret-taken", Field: "key", Message: "this belongs to another account already"}
}

// putSecret writes a secret that was looked at.
func (c *change) putSecret(ctx context.Context, x storage.Secret, there bool) error {
	text := insertSecret
	if there {
		text = updateSecret
		if err := c.erase(ctx); err != nil {
			return err
		}
	}
	row := args("kind", string(x.Kind), "key", x.Key, "data", append([]byte{}, x.Data...), "at", int64(x.At), "expires", int64(x.ExpiresAt))
	if !there {
		row = append(row, args("person", int64(x.PersonID))...)
	}
	return c.exec(ctx, text, row...)
}

// SetSecret adds a secret or changes it.
func (s *Store) SetSecret(ctx context.Context, x storage.Secret, was []byte, what string, ch halley.Change) error {
	const op = "set a secret"
	if err := validChange(op, ch); err != nil {
		return err
	}
	if err := validSecret(op, &x, false); err != nil {
		return err
	}
	if why := badText(what, maxText); why != "" {
		return unfit(op, "what", why)
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		if _, err := c.livingPerson(ctx, op, x.PersonID); err != nil {
			return err
		}
		stored, there, err := c.secret(ctx, x.Kind, x.Key)
		if err != nil {
			return err
		}
		counts := there && !expired(&stored, ch.At)
		switch {
		case there && stored.PersonID != x.PersonID:
			return secretTaken(op)
		case was != nil && (!counts || !bytes.Equal(was, stored.Data)):
			return &halley.Error{Kind: halley.Conflict, Op: op, Code: "secret-changed", Message: "this was used or changed meanwhile: try again"}
		}
		if err := c.auditSecret(ctx, secretAct{x, what, counts, true}, ch); err != nil {
			return err
		}
		if err := c.putSecret(ctx, x, there); err != nil {
			return err
		}
		if copied(x.Kind) && (was == nil || what != "") {
			return c.bumpRegistry(ctx)
		}
		return c.exec(ctx, clearSecrets, args("kind", string(x.Kind), "now", int64(ch.At))...)
	})
}

// secretAct is what happens to a secret: whether there was one, and whether there is one afterwards.
type secretAct struct {
	storage.Secret
	what       string
	was, comes bool
}

// auditSecret writes the audit row of an act that has a word. It holds nothing of the secret, and not its key either, which may be
// personal.
func (c *change) auditSecret(ctx context.Context, a secretAct, ch halley.Change) error {
	if a.what == "" {
		return nil
	}
	e := halley.AuditEntry{Change: ch, What: a.what, On: onPerson(a.PersonID), New: asJSON(map[string]any{"kind": a.Kind, "set": a.comes})}
	if a.was {
		e.Old = asJSON(map[string]any{"kind": a.Kind, "set": true})
	}
	_, err := c.audit(ctx, e)
	return err
}

// RemoveSecret removes one. One that has expired is not there any more.
func (s *Store) RemoveSecret(ctx context.Context, kind storage.SecretKind, key, what string, ch halley.Change) error {
	const op = "remove a secret"
	if err := validChange(op, ch); err != nil {
		return err
	}
	if why := badText(what, maxText); why != "" {
		return unfit(op, "what", why)
	}
	gone := &halley.Error{Kind: halley.NotFound, Op: op, Code: "secret-gone", Message: "this was used or removed already"}
	if badSecretKey(key) {
		return gone
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		x, there, err := c.secret(ctx, kind, key)
		if err != nil {
			return err
		}
		if !there || expired(&x, ch.At) {
			return gone
		}
		if err := c.auditSecret(ctx, secretAct{x, what, true, false}, ch); err != nil {
			return err
		}
		if err := c.erase(ctx); err != nil {
			return err
		}
		if err := c.exec(ctx, "DELETE FROM person_secret"+secretNamed, args("kind", string(kind), "key", key)...); err != nil {
			return err
		}
		if copied(kind) {
			return c.bumpRegistry(ctx)
		}
		return nil
	})
}
