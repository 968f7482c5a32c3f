package sqlkit

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"halley"
	"halley/storage"
)

const (
	// selectCredentials reads the newest row of each device and kind, unless it ends the credential.
	selectCredentials = `
SELECT c.credential_id, c.device_id, c.kind, c.hash, c.created_at
  FROM credential c
 WHERE c.hash IS NOT NULL
   AND c.credential_id = (SELECT MAX(n.credential_id) FROM credential n WHERE n.device_id = c.device_id AND n.kind = c.kind)
 ORDER BY c.credential_id`

	selectCredential = `
SELECT CASE WHEN hash IS NULL THEN 0 ELSE 1 END
  FROM credential
 WHERE credential_id = (SELECT MAX(n.credential_id) FROM credential n WHERE n.device_id = @device AND n.kind = @kind)`

	selectTokens = `
SELECT t.token_id, t.name, t.hash, t.role, t.expires_at, t.created_at, COALESCE(e.revoked_at, 0),
       COALESCE(t.organization_id, 0), COALESCE(t.places, ''),
       COALESCE(a.actor_kind, ''), COALESCE(a.actor_name, ''), COALESCE(a.actor_session, '')
  FROM token t
  LEFT JOIN token_end e ON e.token_id = t.token_id
  LEFT JOIN audit a ON a.audit_id = t.audit_id`

	// tokenNamed compares the names with a point behind them too: SQL Server takes no notice of blanks at the end of a text.
	tokenNamed = " WHERE t.name = @name AND CONCAT(t.name, '.') = CONCAT(@name, '.')"
)

// Credentials lists what devices prove themselves by.
func (s *Store) Credentials(ctx context.Context) ([]storage.Credential, error) {
	list := []storage.Credential{}
	err := s.query(ctx, func(scan func(...any) error) error {
		var cr storage.Credential
		err := scan(&cr.ID, &cr.DeviceID, &cr.Kind, &cr.Hash, &cr.CreatedAt)
		list = append(list, cr)
		return err
	}, selectCredentials)
	if err != nil {
		return nil, s.fail("list credentials", err)
	}
	return list, nil
}

// SetCredential ends the device's former credential of this kind and begins a new one; a nil hash only ends.
func (s *Store) SetCredential(ctx context.Context, cr storage.Credential, ch halley.Change) error {
	const op = "set a credential"
	if err := validChange(op, ch); err != nil {
		return err
	}
	if cr.Kind != storage.EntryPoint && cr.Kind != storage.CustomerKey {
		return &halley.Error{Kind: halley.Invalid, Op: op, Field: "kind", Message: "a credential is an entry-point or a customer-key"}
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		var key halley.DeviceKey
		found, err := c.one(ctx, []any{&key.Family, &key.Serial}, selectKey, args("device", int64(cr.DeviceID))...)
		if err != nil {
			return err
		}
		if !found {
			return notFound(op, "device", int64(cr.DeviceID))
		}
		held := false
		if _, err = c.one(ctx, []any{&held}, selectCredential, args("device", int64(cr.DeviceID), "kind", string(cr.Kind))...); err != nil {
			return err
		}
		if cr.Hash == nil && !held {
			return nil
		}
		return c.setCredential(ctx, cr, ch, held)
	})
}

func (c *change) setCredential(ctx context.Context, cr storage.Credential, ch halley.Change, held bool) error {
	what := "device." + string(cr.Kind)
	e := halley.AuditEntry{Change: ch, What: what, On: onDevice(cr.DeviceID), New: asJSON(map[string]any{"set": cr.Hash != nil})}
	if held {
		e.Old = asJSON(map[string]any{"set": true})
	}
	auditID, err := c.audit(ctx, e)
	if err != nil {
		return err
	}
	id, err := c.nextID(ctx, "credential")
	if err != nil {
		return err
	}
	c.add(factCredential, id, int64(cr.DeviceID), string(cr.Kind), cr.Hash, int64(ch.At), auditID)
	return c.bumpRegistry(ctx)
}

func tokenScan(scan func(...any) error) (storage.Token, error) {
	var t storage.Token
	var places string
	err := scan(&t.ID, &t.Name, &t.Hash, &t.Role, &t.ExpiresAt, &t.CreatedAt, &t.RevokedAt, &t.OrganizationID, &places,
		&t.By.Kind, &t.By.Name, &t.By.Session)
	if err == nil && places != "" {
		err = json.Unmarshal([]byte(places), &t.Places)
	}
	return t, err
}

// CreateToken adds a token. A name is used as long as a token of that name is neither revoked nor expired.
func (s *Store) CreateToken(ctx context.Context, t storage.Token, ch halley.Change) (storage.Token, error) {
	const op = "create a token"
	if err := validToken(op, t, ch); err != nil {
		return storage.Token{}, err
	}
	t.CreatedAt, t.RevokedAt, t.By = ch.At, 0, ch.Actor
	if t.OrganizationID == halley.RootOrganization {
		t.OrganizationID = 0
	}
	t.Places = ascending(t.Places)
	err := s.write(ctx, op, func(ctx context.Context, c *change) error {
		used := false
		err := c.each(ctx, func(scan func(...any) error) error {
			o, err := tokenScan(scan)
			used = used || o.Counts(ch.At)
			return err
		}, selectTokens+tokenNamed, args("name", t.Name)...)
		if err != nil {
			return err
		}
		if used {
			return &halley.Error{
				Kind: halley.Conflict, Op: op, Code: "name-used", Field: "name",
				Message: "there is a token of this name: revoke it first or take another name",
			}
		}
		var there int64
		if _, err := c.one(ctx, []any{&there}, "SELECT COUNT(*) FROM token WHERE hash = @hash", args("hash", t.Hash)...); err != nil {
			return err
		}
		if there > 0 {
			return &halley.Error{Kind: halley.Conflict, Op: op, Field: "hash", Message: "there is such a token already: make another one"}
		}
		if err := c.checkReach(ctx, op, &t); err != nil {
			return err
		}
		return c.addToken(ctx, &t, ch)
	})
	if err != nil {
		return storage.Token{}, err
	}
	return t, nil
}

func (c *change) addToken(ctx context.Context, t *storage.Token, ch halley.Change) error {
	said := map[string]any{"role": t.Role, "expires": t.ExpiresAt.String()}
	if t.OrganizationID != 0 {
		said["organization_id"] = t.OrganizationID
	}
	if len(t.Places) > 0 {
		said["place_ids"] = t.Places
	}
	auditID, err := c.audit(ctx, halley.AuditEntry{Change: ch, What: "token.create", On: "token " + t.Name, New: asJSON(said)})
	if err != nil {
		return err
	}
	if t.ID, err = c.nextID(ctx, "token"); err != nil {
		return err
	}
	c.add(factToken, t.ID, t.Name, t.Hash, string(t.Role), int64(t.ExpiresAt), int64(t.CreatedAt), auditID,
		organizationOrNull(t.OrganizationID), placesOrNull(t.Places))
	return c.bumpRegistry(ctx)
}

func validToken(op string, t storage.Token, ch halley.Change) error {
	if err := validChange(op, ch); err != nil {
		return err
	}
	if why := badName(t.Name); why != "" {
		return &halley.Error{Kind: halley.Invalid, Op: op, Code: "bad-name", Field: "name", Message: why}
	}
	if len(t.Hash) == 0 || t.Role == "" || badText(string(t.Role), maxTokenRole) != "" || t.ExpiresAt != 0 && !t.ExpiresAt.Storable() {
		return &halley.Error{Kind: halley.Invalid, Op: op, Message: "a token needs a hash, a role and an end that can be stored"}
	}
	if (t.Role == halley.ViewByMeasuredPlaces) != (len(t.Places) > 0) || len(t.Places) > maxTokenPlaces {
		return &halley.Error{
			Kind: halley.Invalid, Op: op, Field: "place_ids",
			Message: fmt.Sprintf("a token of the role %s, and no other, names its places, at most %d", halley.ViewByMeasuredPlaces, maxTokenPlaces),
		}
	}
	return nil
}

// maxTokenRole bounds the name of a token's role, maxTokenPlaces how many places a token names.
const (
	maxTokenRole   = 32
	maxTokenPlaces = 1000
)

// checkReach refuses a token for what is not there or closed.
func (c *change) checkReach(ctx context.Context, op string, t *storage.Token) error {
	g, err := c.granting(ctx, op)
	if err != nil {
		return err
	}
	x := halley.Grant{Role: t.Role, OrganizationID: max(t.OrganizationID, halley.RootOrganization)}
	if x.Role == halley.Reader {
		// It is not offered to people, but is there.
		x.Role = halley.GuestAdministrator
	}
	if err := g.checkOne(ctx, &x); err != nil {
		return err
	}
	for _, x.PlaceID = range t.Places {
		if err := g.checkOne(ctx, &x); err != nil {
			return err
		}
	}
	return nil
}

// placesOrNull gives the JSON of places; NULL for none.
func placesOrNull(list []halley.PlaceID) sql.NullString {
	return sql.NullString{String: numbers(list), Valid: len(list) > 0}
}

// Token finds a token by its hash; one that was revoked is not found.
func (s *Store) Token(ctx context.Context, hash []byte) (storage.Token, error) {
	const op = "find a token"
	var t storage.Token
	found := false
	err := s.query(ctx, func(scan func(...any) error) (err error) {
		found = true
		t, err = tokenScan(scan)
		return err
	}, selectTokens+" WHERE t.hash = @hash AND e.revoked_at IS NULL", args("hash", hash)...)
	if err == nil && !found {
		return t, &halley.Error{Kind: halley.NotFound, Op: op, Message: "there is no such token"}
	}
	return t, s.fail(op, err)
}

// Tokens lists by id, with those that were revoked.
func (s *Store) Tokens(ctx context.Context) ([]storage.Token, error) {
	list := []storage.Token{}
	err := s.query(ctx, func(scan func(...any) error) error {
		t, err := tokenScan(scan)
		list = append(list, t)
		return err
	}, selectTokens+" ORDER BY t.token_id")
	if err != nil {
		return nil, s.fail("list tokens", err)
	}
	return list, nil
}

// RevokeToken ends a token by its name.
func (s *Store) RevokeToken(ctx context.Context, name string, ch halley.Change) error {
	const op = "revoke a token"
	if err := validChange(op, ch); err != nil {
		return err
	}
	return s.write(ctx, op, func(ctx context.Context, c *change) error {
		var list []storage.Token
		err := c.each(ctx, func(scan func(...any) error) error {
			t, err := tokenScan(scan)
			if t.RevokedAt == 0 {
				list = append(list, t)
			}
			return err
		}, selectTokens+tokenNamed+" ORDER BY t.token_id", args("name", name)...)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return &halley.Error{Kind: halley.NotFound, Op: op, Message: "there is no token of this name that still counts"}
		}
		auditID, err := c.audit(ctx, halley.AuditEntry{
			Change: ch, What: "token.revoke", On: "token " + name, Old: asJSON(map[string]any{"role": list[len(list)-1].Role}),
		})
		if err != nil {
			return err
		}
		for _, t := range list {
			c.add(factTokenEnd, t.ID, int64(ch.At), auditID)
		}
		return c.bumpRegistry(ctx)
	})
}

// Session gives a browser's session that has not expired.
func (s *Store) Session(ctx context.Context, hash string, now halley.Millis) ([]byte, bool, error) {
	s.lastNow.Store(max(s.lastNow.Load(), int64(now)))
	var data []byte
	found, err := s.one(ctx, []any{&data}, "SELECT data FROM session WHERE hash = @hash AND expires_at > @now",
		args("hash", hash, "now", int64(now))...)
	return data, found, s.fail("read a session", err)
}

// DeleteSession ends a session; one that is not there has ended.
func (s *Store) DeleteSession(ctx context.Context, hash string) error {
	return s.write(ctx, "end a session", func(ctx context.Context, c *change) error {
		return c.exec(ctx, "DELETE FROM session WHERE hash = @hash", args("hash", hash)...)
	})
}

// ascending gives the ids sorted, each once.
func ascending[T halley.DeviceID | halley.ChannelID | halley.PlaceID](ids []T) []T {
	list := slices.Clone(ids)
	slices.Sort(list)
	return slices.Compact(list)
}
