package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"halley"
	"halley/storage"
)

func unicodeTests() []test {
	return []test{
		{"serial numbers that look alike are devices of their own", alikeSerials},
		{"quantities and units that look alike are channels of their own", alikeUnits},
		{"names that look alike stay as they are", alikeNames},
		{"families and states are found exactly", exactFilters},
		{"texts are counted in UTF-16 units", textLengths},
		{"token names that look alike are tokens of their own", alikeTokens},
		{"sessions that look alike are sessions of their own", alikeSessions},
		{"hostile and foreign texts come back as they were", texts},
	}
}

// alike are texts that one collation or another takes for the same: by case, accent, width, kana, expansion, normal form,
// trailing blanks, or because it gives a character no weight.
func alike() []string {
	return []string{
		"a1", "A1", "á1", "a\u03011", "å1", "ａ1", "a１", "a1 ", "a1  ", " a1", "a1\u00a0", "a1\t", "a1\u200b", "a\u200d1", "a1\ufeff",
		"a¹", "ss", "ß", "ẞ", "SS", "i", "I", "ı", "İ", "i\u0307", "ae", "æ", "fi", "ﬁ", "か", "カ", "ｶ", "が", "か\u3099", "ﾊﾟ", "パ",
		"🥶", "🥵", "🥶\ufe0f", "\U00020000", "\U00020001", "אב", "\u202eab", "ab", "a-b", "a\u00adb", "a_b", "ａ＿ｂ", "\u2126", "\u03a9", "\u00b5", "\u03bc",
		"\ue000", "\ufffd", "\U0010ffff", "%", "_", "[a]1", "'", "''", "\"", "\\", "\r\n", "\n", "\x01", "\x1f", "\x7f", "NULL", "null",
	}
}

// foreignTexts are alike, and what else has broken programs.
func foreignTexts() []string {
	return append(alike(), "Kühlraum №3 🥶", "'; DROP TABLE message; --", "\u202etfel", "<script>", "a\tb", `"quoted" @named ?1 %s`,
		"  blanks  ", "a,b;c|d", "{\"a\":1}", "N'x'", "x\u2028y", "e\u0301\u0302\u0303")
}

func alikeSerials(t *testing.T, p *plot) {
	f := p.feed()
	list := alike()
	uploads := func() []storage.Upload {
		var uploads []storage.Upload
		for i, serial := range list {
			d := WiFi(serial, 1)
			uploads = append(uploads, d.Upload(0, d.Message(Start, float64(i))))
		}
		return uploads
	}
	got := f.Append(t, uploads()...)
	equal(t, "in one batch", storage.Appended{Messages: len(list), Samples: len(list), DevicesChanged: true}, got)
	equal(t, "again", storage.Appended{Duplicates: len(list)}, f.Append(t, uploads()...))
	p.reopen(t)
	equal(t, "after opening again", storage.Appended{Duplicates: len(list)}, f.Append(t, uploads()...))
	serials := []string{}
	for _, d := range p.devices(t) {
		serials = append(serials, d.Serial)
	}
	slices.Sort(serials)
	equal(t, "serial numbers", slices.Sorted(slices.Values(list)), serials)
	for i, serial := range list {
		d := DeviceOf(t, p, serial)
		equal(t, "serial number", serial, d.Serial)
		channels := ChannelsOf(t, p, serial)
		equal(t, "the value of "+fmt.Sprintf("%q", serial), []float64{float64(i)}, values(SamplesOf(t, p, channels[0].ID)))
		_, err := p.Register(t.Context(), halley.DeviceKey{Family: halley.WiFi, Serial: serial}, "", By("eva"))
		wantKind(t, "Register of one that is there", err, halley.Conflict)
	}
	for _, serial := range []string{"b1", "A1 ", "ａ１", "sS", "A_B", "a1\u2003"} {
		found, err := p.Devices(t.Context(), storage.DeviceFilter{Serial: serial})
		must(t, "Devices", err)
		equal(t, fmt.Sprintf("devices of %q", serial), []halley.Device{}, found)
	}
}

// alikeUnits has one message whose readings differ only in how their quantities and units are written.
func alikeUnits(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 0)
	units := []string{"°C", "℃", "°c", "° C", "°C ", "ºC", "°Ｃ", "°F", "", " "}
	for _, text := range units {
		d.Channels = append(d.Channels,
			halley.Reading{Number: 1, Quantity: halley.Temperature, Unit: text}, halley.Reading{Number: 1, Quantity: text, Unit: "°C"})
	}
	m := d.Message(Start, 0)
	n := len(d.Channels)
	equal(t, "stored", storage.Appended{Messages: 1, Samples: n, DevicesChanged: true}, f.Append(t, d.Upload(0, m)))
	equal(t, "again", storage.Appended{Duplicates: 1}, f.Append(t, d.Upload(0, m)))
	p.reopen(t)
	equal(t, "the next one", storage.Appended{Messages: 1, Samples: n}, f.Append(t, d.Upload(0, d.Message(Start+halley.Minute, 100))))
	list := ChannelsOf(t, p, p.serial(1))
	equal(t, "channels", n, len(list))
	for i, ch := range list {
		r := d.Channels[i]
		equal(t, "quantity and unit", []string{r.Quantity, r.Unit}, []string{ch.Quantity, ch.Unit})
		equal(t, "values", []float64{float64(i), 100 + float64(i)}, values(SamplesOf(t, p, ch.ID)))
	}
	d.Channels = d.Channels[2:4]
	d.Channels[0].Unit = "℃ "
	equal(t, "a unit that is new by a blank", true, f.Append(t, d.Upload(0, d.Message(Start+2*halley.Minute, 0))).DevicesChanged)
	equal(t, "channels with it", n+1, len(ChannelsOf(t, p, p.serial(1))))
}

func alikeNames(t *testing.T, p *plot) {
	f, d := p.feed(), WiFi(p.serial(1), 1)
	last := version(t, p)
	// Each differs from the one before it in what a collation may overlook: the change must not get lost.
	for i, text := range []string{"kühl", "Kühl", "Kuhl", "Kuhl ", "Ｋuhl", "Ku\u0308hl", "Kühl"} {
		d.Name, d.Model, d.Channels[0].Name = text, text, text
		got := f.Append(t, d.Upload(0, d.Message(Start+halley.Millis(i)*halley.Minute, 20)))
		equal(t, "a change to "+text, true, got.DevicesChanged)
		dev, ch := DeviceOf(t, p, p.serial(1)), ChannelsOf(t, p, p.serial(1))[0]
		equal(t, "names", []string{text, text, text}, []string{dev.Name, dev.Model, ch.Name})
	}
	for _, text := range []string{"kühl", "Kühl", "Kuhl", "Kuhl ", "Ｋuhl", "Ku\u0308hl"} {
		got, err := p.ChangeDevice(t.Context(), p.device(t, 1), storage.DeviceUpdate{Name: &text}, By("eva"))
		must(t, "ChangeDevice", err)
		equal(t, "the name that a person gave", text, got.Name)
		now := version(t, p)
		if now <= last {
			t.Errorf("renaming to %q left the version at %d", text, now)
		}
		last = now
	}
	equal(t, "acts", 7, len(p.acts(t)))
}

func exactFilters(t *testing.T, p *plot) {
	d := WiFi(p.serial(1), 1)
	p.feed().Append(t, d.Upload(0, d.Message(Start, 20)))
	for _, f := range []storage.DeviceFilter{
		{Family: "WiFi"}, {Family: "wifi "}, {Family: "ｗifi"}, {State: "Accepted"}, {State: "accepted "}, {Family: "wi_i"}, {Family: "%"},
	} {
		list, err := p.Devices(t.Context(), f)
		must(t, "Devices", err)
		equal(t, fmt.Sprintf("devices of %+v", f), []halley.Device{}, list)
	}
}

func textLengths(t *testing.T, p *plot) {
	f := p.feed()
	for name, c := range map[string]struct {
		serial, text string
		fits         bool
	}{
		"32 and 200 letters":              {"s" + strings.Repeat("é", 31), strings.Repeat("é", 200), true},
		"33 letters of a serial number":   {"s" + strings.Repeat("é", 32), "a", false},
		"201 letters":                     {p.serial(1), strings.Repeat("é", 201), false},
		"16 and 100 surrogate pairs":      {strings.Repeat("🥶", 16), strings.Repeat("🥶", 100), true},
		"17 surrogate pairs":              {strings.Repeat("🥶", 17), "a", false},
		"101 surrogate pairs":             {p.serial(1), strings.Repeat("🥶", 101), false},
		"100 surrogate pairs and a blank": {p.serial(1), strings.Repeat("🥶", 100) + " ", false},
		"blanks alone":                    {strings.Repeat(" ", 32), strings.Repeat(" ", 200), true},
	} {
		d := WiFi(c.serial, 1)
		d.Name, d.Model = c.text, c.text
		r := &d.Channels[0]
		r.Name, r.Quantity, r.Unit = c.text, c.text, c.text
		b := f.Batch(d.Upload(0, d.Message(Start, 20)))
		_, err := p.Append(t.Context(), b)
		if !c.fits {
			wantEntry(t, name, err, b.Uploads[0].Seq)
			continue
		}
		must(t, name, err)
		dev, ch := DeviceOf(t, p, c.serial), ChannelsOf(t, p, c.serial)[0]
		equal(t, name, []string{c.serial, c.text, c.text, c.text, c.text, c.text},
			[]string{dev.Serial, dev.Name, dev.Model, ch.Name, ch.Quantity, ch.Unit})
	}
}

func alikeTokens(t *testing.T, p *plot) {
	names := []string{"grafana", "Grafana", "grafana ", "gräfana", "gra\u0308fana", "ｇrafana"}
	for i, name := range names {
		_, err := p.CreateToken(t.Context(), storage.Token{Name: name, Hash: p.hash(byte(i)), Role: halley.Reader}, By("eva"))
		must(t, fmt.Sprintf("CreateToken(%q)", name), err)
		_, err = p.CreateToken(t.Context(), storage.Token{Name: name, Hash: p.hash(100), Role: halley.Reader}, By("eva"))
		wantKind(t, fmt.Sprintf("CreateToken(%q) again", name), err, halley.Conflict)
	}
	wantKind(t, "RevokeToken of another case", p.RevokeToken(t.Context(), "GRAFANA", By("eva")), halley.NotFound)
	wantKind(t, "RevokeToken of more blanks", p.RevokeToken(t.Context(), "grafana  ", By("eva")), halley.NotFound)
	must(t, "RevokeToken", p.RevokeToken(t.Context(), names[2], By("eva")))
	for i, name := range names {
		got, err := p.Token(t.Context(), p.hash(byte(i)))
		if i == 2 {
			wantKind(t, "Token that was revoked", err, halley.NotFound)
			continue
		}
		must(t, "Token", err)
		equal(t, "name", name, got.Name)
	}
}

func alikeSessions(t *testing.T, p *plot) {
	// The program makes them, without blanks.
	names := []string{"abc", "ABC", "abc_", "ábc"}
	for _, name := range names {
		must(t, "SaveSession", p.SaveSession(t.Context(), storage.Session{Hash: name, Data: []byte(name), ExpiresAt: Start + halley.Day}))
	}
	must(t, "DeleteSession", p.DeleteSession(t.Context(), "abc_"))
	for _, name := range names {
		data, found, err := p.Session(t.Context(), name, Start)
		must(t, "Session", err)
		equal(t, "found", name != "abc_", found)
		if found {
			equal(t, "data", name, string(data))
		}
	}
}

func texts(t *testing.T, p *plot) {
	var uploads []storage.Upload
	for i, text := range foreignTexts() {
		d := WiFi(p.serial(i), 1)
		d.Name, d.Model = text, text
		d.Channels[0].Name, d.Channels[0].Quantity, d.Channels[0].Unit = text, text, text
		uploads = append(uploads, d.Upload(0, d.Message(Start, 20)))
	}
	p.feed().Append(t, uploads...)
	for i, text := range foreignTexts() {
		dev, ch := DeviceOf(t, p, p.serial(i)), ChannelsOf(t, p, p.serial(i))[0]
		equal(t, "texts", []string{text, text, text, text, text}, []string{dev.Name, dev.Model, ch.Name, ch.Quantity, ch.Unit})
	}
}
