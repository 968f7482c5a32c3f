package storagetest

import (
	"cmp"
	"slices"
	"testing"

	"halley"
	"halley/storage"
)

func registryTests() []test {
	return []test{
		{"a credential replaces the one before it", credentials},
		{"each kind of credential stands alone", credentialKinds},
		{"every change moves the registry's version", versions},
		{"the audit trail lists newest first in pages", auditPages},
		{"acts without a change are audited", notes},
		{"changes without a fit actor or time are refused", unfitChanges},
	}
}

func accessTests() []test {
	return []test{
		{"a token is found until it is revoked", tokens},
		{"a token's name is used until it is revoked or has expired", tokenNames},
		{"a session is kept until it ends", sessions},
	}
}

// accepted makes one accepted device.
func accepted(t *testing.T, p *plot) {
	t.Helper()
	d := WiFi(p.serial(1), 1)
	p.feed().Append(t, d.Upload(0, d.Message(Start, 20)))
}

// credentialsOf lists the credentials of the plot's devices, without their ids, which rise.
func credentialsOf(t *testing.T, p *plot) []storage.Credential {
	t.Helper()
	all, err := p.Credentials(t.Context())
	must(t, "Credentials", err)
	list, last := []storage.Credential{}, int64(0)
	for _, cr := range all {
		if cr.ID <= last {
			t.Errorf("credential %d is listed after %d", cr.ID, last)
		}
		last = cr.ID
		if cr.ID = 0; cr.DeviceID > p.lastDevice {
			list = append(list, cr)
		}
	}
	return list
}

func credentials(t *testing.T, p *plot) {
	accepted(t, p)
	set := func(hash []byte) {
		t.Helper()
		must(t, "SetCredential", p.SetCredential(t.Context(), storage.Credential{DeviceID: p.device(t, 1), Kind: storage.EntryPoint, Hash: hash}, By("eva")))
	}
	list := func() []storage.Credential { return credentialsOf(t, p) }
	equal(t, "before", []storage.Credential{}, list())
	set(nil)
	equal(t, "ending none", []string{"device.accept"}, p.whats(t))
	set(p.hash(1))
	set(p.hash(2))
	equal(t, "after replacing", []storage.Credential{
		{DeviceID: p.device(t, 1), Kind: storage.EntryPoint, Hash: p.hash(2), CreatedAt: By("").At},
	}, list())
	p.reopen(t)
	equal(t, "after opening again", 1, len(list()))
	set(nil)
	equal(t, "after ending", []storage.Credential{}, list())
	equal(t, "audit", []string{"device.accept", "device.entry-point", "device.entry-point", "device.entry-point"}, p.whats(t))
}

func credentialKinds(t *testing.T, p *plot) {
	accepted(t, p)
	other := WiFi(p.serial(2), 1)
	f := p.feed()
	f.Seq = 100
	f.Append(t, other.Upload(0, other.Message(Start, 20)))
	for _, cr := range []storage.Credential{
		{DeviceID: p.device(t, 1), Kind: storage.EntryPoint, Hash: p.hash(1)},
		{DeviceID: p.device(t, 1), Kind: storage.CustomerKey, Hash: p.hash(2)},
		// A customer has one key for all loggers.
		{DeviceID: p.device(t, 2), Kind: storage.CustomerKey, Hash: p.hash(2)},
	} {
		must(t, "SetCredential", p.SetCredential(t.Context(), cr, By("eva")))
	}
	must(t, "SetCredential", p.SetCredential(t.Context(), storage.Credential{DeviceID: p.device(t, 1), Kind: storage.CustomerKey}, By("eva")))
	equal(t, "credentials", []storage.Credential{
		{DeviceID: p.device(t, 1), Kind: storage.EntryPoint, Hash: p.hash(1), CreatedAt: By("").At},
		{DeviceID: p.device(t, 2), Kind: storage.CustomerKey, Hash: p.hash(2), CreatedAt: By("").At},
	}, credentialsOf(t, p))
	wantKind(t, "a credential of no device",
		p.SetCredential(t.Context(), storage.Credential{DeviceID: 1 << 40, Kind: storage.EntryPoint, Hash: p.hash(1)}, By("eva")), halley.NotFound)
	wantKind(t, "a credential of no kind",
		p.SetCredential(t.Context(), storage.Credential{DeviceID: p.device(t, 1), Kind: "password", Hash: p.hash(1)}, By("eva")), halley.Invalid)
}

func versions(t *testing.T, p *plot) {
	accepted(t, p)
	last := version(t, p)
	name, state := "Cold room", halley.DeviceSuspended
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"rename", func() error {
			_, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{Name: &name}, By("eva"))
			return err
		}},
		{"suspend", func() error {
			_, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{State: &state}, By("eva"))
			return err
		}},
		{"register", func() error {
			_, err := p.Register(t.Context(), halley.DeviceKey{Family: halley.Modem, Serial: p.serial(31)}, "", By("eva"))
			return err
		}},
		{"credential", func() error {
			return p.SetCredential(t.Context(), storage.Credential{DeviceID: p.device(t, 1), Kind: storage.EntryPoint, Hash: p.hash(1)}, By("eva"))
		}},
		{"token", func() error {
			_, err := p.CreateToken(t.Context(), storage.Token{Name: p.name("reader"), Hash: p.hash(1), Role: halley.Reader}, By("eva"))
			return err
		}},
		{"revoke", func() error { return p.RevokeToken(t.Context(), p.name("reader"), By("eva")) }},
	} {
		must(t, c.name, c.do())
		now := version(t, p)
		if now <= last {
			t.Errorf("%s: the version is %d, was %d", c.name, now, last)
		}
		last = now
	}
	equal(t, "audit", []string{
		"device.accept", "device.rename", "device.suspend", "device.register", "device.entry-point", "token.create", "token.revoke",
	}, p.whats(t))
	// A message like the ones before changes nothing in the registry.
	d := WiFi(p.serial(1), 1)
	d.order = 1
	f := p.feed()
	f.Seq = 100
	got := f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 20)))
	equal(t, "DevicesChanged", false, got.DevicesChanged)
	equal(t, "version after a message", last, version(t, p))
}

func auditPages(t *testing.T, p *plot) {
	for range 5 {
		must(t, "NoteAudit", p.NoteAudit(t.Context(), halley.AuditEntry{Change: By("eva"), What: "session.begin", On: "eva"}))
	}
	ids := func(before int64, limit int) []int64 {
		list, err := p.Audit(t.Context(), before, limit)
		must(t, "Audit", err)
		got := []int64{}
		for _, a := range list {
			if a.ID > p.lastAct {
				got = append(got, a.ID)
			}
		}
		return got
	}
	all := ids(0, 100)
	if len(all) != 5 || !slices.IsSortedFunc(all, func(x, y int64) int { return cmp.Compare(y, x) }) {
		t.Fatalf("Audit() has the ids %d, want five that fall", all)
	}
	equal(t, "newest", all[:2], ids(0, 2))
	equal(t, "next", all[2:4], ids(all[1], 2))
	equal(t, "rest", all[4:], ids(all[3], 2))
	equal(t, "none", []int64{}, ids(all[4], 2))
}

func notes(t *testing.T, p *plot) {
	want := halley.AuditEntry{
		Change: By("Eva Nováková"), What: "session.begin", On: "account 1", Old: `{"a":1}`, New: `{"b":"°"}`,
	}
	must(t, "NoteAudit", p.NoteAudit(t.Context(), want))
	list := p.acts(t)
	want.ID = p.lastAct + 1
	equal(t, "audit", []halley.AuditEntry{want}, list)
}

func unfitChanges(t *testing.T, p *plot) {
	accepted(t, p)
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
		_, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{State: &state}, ch)
		wantKind(t, c.name, err, halley.Invalid)
		wantKind(t, c.name, p.NoteAudit(t.Context(), halley.AuditEntry{Change: ch, What: "x"}), halley.Invalid)
	}
	wantKind(t, "an act without a word", p.NoteAudit(t.Context(), halley.AuditEntry{Change: By("eva")}), halley.Invalid)
	equal(t, "audit", []string{"device.accept"}, p.whats(t))
}

func tokens(t *testing.T, p *plot) {
	want := storage.Token{Name: p.name("grafana"), Hash: p.hash(1), Role: halley.Reader, ExpiresAt: Start + halley.Day}
	got, err := p.CreateToken(t.Context(), want, By("eva"))
	must(t, "CreateToken", err)
	want.ID, want.CreatedAt, want.By = got.ID, By("").At, By("eva").Actor
	equal(t, "created", want, got)
	got, err = p.Token(t.Context(), p.hash(1))
	must(t, "Token", err)
	equal(t, "found", want, got)
	_, err = p.Token(t.Context(), p.hash(2))
	wantKind(t, "Token of another hash", err, halley.NotFound)
	must(t, "RevokeToken", p.RevokeToken(t.Context(), p.name("grafana"), By("eva")))
	_, err = p.Token(t.Context(), p.hash(1))
	wantKind(t, "Token after revoking", err, halley.NotFound)
	wantKind(t, "RevokeToken again", p.RevokeToken(t.Context(), p.name("grafana"), By("eva")), halley.NotFound)
	list, err := p.Tokens(t.Context())
	must(t, "Tokens", err)
	want.RevokedAt = By("").At
	equal(t, "the last of the tokens", want, list[len(list)-1])
	equal(t, "audit", []string{"token.create", "token.revoke"}, p.whats(t))
	for name, bad := range map[string]storage.Token{
		"without a name": {Hash: p.hash(3), Role: halley.Reader},
		"without a hash": {Name: "a", Role: halley.Reader},
		"without a role": {Name: "a", Hash: p.hash(3)},
	} {
		_, err := p.CreateToken(t.Context(), bad, By("eva"))
		wantKind(t, "CreateToken "+name, err, halley.Invalid)
	}
	_, err = p.CreateToken(t.Context(), storage.Token{Name: p.name("other"), Hash: p.hash(1), Role: halley.Reader}, By("eva"))
	wantKind(t, "CreateToken of a hash that is there", err, halley.Conflict)
}

func tokenNames(t *testing.T, p *plot) {
	create := func(hash byte, expires halley.Millis) error {
		_, err := p.CreateToken(t.Context(),
			storage.Token{Name: p.name("grafana"), Hash: p.hash(hash), Role: halley.Administrator, ExpiresAt: expires}, By("eva"))
		return err
	}
	must(t, "first", create(1, By("").At-1))
	must(t, "after it has expired", create(2, 0))
	wantKind(t, "while it counts", create(3, 0), halley.Conflict)
	must(t, "RevokeToken", p.RevokeToken(t.Context(), p.name("grafana"), By("eva")))
	must(t, "after it was revoked", create(4, 0))
}

func sessions(t *testing.T, p *plot) {
	get := func(hash string, now halley.Millis) (string, bool) {
		t.Helper()
		data, found, err := p.Session(t.Context(), hash, now)
		must(t, "Session", err)
		return string(data), found
	}
	save := func(hash, data string, expires halley.Millis) {
		t.Helper()
		must(t, "SaveSession", p.SaveSession(t.Context(), storage.Session{Hash: hash, Data: []byte(data), ExpiresAt: expires}))
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
	must(t, "DeleteSession", p.DeleteSession(t.Context(), "c"))
	must(t, "DeleteSession again", p.DeleteSession(t.Context(), "c"))
	_, found = get("c", Start)
	equal(t, "found after deleting", false, found)
	equal(t, "audit", []string{}, p.whats(t))
}
