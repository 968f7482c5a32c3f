package evidence

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"halley"
)

// The names of the files that others name.
const (
	reportFile    = "report.html"
	manifestFile  = "manifest.json"
	signatureFile = "manifest.signature.json"
)

// manifestFormat begins what is signed, so that nothing else that the key signs can be taken for it.
const manifestFormat = "halley-evidence-manifest-1"

// bundle is the ZIP while it is written.
type bundle struct {
	zip   *zip.Writer
	at    halley.Millis
	files []bundledFile
}

// bundledFile is a file of the ZIP as the manifest lists it.
type bundledFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// digested counts and digests what is written.
type digested struct {
	to    io.Writer
	sum   hash.Hash
	bytes int64
}

// Write writes and counts.
func (d *digested) Write(p []byte) (int, error) {
	n, err := d.to.Write(p)
	_, _ = d.sum.Write(p[:n]) // never fails
	d.bytes += int64(n)
	return n, err
}

// file writes one file.
func (b *bundle) file(name string, write func(io.Writer) error) error {
	to, err := b.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: b.at.Time()})
	if err != nil {
		return fmt.Errorf("beginning %s: %w", name, err)
	}
	d := &digested{to: to, sum: sha256.New()}
	if err := write(d); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	b.files = append(b.files, bundledFile{Name: name, Bytes: d.bytes, SHA256: hex.EncodeToString(d.sum.Sum(nil))})
	return nil
}

// table writes a file of CSV.
func (b *bundle) table(name string, header []string, rows func(add func(...string))) error {
	return b.file(name, func(w io.Writer) error {
		c := csv.NewWriter(w)
		err := c.Write(header)
		rows(func(fields ...string) {
			if err == nil {
				err = c.Write(fields)
			}
		})
		c.Flush()
		if err != nil {
			return err
		}
		return c.Error()
	})
}

// Write writes the ZIP. It may be called once.
func (e *Evidence) Write(ctx context.Context, w io.Writer) error {
	b := &bundle{zip: zip.NewWriter(w), at: e.req.At}
	for _, step := range []func(context.Context, *bundle) error{
		e.writeSamples, e.writeMessages, e.writeFigures, e.writeTables, e.writeReport, e.writeManifest,
	} {
		if err := step(ctx, b); err != nil {
			return err
		}
	}
	if err := b.zip.Close(); err != nil {
		return fmt.Errorf("ending the file: %w", err)
	}
	return nil
}

// manifest lists the files.
type manifest struct {
	Format    string        `json:"format"`
	PlaceID   int64         `json:"place_id"`
	Place     string        `json:"place"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	MadeAt    string        `json:"made_at"`
	MadeBy    string        `json:"made_by"`
	Node      string        `json:"node"`
	Version   string        `json:"version"`
	Simulated bool          `json:"contains_simulated_data"`
	Files     []bundledFile `json:"files"`
}

// signed is the file with the signature over the manifest's bytes.
type signed struct {
	Algorithm string `json:"algorithm"`
	KeyID     string `json:"key_id"`
	PublicKey string `json:"public_key"`
	Signature string `json:"signature"`
}

// writeManifest writes the list of all files before it and, where there is a key, its signature.
func (e *Evidence) writeManifest(_ context.Context, b *bundle) error {
	text, err := json.MarshalIndent(manifest{
		Format: manifestFormat, PlaceID: int64(e.req.Place), Place: e.place, From: e.req.From.String(), To: e.req.To.String(),
		MadeAt: e.req.At.String(), MadeBy: e.madeBy(), Node: e.opts.Node, Version: e.opts.Version, Simulated: e.simulated,
		Files: b.files,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("listing the files: %w", err)
	}
	text = append(text, '\n')
	if err := b.file(manifestFile, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return err
	}
	if e.opts.Sign == nil {
		return nil
	}
	s, err := e.opts.Sign(text)
	if err != nil {
		return fmt.Errorf("signing the list of files: %w", err)
	}
	base64Of := base64.StdEncoding.EncodeToString
	return b.file(signatureFile, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(signed{Algorithm: "Ed25519", KeyID: s.KeyID, PublicKey: base64Of(s.Public), Signature: base64Of(s.Signature)})
	})
}

// madeBy says who asked for the file.
func (e *Evidence) madeBy() string { return actorWords(e.req.By) }

// actorWords says who did something.
func actorWords(a halley.Actor) string {
	switch a.Kind {
	case "session":
		return plain(a.Name)
	case "":
		return "not known"
	}
	return plain(a.Name) + " (" + plain(a.Kind) + ")"
}
