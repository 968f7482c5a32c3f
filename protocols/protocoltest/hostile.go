package protocoltest

import (
	"bytes"
	"strings"

	"halley/protocols"
)

// mostPositions bounds at how many places of one body the suite cuts or spoils it; longer bodies are tried in steps.
const mostPositions = 8192

// checkTruncated cuts every golden body at every byte. A cut body is an error, or gives just what the whole gives (what was cut
// is white space at the end). The serial number is there in full or not at all, and from its place in the body on it stays.
func checkTruncated(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	for i, c := range s.cases {
		whole, panicked := decode(p, c.body)
		if panicked != nil {
			r.Errorf("case %s: %v", c.name, panicked)
			continue
		}
		checkCuts(r, p, c, cuts{whole: whole, from: known(s.cases[:i], c.body)})
	}
}

// known gives how many bytes at the beginning of a body some earlier case begins with, too.
func known(earlier []goldenCase, body []byte) int {
	longest := 0
	for _, e := range earlier {
		n := 0
		for n < len(body) && n < len(e.body) && body[n] == e.body[n] {
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

// cuts say how to cut a case: what the whole gives, and from where on (what is before was cut with another case).
type cuts struct {
	whole decoded
	from  int
}

// closing is how many bytes after its serial number a body may need to complete the field ("</passKey>" and the like).
const closing = 32

func checkCuts(r reporter, p protocols.Protocol, c goldenCase, how cuts) {
	r.Helper()
	whole := how.whole
	complete := len(c.body) + 1
	if i := bytes.LastIndex(c.body, []byte(whole.up.Serial)); i >= 0 && whole.up.Serial != "" {
		complete = i + len(whole.up.Serial) + closing
	}
	named := false
	for n := how.from; n < len(c.body); n += 1 + len(c.body)/mostPositions {
		d, panicked := decode(p, c.body[:n])
		if panicked != nil {
			r.Errorf("case %s cut at %d: %v", c.name, n, panicked)
			return
		}
		if err := checkDecoded(p, d, n); err != nil {
			r.Errorf("case %s cut at %d: %v", c.name, n, err)
		}
		if d.err == nil && whole.err == nil {
			if diff := same(whole, d); diff != "" {
				r.Errorf("case %s cut at %d decodes to something else (-whole +cut):\n%s", c.name, n, diff)
			}
		}
		serial := d.up.Serial
		if whole.err == nil && serial != "" && serial != whole.up.Serial {
			r.Errorf("case %s cut at %d names device %q, want %q", c.name, n, serial, whole.up.Serial)
		}
		if serial == "" && whole.up.Serial != "" && (named || n > complete) {
			r.Errorf("case %s cut at %d no longer names device %q", c.name, n, whole.up.Serial)
			return
		}
		named = named || serial != ""
	}
}

// nasty are the bytes that decoders stumble over; each position of a body gets some of them.
var nasty = []byte("\x00\xff<>&\"'\\{}[],:-+.eE0 9\n\xc3\xe2/;#")

// mostSpoiled bounds how many spoiled bodies the suite tries in all, so that many cases make it no slower.
const mostSpoiled = 12_000

// checkSpoiled puts wrong bytes into every golden body, in turns of all that are nasty, at each place or at as many as are
// allowed.
func checkSpoiled(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	total := 0
	for _, c := range s.cases {
		total += len(c.body)
	}
	step := 1 + total/mostSpoiled
	turn := 0
	for i, c := range s.cases {
		body := bytes.Clone(c.body)
		for n := i % step; n < len(body); n += step {
			old := body[n]
			body[n] = nasty[turn%len(nasty)]
			turn++
			d, panicked := decode(p, body)
			if panicked != nil {
				r.Errorf("case %s with %q at %d: %v", c.name, body[n], n, panicked)
			} else if err := checkDecoded(p, d, len(body)); err != nil {
				r.Errorf("case %s with %q at %d: %v\nbody %s", c.name, body[n], n, err, quoted(body))
			}
			body[n] = old
		}
	}
}

// hostileTexts take the place of the names in the golden bodies.
func hostileTexts() []string {
	return []string{
		"a\x00b", "\x00", "\xff\xfe", "\xc3", "\xed\xa0\x80", "a\x01\x1f\x7fb", "a\r\nb", "\u202egnp.exe\u2066", "\u200b\ufeff", "\u0085\u2028",
		"<b>&amp;</b>", "]]>", "&#0;", "&#xD800;", "&#1;", "&#x110000;", `\u0000`, `\ud800`, `\u202e`, `\"`, "'; DROP TABLE message; --", "\u00e9\u0301\U0001F321",
		strings.Repeat("n", 5_000), strings.Repeat("\u20ac", 2_000), strings.Repeat("x", MaxName-1) + "\u20ac",
	}
}

// checkHostileNames puts hostile text into the place of every text that the decoder took from a golden body.
func checkHostileNames(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	tried := map[string]bool{}
	for _, c := range s.cases {
		whole, panicked := decode(p, c.body)
		if panicked != nil {
			continue
		}
		for _, name := range textsOf(&whole) {
			// The same text behind the same bytes was tried with another case.
			before, _, found := bytes.Cut(c.body, []byte(name))
			place := string(before[max(0, len(before)-closing):]) + name
			if !found || tried[place] {
				continue
			}
			tried[place] = true
			for _, text := range hostileTexts() {
				body := bytes.Replace(c.body, []byte(name), []byte(text), 1)
				d, panicked := decode(p, body)
				if panicked != nil {
					r.Errorf("case %s with %q for %q: %v", c.name, cut(text), name, panicked)
				} else if err := checkDecoded(p, d, len(body)); err != nil {
					r.Errorf("case %s with %q for %q: %v", c.name, cut(text), name, err)
				}
			}
		}
	}
}

// textsOf gives the different texts of an upload that are long enough to be found in its body.
func textsOf(d *decoded) []string {
	seen := map[string]bool{"": true}
	var texts []string
	add := func(all ...string) {
		for _, s := range all {
			if !seen[s] {
				seen[s] = true
				texts = append(texts, s)
			}
		}
	}
	add(d.up.Serial, d.up.Name, d.up.CustomerKey.Reveal())
	for i := range d.up.Messages {
		for _, reading := range d.up.Messages[i].Readings {
			add(reading.Name, reading.Quantity, reading.Unit)
		}
	}
	return texts
}

func cut(s string) string {
	const limit = 60
	if len(s) > limit {
		return s[:limit] + "..."
	}
	return s
}

// deep is the depth of the nests that are put into bodies.
const deep = 100_000

// checkDeep nests deeper than any stack, alone and in the place of every value of the first golden body.
func checkDeep(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	nests := [][]byte{
		bytes.Repeat([]byte("["), deep), bytes.Repeat([]byte(`{"a":`), deep), bytes.Repeat([]byte("<a>"), deep),
		append(bytes.Repeat([]byte("["), deep), bytes.Repeat([]byte("]"), deep)...),
		append(bytes.Repeat([]byte("<a>"), deep), bytes.Repeat([]byte("</a>"), deep)...),
	}
	for _, nest := range nests {
		checkBody(r, p, nest)
	}
	body := s.cases[0].body
	places := 0
	for n := range body {
		if !bytes.ContainsRune([]byte(":,[>"), rune(body[n])) || places > 24 {
			continue
		}
		places++
		for _, nest := range nests[3:] {
			spoiled := append(append(bytes.Clone(body[:n+1]), nest...), body[n+1:]...)
			d, panicked := decode(p, spoiled)
			if panicked != nil {
				r.Errorf("a deep nest at %d: %v", n, panicked)
			} else if err := checkDecoded(p, d, len(spoiled)); err != nil {
				r.Errorf("a deep nest at %d: %v", n, err)
			}
		}
	}
}

// checkOversize decodes bodies of a megabyte and more: the server bounds a body, the decoder must bear with what passes.
func checkOversize(r reporter, p protocols.Protocol, s *subject) {
	r.Helper()
	const size = 1 << 20
	body := s.cases[0].body
	for _, filler := range []string{" ", "a", "\x00", `"`} {
		much := bytes.Repeat([]byte(filler), size)
		for _, b := range [][]byte{much, append(bytes.Clone(body), much...), append(bytes.Clone(body[:len(body)/2]), much...)} {
			d, panicked := decode(p, b)
			if panicked != nil {
				r.Errorf("%d times %q: %v", size, filler, panicked)
			} else if err := checkDecoded(p, d, len(b)); err != nil {
				r.Errorf("%d times %q: %v", size, filler, err)
			}
		}
	}
}
