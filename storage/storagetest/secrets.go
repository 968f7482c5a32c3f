package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"halley"
	"halley/storage"
)

func secretTests() []test {
	return []test{
		{"a secret is kept until it is changed or removed", secrets},
		{"a secret that expires is there until then", secretsExpire},
		{"a secret is changed only where it is what it was", secretsAsTheyWere},
		{"who is disabled has no link any more", disabledLinks},
		{"a secret belongs to one person", secretsOfOthers},
		{"secrets without a fit value are refused", unfitSecrets},
		{"keys of secrets are compared exactly", alikeSecrets},
		{"of many that take a secret at one time one succeeds", racingRemovals},
		{"of many that change a secret from the same one succeeds", racingChanges},
	}
}

// secretsOf lists the secrets of a person.
func (p *plot) secretsOf(t testing.TB, id halley.PersonID) []storage.Secret {
	t.Helper()
	list, err := p.Secrets(t.Context(), id)
	must(t, "Secrets", err)
	return list
}

func secrets(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	key := fmt.Sprint(who.ID)
	want := storage.Secret{Kind: storage.SecretPassword, Key: key, PersonID: who.ID, Data: []byte("one"), At: Start}
	must(t, "SetSecret", p.SetSecret(t.Context(), want, nil, "person.password", By("eva")))
	got, found, err := p.Secret(t.Context(), storage.SecretPassword, key, Start)
	must(t, "Secret", err)
	equal(t, "secret", []any{want, true}, []any{got, found})
	want.Data, want.At = []byte("two\x00\xff"), Start+1
	must(t, "SetSecret again", p.SetSecret(t.Context(), want, nil, "person.password", By("eva")))
	passkey := storage.Secret{Kind: storage.SecretPasskey, Key: p.name("passkey"), PersonID: who.ID, Data: []byte{}, At: Start}
	must(t, "SetSecret of another kind", p.SetSecret(t.Context(), passkey, nil, "", By("eva")))
	p.reopen(t)
	equal(t, "secrets", []storage.Secret{passkey, want}, p.secretsOf(t, who.ID))
	_, found, err = p.Secret(t.Context(), storage.SecretTOTP, key, Start)
	must(t, "Secret of another kind", err)
	equal(t, "found", false, found)

	link := storage.Secret{Kind: storage.SecretLink, Key: p.name("link"), PersonID: who.ID, Data: []byte("{}"), At: Start}
	must(t, "SetSecret of a link", p.SetSecret(t.Context(), link, nil, "", By("eva")))
	equal(t, "secrets with a link", []storage.Secret{link, passkey, want}, p.secretsOf(t, who.ID))
	all := slices.DeleteFunc(p.secretsOf(t, 0), func(x storage.Secret) bool { return x.PersonID != who.ID })
	equal(t, "secrets among those of all", []storage.Secret{passkey, want}, all)

	must(t, "RemoveSecret", p.RemoveSecret(t.Context(), storage.SecretPassword, key, "person.factor", at(0, "lost")))
	wantKind(t, "RemoveSecret again", p.RemoveSecret(t.Context(), storage.SecretPassword, key, "person.factor", By("eva")), halley.NotFound)
	must(t, "RemoveSecret without a word", p.RemoveSecret(t.Context(), storage.SecretPasskey, passkey.Key, "", By("eva")))
	equal(t, "audit", []string{"person.add", "person.password", "person.password", "person.factor"}, p.whats(t))
	set := map[string]any{"kind": "password", "set": true}
	for i, want := range [][]map[string]any{{nil, set}, {set, set}, {set, {"kind": "password", "set": false}}} {
		act := p.acts(t)[i+1]
		var old map[string]any
		if act.Old != "" {
			old = decoded(t, act.Old)
		}
		equal(t, "old and new of "+act.What, want, []map[string]any{old, decoded(t, act.New)})
		equal(t, "acted on", fmt.Sprintf("person %d", who.ID), act.On)
	}
}

func disabledLinks(t *testing.T, p *plot) {
	who, other := p.person(t, "eva"), p.person(t, "adam")
	links := map[halley.PersonID]storage.Secret{}
	for _, id := range []halley.PersonID{who.ID, other.ID} {
		links[id] = storage.Secret{Kind: storage.SecretLink, Key: p.name(fmt.Sprint("link", id)), PersonID: id, Data: []byte("{}"), At: Start}
		must(t, "SetSecret", p.SetSecret(t.Context(), links[id], nil, "", By("eva")))
	}
	password := storage.Secret{Kind: storage.SecretPassword, Key: fmt.Sprint(who.ID), PersonID: who.ID, Data: []byte("one"), At: Start}
	must(t, "SetSecret", p.SetSecret(t.Context(), password, nil, "", By("eva")))
	for _, state := range []halley.PersonState{halley.PersonDisabled, halley.PersonActive} {
		_, err := p.ChangePerson(t.Context(), who.ID, storage.PersonUpdate{State: new(state)}, By("adam"))
		must(t, "ChangePerson", err)
		equal(t, "secrets", []storage.Secret{password}, p.secretsOf(t, who.ID))
	}
	equal(t, "secrets of another", []storage.Secret{links[other.ID]}, p.secretsOf(t, other.ID))
}

func secretsExpire(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	now := By("").At
	x := storage.Secret{Kind: storage.SecretLink, Key: p.name("link"), PersonID: who.ID, Data: []byte("a"), At: now, ExpiresAt: now + halley.Hour}
	must(t, "SetSecret", p.SetSecret(t.Context(), x, nil, "", By("eva")))
	for after, want := range map[halley.Millis]bool{0: true, halley.Hour - 1: true, halley.Hour: false, halley.Day: false} {
		_, found, err := p.Secret(t.Context(), x.Kind, x.Key, now+after)
		must(t, "Secret", err)
		equal(t, fmt.Sprintf("found after %d ms", after), want, found)
	}
	wantKind(t, "RemoveSecret of one that has expired", p.RemoveSecret(t.Context(), x.Kind, x.Key, "", at(halley.Hour, "")), halley.NotFound)
	wantKind(t, "SetSecret of one that has expired", p.SetSecret(t.Context(), x, []byte("a"), "", at(halley.Hour, "")), halley.Conflict)
	// What has expired is cleared away by the next of its kind.
	other := x
	other.Key, other.ExpiresAt = p.name("another link"), now+2*halley.Hour
	must(t, "SetSecret of another", p.SetSecret(t.Context(), other, nil, "", at(halley.Hour, "")))
	equal(t, "secrets", []storage.Secret{other}, p.secretsOf(t, who.ID))
	must(t, "RemoveSecret in time", p.RemoveSecret(t.Context(), x.Kind, other.Key, "", at(2*halley.Hour-1, "")))
}

func secretsAsTheyWere(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	x := storage.Secret{Kind: storage.SecretTOTP, Key: fmt.Sprint(who.ID), PersonID: who.ID, Data: []byte("1"), At: Start}
	wantCode(t, "one that is not there", p.SetSecret(t.Context(), x, []byte("1"), "", By("eva")), halley.Conflict, "secret-changed")
	wantCode(t, "one that is not there, of nothing", p.SetSecret(t.Context(), x, []byte{}, "", By("eva")), halley.Conflict, "secret-changed")
	must(t, "SetSecret", p.SetSecret(t.Context(), x, nil, "", By("eva")))
	x.Data = []byte("2")
	wantKind(t, "another", p.SetSecret(t.Context(), x, []byte("2"), "person.factor", By("eva")), halley.Conflict)
	must(t, "the same", p.SetSecret(t.Context(), x, []byte("1"), "", By("eva")))
	wantKind(t, "what it was before", p.SetSecret(t.Context(), x, []byte("1"), "", By("eva")), halley.Conflict)
	equal(t, "secret", "2", string(p.secretsOf(t, who.ID)[0].Data))
	equal(t, "audit", []string{"person.add"}, p.whats(t))
}

func secretsOfOthers(t *testing.T, p *plot) {
	eva, adam := p.person(t, "eva"), p.person(t, "adam")
	x := storage.Secret{Kind: storage.SecretIdentity, Key: "oidc:main|" + p.name("s"), PersonID: eva.ID, Data: []byte("{}"), At: Start}
	must(t, "SetSecret", p.SetSecret(t.Context(), x, nil, "", By("eva")))
	x.PersonID = adam.ID
	wantCode(t, "the same of another person", p.SetSecret(t.Context(), x, nil, "", By("eva")), halley.Conflict, "secret-taken")
	wantCode(t, "the same as it was", p.SetSecret(t.Context(), x, []byte("{}"), "", By("eva")), halley.Conflict, "secret-taken")
	got, _, err := p.Secret(t.Context(), x.Kind, x.Key, Start)
	must(t, "Secret", err)
	equal(t, "whose it is", eva.ID, got.PersonID)
	must(t, "RemoveSecret", p.RemoveSecret(t.Context(), x.Kind, x.Key, "", By("eva")))
	must(t, "SetSecret of what is free", p.SetSecret(t.Context(), x, nil, "", By("eva")))
}

func unfitSecrets(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	fit := storage.Secret{Kind: storage.SecretPasskey, Key: p.name("passkey"), PersonID: who.ID, At: Start}
	for what, spoil := range map[string]func(x *storage.Secret){
		"no kind":                   func(x *storage.Secret) { x.Kind = "pin" },
		"no key":                    func(x *storage.Secret) { x.Key = "" },
		"a key of 401 bytes":        func(x *storage.Secret) { x.Key = strings.Repeat("a", 401) },
		"a key that ends in blanks": func(x *storage.Secret) { x.Key += " " },
		"a key with a NUL":          func(x *storage.Secret) { x.Key += "\x00" },
		"a password of another key": func(x *storage.Secret) { x.Kind = storage.SecretPassword },
		"more than 8 KiB":           func(x *storage.Secret) { x.Data = make([]byte, 8<<10+1) },
		"no time":                   func(x *storage.Secret) { x.At = 0 },
		"an end before all time":    func(x *storage.Secret) { x.ExpiresAt = 1 },
	} {
		x := fit
		spoil(&x)
		wantKind(t, what, p.SetSecret(t.Context(), x, nil, "", By("eva")), halley.Invalid)
	}
	fit.Key, fit.Data = strings.Repeat("é", 200), make([]byte, 8<<10)
	must(t, "the longest", p.SetSecret(t.Context(), fit, nil, "", By("eva")))
	equal(t, "the longest", []storage.Secret{fit}, p.secretsOf(t, who.ID))
	nobody := fit
	nobody.PersonID, nobody.Key = 1<<40, p.name("b")
	wantKind(t, "a secret of nobody", p.SetSecret(t.Context(), nobody, nil, "", By("eva")), halley.NotFound)
	for _, key := range []string{"", strings.Repeat("a", 401), fit.Key + " ", "\x00", "\xff"} {
		_, found, err := p.Secret(t.Context(), fit.Kind, key, Start)
		must(t, "Secret", err)
		equal(t, fmt.Sprintf("a secret of the key %q is found", key), false, found)
		wantKind(t, "RemoveSecret", p.RemoveSecret(t.Context(), fit.Kind, key, "", By("eva")), halley.NotFound)
	}
}

func alikeSecrets(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	keys := []string{p.name("abc"), p.name("ABC"), p.name("ábc"), p.name("a\u0301bc"), p.name("ａbc"), p.name("abc") + "_", p.name("abc") + "%"}
	for _, key := range keys {
		x := storage.Secret{Kind: storage.SecretPasskey, Key: key, PersonID: who.ID, Data: []byte(key), At: Start}
		must(t, "SetSecret", p.SetSecret(t.Context(), x, nil, "", By("eva")))
	}
	equal(t, "secrets", len(keys), len(p.secretsOf(t, who.ID)))
	must(t, "RemoveSecret", p.RemoveSecret(t.Context(), storage.SecretPasskey, keys[0], "", By("eva")))
	for i, key := range keys {
		x, found, err := p.Secret(t.Context(), storage.SecretPasskey, key, Start)
		must(t, "Secret", err)
		equal(t, fmt.Sprintf("%q is found", key), i > 0, found)
		if found {
			equal(t, "data", key, string(x.Data))
		}
	}
}

// race runs do so many times at once and gives how many of them succeeded. All others must have failed with this kind and
// code, where one is given.
func race(t *testing.T, want halley.Kind, code string, do func(i int) error) int {
	t.Helper()
	errs := make([]error, 12)
	var group errgroup.Group
	for i := range errs {
		group.Go(func() error {
			errs[i] = do(i)
			return nil
		})
	}
	must(t, "racing", group.Wait())
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantKind(t, "one that came too late", err, want)
		if code != "" {
			wantCode(t, "one that came too late", err, want, code)
		}
	}
	return won
}

func racingRemovals(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	x := storage.Secret{Kind: storage.SecretRecovery, Key: p.name("code"), PersonID: who.ID, At: Start}
	must(t, "SetSecret", p.SetSecret(t.Context(), x, nil, "", By("eva")))
	won := race(t, halley.NotFound, "", func(int) error { return p.RemoveSecret(t.Context(), x.Kind, x.Key, "person.factor", By("eva")) })
	equal(t, "that took it", 1, won)
	equal(t, "audit", []string{"person.add", "person.factor"}, p.whats(t))
}

func racingChanges(t *testing.T, p *plot) {
	who := p.person(t, "eva")
	x := storage.Secret{Kind: storage.SecretTOTP, Key: fmt.Sprint(who.ID), PersonID: who.ID, Data: []byte("was"), At: Start}
	must(t, "SetSecret", p.SetSecret(t.Context(), x, nil, "", By("eva")))
	won := race(t, halley.Conflict, "", func(i int) error {
		y := x
		y.Data = fmt.Append(nil, i)
		return p.SetSecret(t.Context(), y, []byte("was"), "", By("eva"))
	})
	equal(t, "that changed it", 1, won)
}
