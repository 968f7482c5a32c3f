package storagetest

import (
	"testing"

	"halley"
	"halley/storage"
)

func registryTests() []group {
	return []group{
		{"a credential replaces the one before it", credentials},
		{"each kind of credential stands alone", credentialKinds},
		{"every change moves the registry's version", versions},
		{"the audit trail lists newest first in pages", auditPages},
		{"acts without a change are audited", notes},
		{"changes without a fit actor or time are refused", unfitChanges},
	}
}

func accessTests() []group {
	return []group{
		{"a token is found until it is revoked", tokens},
		{"a token's name is used until it is revoked or has expired", tokenNames},
		{"a session is kept until it ends", sessions},
	}
}

// accepted gives a store with one accepted device.
func accepted(t *testing.T, e Engine) storage.Store {
	t.Helper()
	s := e.Open(t)
	d := WiFi("21000001", 1)
	NewFeed(s).Append(t, d.Upload(0, d.Message(Start, 20)))
	return s
}

func hashOf(b byte) []byte {
	hash := make([]byte, 32)
	hash[0], hash[31] = b, b
	return hash
}

func credentials(t *testing.T, e Engine) {
	s := accepted(t, e)
	set := func(hash []byte) {
		t.Helper()
		must(t, "SetCredential", s.SetCredential(t.Context(), storage.Credential{DeviceID: 1, Kind: storage.EntryPoint, Hash: hash}, By("eva")))
	}
	list := func() []storage.Credential {
		t.Helper()
		got, err := s.Credentials(t.Context())
		must(t, "Credentials", err)
		return got
	}
	equal(t, "before", []storage.Credential{}, list())
	set(nil)
	equal(t, "ending none", []string{"device.accept"}, whats(t, s))
	set(hashOf(1))
	set(hashOf(2))
	equal(t, "after replacing", []storage.Credential{
		{ID: 2, DeviceID: 1, Kind: storage.EntryPoint, Hash: hashOf(2), CreatedAt: By("").At},
	}, list())
	s = e.Reopen(t, s)
	equal(t, "after opening again", 1, len(list()))
	set(nil)
	equal(t, "after ending", []storage.Credential{}, list())
	equal(t, "audit", []string{"device.accept", "device.entry-point", "device.entry-point", "device.entry-point"}, whats(t, s))
}

func credentialKinds(t *testing.T, e Engine) {
	s := accepted(t, e)
	other := WiFi("21000002", 1)
	f := NewFeed(s)
	f.Seq = 100
	f.Append(t, other.Upload(0, other.Message(Start, 20)))
	for _, cr := range []storage.Credential{
		{DeviceID: 1, Kind: storage.EntryPoint, Hash: hashOf(1)},
		{DeviceID: 1, Kind: storage.CustomerKey, Hash: hashOf(2)},
		// A customer has one key for all loggers.
		{DeviceID: 2, Kind: storage.CustomerKey, Hash: hashOf(2)},
	} {
		must(t, "SetCredential", s.SetCredential(t.Context(), cr, By("eva")))
	}
	must(t, "SetCredential", s.SetCredential(t.Context(), storage.Credential{DeviceID: 1, Kind: storage.CustomerKey}, By("eva")))
	list, err := s.Credentials(t.Context())
	must(t, "Credentials", err)
	equal(t, "credentials", []storage.Credential{
		{ID: 1, DeviceID: 1, Kind: storage.EntryPoint, Hash: hashOf(1), CreatedAt: By("").At},
		{ID: 3, DeviceID: 2, Kind: storage.CustomerKey, Hash: hashOf(2), CreatedAt: By("").At},
	}, list)
	wantKind(t, "a credential of no device",
		s.SetCredential(t.Context(), storage.Credential{DeviceID: 9, Kind: storage.EntryPoint, Hash: hashOf(1)}, By("eva")), halley.NotFound)
	wantKind(t, "a credential of no kind",
		s.SetCredential(t.Context(), storage.Credential{DeviceID: 1, Kind: "password", Hash: hashOf(1)}, By("eva")), halley.Invalid)
}

func versions(t *testing.T, e Engine) {
	s := accepted(t, e)
	last := version(t, s)
	name, state := "Cold room", halley.DeviceSuspended
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"rename", func() error {
			_, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{Name: &name}, By("eva"))
			return err
		}},
		{"suspend", func() error {
			_, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{State: &state}, By("eva"))
			return err
		}},
		{"register", func() error {
			_, err := s.Register(t.Context(), halley.DeviceKey{Family: halley.Modem, Serial: "31000001"}, "", By("eva"))
			return err
		}},
		{"credential", func() error {
			return s.SetCredential(t.Context(), storage.Credential{DeviceID: 1, Kind: storage.EntryPoint, Hash: hashOf(1)}, By("eva"))
		}},
		{"token", func() error {
			_, err := s.CreateToken(t.Context(), storage.Token{Name: "reader", Hash: hashOf(1), Role: halley.Reader}, By("eva"))
			return err
		}},
		{"revoke", func() error { return s.RevokeToken(t.Context(), "reader", By("eva")) }},
	} {
		must(t, c.name, c.do())
		now := version(t, s)
		if now <= last {
			t.Errorf("%s: the version is %d, was %d", c.name, now, last)
		}
		last = now
	}
	equal(t, "audit", []string{
		"device.accept", "device.rename", "device.suspend", "device.register", "device.entry-point", "token.create", "token.revoke",
	}, whats(t, s))
	// A message like the ones before changes nothing in the registry.
	d := WiFi("21000001", 1)
	d.order = 1
	f := NewFeed(s)
	f.Seq = 100
	got := f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "DevicesChanged", false, got.DevicesChanged)
	equal(t, "version after a message", last, version(t, s))
}

func auditPages(t *testing.T, e Engine) {
	s := e.Open(t)
	for range 5 {
		must(t, "NoteAudit", s.NoteAudit(t.Context(), halley.AuditEntry{Change: By("eva"), What: "session.begin", On: "eva"}))
	}
	ids := func(before int64, limit int) []int64 {
		list, err := s.Audit(t.Context(), before, limit)
		must(t, "Audit", err)
		got := []int64{}
		for _, a := range list {
			got = append(got, a.ID)
		}
		return got
	}
	equal(t, "newest", []int64{5, 4}, ids(0, 2))
	equal(t, "next", []int64{3, 2}, ids(4, 2))
	equal(t, "rest", []int64{1}, ids(2, 2))
	equal(t, "none", []int64{}, ids(1, 2))
}

func notes(t *testing.T, e Engine) {
	s := e.Open(t)
	want := halley.AuditEntry{
		Change: By("Eva Nováková"), What: "session.begin", On: "account 1", Old: `{"a":1}`, New: `{"b":"°"}`,
	}
	must(t, "NoteAudit", s.NoteAudit(t.Context(), want))
	list, err := s.Audit(t.Context(), 0, 10)
	must(t, "Audit", err)
	want.ID = 1
	equal(t, "audit", []halley.AuditEntry{want}, list)
}

func unfitChanges(t *testing.T, e Engine) {
	s := accepted(t, e)
	state := halley.DeviceSuspended
	for _, c := range []struct {
		name  string
		spoil func(ch *halley.Change)
	}{
		{"no time", func(ch *halley.Change) { ch.At = 0 }},
		{"a name with a NUL", func(ch *halley.Change) { ch.Actor.Name = "a\x00" }},
		{"a reason that is not UTF-8", func(ch *halley.Change) { ch.Why = "\xff" }},
	} {
		ch := By("eva")
		c.spoil(&ch)
		_, err := s.ChangeDevice(t.Context(), 1, storage.DeviceUpdate{State: &state}, ch)
		wantKind(t, c.name, err, halley.Invalid)
		wantKind(t, c.name, s.NoteAudit(t.Context(), halley.AuditEntry{Change: ch, What: "x"}), halley.Invalid)
	}
	wantKind(t, "an act without a word", s.NoteAudit(t.Context(), halley.AuditEntry{Change: By("eva")}), halley.Invalid)
	equal(t, "audit", []string{"device.accept"}, whats(t, s))
}

func tokens(t *testing.T, e Engine) {
	s := e.Open(t)
	want := storage.Token{Name: "grafana", Hash: hashOf(1), Role: halley.Reader, ExpiresAt: Start + halley.Day}
	got, err := s.CreateToken(t.Context(), want, By("eva"))
	must(t, "CreateToken", err)
	want.ID, want.CreatedAt = 1, By("").At
	equal(t, "created", want, got)
	got, err = s.Token(t.Context(), hashOf(1))
	must(t, "Token", err)
	equal(t, "found", want, got)
	_, err = s.Token(t.Context(), hashOf(2))
	wantKind(t, "Token of another hash", err, halley.NotFound)
	must(t, "RevokeToken", s.RevokeToken(t.Context(), "grafana", By("eva")))
	_, err = s.Token(t.Context(), hashOf(1))
	wantKind(t, "Token after revoking", err, halley.NotFound)
	wantKind(t, "RevokeToken again", s.RevokeToken(t.Context(), "grafana", By("eva")), halley.NotFound)
	list, err := s.Tokens(t.Context())
	must(t, "Tokens", err)
	want.RevokedAt = By("").At
	equal(t, "tokens", []storage.Token{want}, list)
	equal(t, "audit", []string{"token.create", "token.revoke"}, whats(t, s))
	for name, bad := range map[string]storage.Token{
		"without a name": {Hash: hashOf(3), Role: halley.Reader},
		"without a hash": {Name: "a", Role: halley.Reader},
		"without a role": {Name: "a", Hash: hashOf(3)},
	} {
		_, err := s.CreateToken(t.Context(), bad, By("eva"))
		wantKind(t, "CreateToken "+name, err, halley.Invalid)
	}
	_, err = s.CreateToken(t.Context(), storage.Token{Name: "other", Hash: hashOf(1), Role: halley.Reader}, By("eva"))
	wantKind(t, "CreateToken of a hash that is there", err, halley.Conflict)
}

func tokenNames(t *testing.T, e Engine) {
	s := e.Open(t)
	create := func(hash byte, expires halley.Millis) error {
		_, err := s.CreateToken(t.Context(),
			storage.Token{Name: "grafana", Hash: hashOf(hash), Role: halley.Administrator, ExpiresAt: expires}, By("eva"))
		return err
	}
	must(t, "first", create(1, By("").At-1))
	must(t, "after it has expired", create(2, 0))
	wantKind(t, "while it counts", create(3, 0), halley.Conflict)
	must(t, "RevokeToken", s.RevokeToken(t.Context(), "grafana", By("eva")))
	must(t, "after it was revoked", create(4, 0))
}

func sessions(t *testing.T, e Engine) {
	s := e.Open(t)
	get := func(hash string, now halley.Millis) (string, bool) {
		t.Helper()
		data, found, err := s.Session(t.Context(), hash, now)
		must(t, "Session", err)
		return string(data), found
	}
	save := func(hash, data string, expires halley.Millis) {
		t.Helper()
		must(t, "SaveSession", s.SaveSession(t.Context(), hash, []byte(data), expires))
	}
	if _, found := get("a", Start); found {
		t.Error("a session was found before it was saved")
	}
	save("a", "one\x00\xff", Start+halley.Hour)
	save("b", "", Start+2*halley.Hour)
	save("a", "two\x00\xff", Start+halley.Hour)
	data, found := get("a", Start+halley.Hour-1)
	equal(t, "session", "two\x00\xff", data)
	equal(t, "found", true, found)
	_, found = get("a", Start+halley.Hour)
	equal(t, "found when it ends", false, found)
	save("c", "three", Start+halley.Day)
	_, found = get("b", Start)
	equal(t, "an empty session is found", true, found)
	_, found = get("a", Start)
	equal(t, "one that has ended is cleared away", false, found)
	must(t, "DeleteSession", s.DeleteSession(t.Context(), "c"))
	must(t, "DeleteSession again", s.DeleteSession(t.Context(), "c"))
	_, found = get("c", Start)
	equal(t, "found after deleting", false, found)
	equal(t, "audit", []string{}, whats(t, s))
}
