package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"time"

	"filippo.io/age"

	"halley/config"
	"halley/server/backup"
	"halley/storage"
)

func restoreCommand() *command {
	return &command{
		name:    "restore",
		summary: "make a new server of a backup, in a new folder",
		about: "Takes the newest backup of the place, or the one that is named. Everything is checked before it is put in place; where\n" +
			"something is wrong nothing is there. The restored server goes by a new name and signs with a new key. What the journal\n" +
			"holds beyond the database is recorded at the first start. The old configuration lies in restored/ in the new folder.\n\n" +
			"With --until the state of an earlier instant is restored, as far as the journals in the backups reach.\n" +
			"With --journal what the old server's journal holds beyond the backup is restored too.",
		example: "halley restore --from /mnt/backup/halley --data /var/lib/halley-new --identity /media/usb/halley-backup.key",
		prepare: prepareRestore,
	}
}

// restoreWish is what the options of halley restore say.
type restoreWish struct {
	from, of, identity, until, journal string
}

func prepareRestore(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "node", "store"})
	var w restoreWish
	fs.StringVar(&w.from, "from", "", "where the backups are, a `FOLDER`, one backup in it, or s3://BUCKET/PREFIX")
	fs.StringVar(&w.of, "of", "", "the `NAME` of the server that wrote the backup, where several did")
	fs.StringVar(&w.identity, "identity", "", "a `FILE` with the private key that opens the backup")
	fs.StringVar(&w.until, "until", "", "restore the state of this `TIME`, such as 2026-11-20T14:00:00Z")
	fs.StringVar(&w.journal, "journal", "", "the `DIR` with the old server's journal, where it is still at hand")
	return func(ctx context.Context, io streams, _ []string) error {
		if w.from == "" {
			return misuse("--from is missing")
		}
		if !st.names("data") {
			return misuse("--data is missing: name a new folder")
		}
		c, err := st.load(io)
		if err != nil {
			return err
		}
		o, err := restoreOptions(io, c, st, &w)
		if err != nil {
			return err
		}
		r, err := backup.Restore(ctx, o)
		if err != nil {
			return err
		}
		return tellRestored(io, c, &r)
	}
}

// underRestoredName gives a server whose data folder was restored its new name, where the configuration has the old server's or none.
// A name that is written there and is neither counts.
func underRestoredName(c config.Config, host string) (config.Config, error) {
	origin, found, err := backup.OriginOf(c.Data)
	if err != nil || !found {
		return c, err
	}
	machine, err := config.Load(config.Sources{HostName: host})
	if err != nil {
		return config.Config{}, err
	}
	if c.Node == origin.OldNode || c.Node == machine.Node {
		c.Node = origin.Node
	}
	return c, nil
}

// names says that the command line names a setting.
func (st *settings) names(key string) bool {
	for _, f := range st.flags {
		if f.Key == key {
			return true
		}
	}
	return false
}

func restoreOptions(io streams, c config.Config, st *settings, w *restoreWish) (backup.RestoreOptions, error) {
	log, err := commandLog(io.err, c.Log.Level)
	if err != nil {
		return backup.RestoreOptions{}, err
	}
	if st.names("store.dsn") {
		c.Backup.SQLServerDSN = "" // it is the login of the old database
	}
	from, err := backup.OpenTarget(backup.Place{At: w.from, S3: s3Options(c.Backup)})
	if err != nil {
		return backup.RestoreOptions{}, err
	}
	o := backup.RestoreOptions{
		From: from, Choice: backup.Choice{Node: w.of}, Data: c.Data, Journal: w.journal,
		Store: backupEngine(c, log), Actor: change("").Actor,
	}
	if st.names("node") {
		o.Node = c.Node
	}
	if c.Store.DSN != "" {
		o.OpenShared = func(ctx context.Context) (storage.Store, error) { return openStore(ctx, c, log) }
	}
	if w.until != "" {
		if o.Choice.Until, err = time.Parse(time.RFC3339, w.until); err != nil {
			return backup.RestoreOptions{}, misuse("--until is an instant such as 2026-11-20T14:00:00Z or 2026-11-20T15:00:00+01:00; %q is none", w.until)
		}
	}
	if w.identity != "" {
		var keys []age.Identity
		if keys, err = backup.ReadKeys(w.identity); err != nil {
			return backup.RestoreOptions{}, err
		}
		o.Identities = keys
	}
	return o, nil
}

func tellRestored(io streams, c config.Config, r *backup.Restored) error {
	m := &r.Manifest
	fmt.Fprintf(io.out, "restored %s to %s\nserver name: %s (it was %s)\ndatabase: %d samples, the journal recorded up to entry %d\n",
		m.Name, c.Data, r.Node, m.Node, r.Samples, r.Recorded)
	if r.JournalFrom != "" {
		fmt.Fprintf(io.out, "the journal is that of the later backup %s\n", r.JournalFrom)
	}
	if r.Last > 0 {
		fmt.Fprintf(io.out, "journal: entries up to %d, received until %s; %d of them are recorded at the first start\n",
			r.Last, r.LastAt, r.Last-min(r.Recorded, r.Last))
	}
	if r.Aside != "" {
		fmt.Fprintf(io.out, "what was received later is not in it; it lies in %s\n", filepath.Join(c.Data, r.Aside))
	}
	_, err := fmt.Fprintf(io.out, "the old configuration lies in %s; start the server with: halley serve --data %s\n",
		filepath.Join(c.Data, backup.RestoredFolder), c.Data)
	return err
}
