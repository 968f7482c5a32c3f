package websensor_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"

	"halley/protocols"
	"halley/protocols/websensor"
)

// BenchmarkDecode decodes a T-line message of about 700 bytes, and a P2520 message, as the acknowledged path does.
func BenchmarkDecode(b *testing.B) {
	p := websensor.New()
	for _, m := range websensor.Models() {
		if m.Name != "T7510" && m.Name != "T6541" && m.Name != "P2520" {
			continue
		}
		up := m.Upload("00000001")
		body, err := p.Encode(&up)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(m.Name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := p.Decode(body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkXMLTokens is what the standard library needs for the tokens of the same T-line message alone.
func BenchmarkXMLTokens(b *testing.B) {
	body := websensor.New().Sample()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		d := xml.NewDecoder(bytes.NewReader(body))
		for {
			if _, err := d.RawToken(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	p := websensor.New()
	up, err := p.Decode(p.Sample())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Encode(&up); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReply(b *testing.B) {
	p := websensor.New()
	up, err := p.Decode(p.Sample())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Reply(&up, protocols.Stored)
	}
}
