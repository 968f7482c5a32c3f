package websensor

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// event is what both lexers are compared by: a start or end tag by its local name, or a text that is not empty.
type event struct{ Kind, Text string }

// eventsOf reads a document with our lexer.
func eventsOf(doc string) ([]event, string) {
	l := lexer{src: []byte(doc)}
	var events []event
	for {
		kind, err := l.next()
		if err != nil {
			return events, err.Error()
		}
		switch kind {
		case tokenEOF:
			return events, ""
		case tokenStart:
			events = append(events, event{"start", string(l.name())})
		case tokenEnd:
			events = append(events, event{"end", ""})
		case tokenText:
			events = addText(events, l.text)
		}
	}
}

// addText joins texts that follow one another.
func addText(events []event, text []byte) []event {
	if len(text) == 0 {
		return events
	}
	if n := len(events); n > 0 && events[n-1].Kind == "text" {
		events[n-1].Text += string(text)
		return events
	}
	return append(events, event{"text", string(text)})
}

// oracle reads a document with the standard library.
func oracle(doc string) ([]event, error) {
	d := xml.NewDecoder(strings.NewReader(doc))
	var events []event
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			events = append(events, event{"start", token.Name.Local})
		case xml.EndElement:
			events = append(events, event{"end", ""})
		case xml.CharData:
			events = addText(events, token)
		}
	}
}

func TestLexerReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		doc  string
		want []event
	}{
		"empty element":      {"<a/>", []event{{"start", "a"}, {"end", ""}}},
		"blanks in tags":     {"<a  x = '1'\n></a >", []event{{"start", "a"}, {"end", ""}}},
		"prefix":             {"<p:a></p:a>", []event{{"start", "a"}, {"end", ""}}},
		"name beyond ASCII":  {"<žluť/>", []event{{"start", "žluť"}, {"end", ""}}},
		"five references":    {"<a>&lt;&gt;&amp;&apos;&quot;</a>", []event{{"start", "a"}, {"text", `<>&'"`}, {"end", ""}}},
		"numeric references": {"<a>&#65;&#x42;&#x1F321;&#0067;</a>", []event{{"start", "a"}, {"text", "AB🌡C"}, {"end", ""}}},
		"line ends":          {"<a>1\r\n2\r3\n&#13;</a>", []event{{"start", "a"}, {"text", "1\n2\n3\n\r"}, {"end", ""}}},
		"line ends in CDATA": {"<a><![CDATA[1\r\n2\r]]></a>", []event{{"start", "a"}, {"text", "1\n2\n"}, {"end", ""}}},
		"CDATA":              {"<a>1<![CDATA[<b>&amp;]]]]>2</a>", []event{{"start", "a"}, {"text", "1<b>&amp;]]2"}, {"end", ""}}},
		"comment in text":    {"<a>1<!-- <b> & -->2</a>", []event{{"start", "a"}, {"text", "12"}, {"end", ""}}},
		"instruction":        {"<?xml version='1.0'?><?p q?><a/><?z?>", []event{{"start", "a"}, {"end", ""}}},
		"brackets":           {"<a>]] ></a>", []event{{"start", "a"}, {"text", "]] >"}, {"end", ""}}},
		"greater sign":       {"<a b='>'>></a>", []event{{"start", "a"}, {"text", ">"}, {"end", ""}}},
		"quotes in quotes":   {`<a b='"' c="'"/>`, []event{{"start", "a"}, {"end", ""}}},
		"space outside":      {" \n<a/>\t\r\n", []event{{"text", " \n"}, {"start", "a"}, {"end", ""}, {"text", "\t\n"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, why := eventsOf(c.doc)
			if why != "" {
				t.Fatalf("reading %q: %s", c.doc, why)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.doc, diff)
			}
		})
	}
}

func TestLexerRefuses(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]string{
		"":                                "there is no element",
		" ":                               "there is no element",
		"a":                               "there is text outside of the root element",
		"<a/>b":                           "there is text outside of the root element",
		"<a/><![CDATA[b]]>":               "there is text outside of the root element",
		"<a/><b/>":                        "there is a second root element",
		"<a":                              "there is no name after <",
		"<a ":                             "a: the start tag is not closed",
		"<":                               "there is no name after <",
		"<>":                              "there is no name after <",
		"<1/>":                            "there is no name after <",
		"<-a/>":                           "there is no name after <",
		"<:a/>":                           "there is no name after <",
		"<a:/>":                           "there is no name after <",
		"<a:b:c/>":                        "there is no name after <",
		"<a:1/>":                          "there is no name after <",
		"<a\xff/>":                        "there is no name after <",
		"<a>":                             "a: the body ends inside of this element",
		"<a></a":                          "a: another end tag was expected",
		"<a></b>":                         "a: another end tag was expected",
		"<a></A>":                         "a: another end tag was expected",
		"<p:a></q:a>":                     "a: another end tag was expected",
		"<a></>":                          "a: another end tag was expected",
		"<a></a b>":                       "a: the end tag is not closed",
		"</a>":                            "there is an end tag without a start tag",
		"<a b/>":                          "a: an attribute has no value",
		"<a b=1/>":                        "a: an attribute's value is not quoted",
		"<a b='1/>":                       "a: an attribute's value is not closed",
		"<a b='<'/>":                      "a: an attribute's value holds <",
		"<a b='&'/>":                      "a: " + badReference,
		"<a b='1' b='2'/>":                "a: an attribute comes twice",
		"<a b='1'c='2'/>":                 "a: the start tag is not closed",
		"<a/ >":                           "a: the start tag is not closed",
		"<a>&</a>":                        "a: " + badReference,
		"<a>&;</a>":                       "a: " + badReference,
		"<a>&nbsp;</a>":                   "a: " + badReference,
		"<a>&#;</a>":                      "a: " + badReference,
		"<a>&#x;</a>":                     "a: " + badReference,
		"<a>&#0;</a>":                     "a: " + badReference,
		"<a>&#xD800;</a>":                 "a: " + badReference,
		"<a>&#x110000;</a>":               "a: " + badReference,
		"<a>&#-5;</a>":                    "a: " + badReference,
		"<a>&#X41;</a>":                   "a: " + badReference,
		"<a>&amp</a>":                     "a: " + badReference,
		"<a>]]></a>":                      "a: the text holds ]]>",
		"<a><![CDATA[</a>":                "a: a CDATA section is not closed",
		"<a><!--</a>":                     "a: a comment is not closed",
		"<a><!-- -- --></a>":              "a: a comment holds --",
		"<a><!--a---></a>":                "a: a comment holds --",
		"<a><!ELEMENT a></a>":             "a: there is something unknown after <!",
		"<!DOCTYPE a><a/>":                "a document type definition is not accepted",
		"<? x?><a/>":                      "there is no name after <?",
		"<?x <a/>":                        "a processing instruction is not closed",
		"<?x=?><a/>":                      "a processing instruction is not closed",
		"<a/><?xml version='1.0'?>":       "the XML declaration is not at the beginning",
		strings.Repeat("<a>", 33):         "a: the elements are nested too deeply",
		"<a " + manyAttributes(33) + "/>": "a: there are too many attributes",
	} {
		if _, got := eventsOf(doc); got != want {
			t.Errorf("%.60q gives %q, want %q", doc, got, want)
		}
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("x", i) + "=''")
	}
	return b.String()
}

func TestLexerReadsToItsBounds(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth),
		"<a " + manyAttributes(maxAttributes) + "/>",
	} {
		if _, why := eventsOf(doc); why != "" {
			t.Errorf("%.60q gives %q", doc, why)
		}
	}
}

// TestLexerErrorPlaces holds the place of an error to the byte.
func TestLexerErrorPlaces(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]int{
		"<a>12&x;3</a>": 5, "<a></b>": 3, "<a>": 3, "<a/> b": 5, "<a b='1' b='2'/>": 10, "<a><b></c></a>": 6, "<a>12]]>": 5,
	} {
		l := lexer{src: []byte(doc)}
		for {
			kind, err := l.next()
			if err != nil {
				if err.At != want {
					t.Errorf("%q fails at %d, want %d", doc, err.At, want)
				}
				break
			}
			if kind == tokenEOF {
				t.Errorf("%q is read", doc)
				break
			}
		}
	}
}

func TestLexerReadsAsTheStandardLibrary(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/cases/*/request.body")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	both := 0
	for _, path := range paths {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		both += compareWithOracle(t, string(body))
	}
	if both < len(paths)/2 {
		t.Errorf("only %d of %d cases were read by both", both, len(paths))
	}
}

// compareWithOracle compares both readings of a document that both accept. It returns 1 where they do.
func compareWithOracle(t *testing.T, doc string) int {
	t.Helper()
	want, err := oracle(doc)
	if err != nil {
		return 0
	}
	got, why := eventsOf(doc)
	if why != "" {
		return 0
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q reads differently (-standard library +ours):\n%s", doc, diff)
	}
	return 1
}

// FuzzLexer holds our lexer against the standard library's.
func FuzzLexer(f *testing.F) {
	f.Add(sample)
	for _, doc := range []string{
		"<a b='&lt;'>1&#x34;<![CDATA[\r\n]]>\r<!-- - --></a>", "<p:a xmlns:p='u'><?x y?>]]&gt;</p:a >", "<a>\xc5\xbe</a>", "<ž/>",
	} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) { compareWithOracle(t, doc) })
}

func TestManyPiecesOfTextTakeNoQuadraticTime(t *testing.T) {
	t.Parallel()
	doc := []byte("<a>" + strings.Repeat("x<!---->", 100_000) + "</a>")
	l := lexer{src: doc}
	if _, err := l.next(); err != nil {
		t.Fatal(err)
	}
	text, err := l.leaf()
	if err != nil {
		t.Fatal(err)
	}
	if want := bytes.Repeat([]byte("x"), longestJoined); !bytes.Equal(text, want) {
		t.Errorf("joined text has %d bytes, want %d", len(text), len(want))
	}
}
