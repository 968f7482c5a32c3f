package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"

	"halley"
	"halley/cmd/halley/internal/transfer"
	"halley/storage/ledger/export"
)

func exportCommand() *command {
	return &command{
		name:    "export",
		summary: "write samples, ledger and checkpoints to a folder that anybody can check",
		about: "Writes plain files: samples as CSV, a file a UTC day; settings and the audit trail; the ledger with its checkpoints.\n" +
			"No secret is in them. Whoever gets the folder checks it with halley-verify and the public key of this server\n" +
			"(ledger-NODE.pub in its keys folder), which should reach them another way. docs/ledger.md describes the files.\n" +
			"Works beside a running server.",
		example: "halley export --data /var/lib/halley --out /media/usb/export --from 2026-01-01 --to 2026-07-01",
		prepare: prepareExport,
	}
}

func prepareExport(fs *flag.FlagSet) action {
	st := addSettings(fs, dataAndStore)
	out := fs.String("out", "", "the `FOLDER` to write; it is made, and must be empty where it is there")
	from := fs.String("from", "", "write the samples from this UTC `DATE` on, such as 2026-01-01 (default the first)")
	to := fs.String("to", "", "write the samples before this UTC `DATE` (default all)")
	return func(ctx context.Context, io streams, _ []string) error {
		if *out == "" {
			return misuse("--out is missing")
		}
		first, end, err := dayRange(*from, *to)
		if err != nil {
			return err
		}
		return withStore(ctx, st, io, func(o opened) error {
			return writeExport(ctx, io, o, export.Options{Folder: *out, From: first, To: end})
		})
	}
}

// writeExport writes an export and notes it in the audit trail.
func writeExport(ctx context.Context, io streams, o opened, e export.Options) error {
	ch := change("")
	bar := newBar(io.err)
	e.Source, e.Version, e.MadeAt = o.store, version, ch.At
	e.Tell = func(done, total int64) { bar.tell(transfer.Progress{Step: "writing days", Done: done, Total: total}) }
	m, err := export.Write(ctx, e)
	bar.end()
	if err != nil {
		return err
	}
	what, err := json.Marshal(map[string]any{"from": m.From, "to": m.To, "samples": m.Samples, "batches": m.Batches, "folder": filepath.Base(e.Folder)})
	if err != nil {
		return fmt.Errorf("describing the export: %w", err)
	}
	if err := o.store.NoteAudit(ctx, halley.AuditEntry{Change: ch, What: "export.write", On: "export", New: string(what)}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(io.out, "written to %s: %d samples in %d messages, %d batches, %d checkpoints\n"+
		"Give the public key another way; halley-verify %s --key FILE checks it\n", e.Folder, m.Samples, m.Messages, m.Batches, m.Checkpoints,
		e.Folder)
	return err
}
