package websensor

import (
	"strings"
	"testing"
)

func TestDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		value    float64
		decimals int
	}{
		"0": {0, 0}, "23.4": {23.4, 1}, "-9999.00": {-9999, 2}, "+5": {5, 0}, "5.": {5, 0}, ".5": {.5, 1}, "007.10": {7.1, 2},
		"1e3": {1000, 0}, "1.25E-2": {.0125, 2}, "0.12345678901234": {0.12345678901234, 10}, "1e-999": {0, 0},
	} {
		value, decimals, ok := decimal([]byte(text))
		if !ok || value != want.value || decimals != want.decimals {
			t.Errorf("decimal(%q) = %v, %d, %v, want %v, %d", text, value, decimals, ok, want.value, want.decimals)
		}
	}
	for _, text := range []string{
		"", ".", "-", "+-1", "1,5", "1 5", "0x10", "1_000", "inf", "-Inf", "NaN", "1e", "1e+", "1e5.5", "1.2.3", "n/a", "1e999", "٣",
		strings.Repeat("1", 65),
	} {
		if value, _, ok := decimal([]byte(text)); ok {
			t.Errorf("decimal(%q) = %v, want none", text, value)
		}
	}
}

func TestSingles(t *testing.T) {
	t.Parallel()
	// The first two are the examples of manual IE-SNC-P2520-02, page 22.
	for text, want := range map[string]float64{
		"00005040": 3.25, "00009041": 18, "6666A241": 20.3, "6666a241": 20.3, "00000080": 0, "FFFF7F7F": 3.4028235e38, "01000000": 1e-45,
	} {
		single, ok := singleOf([]byte(text))
		if got := shortest(single); !ok || got != want {
			t.Errorf("%s is %v, %v, want %v", text, got, ok, want)
		}
		if back := singleText(want); want != 0 && !strings.EqualFold(back, text) {
			t.Errorf("singleText(%v) = %s, want %s", want, back, text)
		}
	}
	for _, text := range []string{"", "0000504", "000050400", "0000504G", "0x005040"} {
		if single, ok := singleOf([]byte(text)); ok {
			t.Errorf("%q is %v, want none", text, single)
		}
	}
}

func TestDiffer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		printed, exact float64
		decimals       int
		want           bool
	}{
		{3.25, 3.25, 2, false},
		{3.3, 3.25, 1, false},
		{3.2, 3.25, 1, false},
		{3.4, 3.25, 1, true},
		{20.3, 20.299999, 1, false},
		{1234567, 1234567.1, 0, false},
		{0, 0.6, 0, true},
		{-18, 18, 1, true},
	} {
		if got := differ(c.printed, c.exact, c.decimals); got != c.want {
			t.Errorf("differ(%v, %v, %d) = %v, want %v", c.printed, c.exact, c.decimals, got, c.want)
		}
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"plain", 5, "plain"},
		{"plain", 4, "plai"},
		{"°C", 3, "°C"},
		{"°C", 2, "°"},
		{"°C", 1, ""},
		{"a\x00b", 9, "a\uFFFDb"},
		{"a\xffb", 9, "a\uFFFDb"},
		{"a\xff", 3, "a"},
		{"\u202ex\x01", 9, "\u202ex\x01"},
		{strings.Repeat("€", 99), 10, "€€€"},
	} {
		if got := clean([]byte(c.text), c.limit); got != c.want {
			t.Errorf("clean(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func TestErrorNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint8{"Err1": 1, "error 53": 53, "ERROR\t255": 255, "err 0": 0} {
		if got, ok := errorNumber([]byte(text)); !ok || got != want {
			t.Errorf("errorNumber(%q) = %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "err", "error", "error 256", "error -1", "error x", "mirror 1", "5"} {
		if got, ok := errorNumber([]byte(text)); ok {
			t.Errorf("errorNumber(%q) = %d, want none", text, got)
		}
	}
}

func TestSalvagedSerial(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"& <sn> 09960555\n</sn>":                   "09960555",
		"& <passKey>14960123</passKey>":            "14960123",
		"<passKey></passKey><sn>1</sn>":            "",
		"<sn>1<!-- --></sn>":                       "",
		"<sn>1&amp;</sn>":                          "",
		"<sn>0996":                                 "",
		"<sn>09960555</":                           "",
		"<sn>" + strings.Repeat("1", 33) + "</sn>": "",
		"<sn>\xff</sn>":                            "",
	} {
		if got := salvagedSerial([]byte(body)); got != want {
			t.Errorf("salvagedSerial(%q) = %q, want %q", body, got, want)
		}
	}
}

func TestCharsets(t *testing.T) {
	t.Parallel()
	for declaration, want := range map[string]string{
		`<?xml version="1.0" encoding="iso-8859-1"?>`:      "\u00B1",
		`<?xml version="1.0" encoding='ISO-8859-2' ?>`:     "\u0105",
		` <?xml version="1.0" encoding = "windows-1251"?>`: "\u00B1",
		`<?xml version="1.0" encoding="iso-8859-5"?>`:      "\u0411",
		`<?xml version="1.0" encoding="utf-8"?>`:           "\xB1",
		`<?xml version="1.0"?>`:                            "\xB1",
		``:                                                 "\xB1",
	} {
		body := declaration + "\xB1"
		text, _, err := utf8Body([]byte(body))
		if err != nil || string(text) != declaration+want {
			t.Errorf("%s gives %q, %v, want %q", declaration, text, err, want)
		}
	}
	for _, declaration := range []string{`<?xml encoding="utf-16"?>`, `<?xml encoding="iso-8859-99"?>`, `<?xml encoding="windows-"?>`} {
		if _, _, err := utf8Body([]byte(declaration + "\xB1")); err == nil {
			t.Errorf("%s is accepted", declaration)
		}
	}
	ascii := `<?xml encoding="koi7"?>A`
	if text, _, err := utf8Body([]byte(ascii)); err != nil || string(text) != ascii {
		t.Errorf("plain ASCII of an unknown character set gives %q, %v", text, err)
	}
	text, skipped, err := utf8Body([]byte("\xEF\xBB\xBF<?xml encoding=\"windows-1250\"?>ž"))
	if err != nil || skipped != 3 || !strings.HasSuffix(string(text), "ž") {
		t.Errorf("a byte order mark does not outdo the declaration: %q, %d, %v", text, skipped, err)
	}
}
