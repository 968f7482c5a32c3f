package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"halley"
	"halley/config"
	"halley/server/backup"
	"halley/storage"
	"halley/storage/sqlite"
)

func backupCommand() *command {
	return &command{
		name:    "backup",
		summary: "back up this server, and prove that it can be restored",
		about: "Writes the database, the journal, the configuration and the keys to each place, whether the server runs or not.\n" +
			"Without --to it goes where [backup] to says. The private keys that sign the ledger are never in a backup.\n" +
			"With [backup] recipients it is encrypted to these; else whoever can read the folder can read everything.",
		example: "halley backup --data /var/lib/halley --to /mnt/backup/halley",
		prepare: prepareBackup,
		commands: []*command{
			{
				name:    "drill",
				summary: "restore the newest backup for trial, verify it and remove it again",
				about: "Nothing of the running server is touched. The result is kept and shown: \"restore proven on ...\". An encrypted backup\n" +
					"needs the drill key, or --identity with a file that opens it.",
				example: "halley backup drill --data /var/lib/halley",
				prepare: prepareDrill,
			},
			{
				name:      "key",
				arguments: "FILE",
				summary:   "make a pair of keys for encrypted backups",
				about: "Writes the private key to a file that is not there yet, such as one on a USB stick, and prints the public one for\n" +
					"[backup] recipients. Without the private key nobody can open the backups: keep two copies, apart from the server.",
				example: "halley backup key /media/usb/halley-backup.key",
				prepare: prepareBackupKey,
			},
		},
	}
}

func prepareBackup(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "node", "store"})
	to := placesFlag(fs, "to", "where to, a `FOLDER` or s3://BUCKET/PREFIX; may be given again (default [backup] to)")
	return func(ctx context.Context, io streams, _ []string) error {
		c, log, err := loadForBackup(st, io)
		if err != nil {
			return err
		}
		targets, err := openPlaces(c, *to)
		if err != nil {
			return err
		}
		results := backup.Write(ctx, backupOptions(c, st.file, log), targets)
		notes := keepResults(ctx, c, log, func(ctx context.Context, s storage.Store) error {
			for i := range results {
				if err := results[i].Note(ctx, s, c.Node, change("halley backup")); err != nil {
					return err
				}
			}
			return nil
		})
		return errors.Join(tellBackups(io, results), notes)
	}
}

// placesFlag is an option that names places.
func placesFlag(fs *flag.FlagSet, name, usage string) *[]string {
	var list []string
	fs.Func(name, usage, func(value string) error {
		list = append(list, value)
		return nil
	})
	return &list
}

// loadForBackup reads the configuration of a server that is there.
func loadForBackup(st *settings, io streams) (config.Config, *slog.Logger, error) {
	c, err := st.load(io)
	if err != nil {
		return config.Config{}, nil, err
	}
	log, err := commandLog(io.err, c.Log.Level)
	if err != nil {
		return config.Config{}, nil, err
	}
	if c.Data, err = filepath.Abs(c.Data); err != nil {
		return config.Config{}, nil, err
	}
	if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
		return config.Config{}, nil, fmt.Errorf("there is no data folder %s: name it with --data", c.Data)
	}
	return c, log, nil
}

// openPlaces gives the places that were named, else those of the configuration. A folder that a person names is made.
func openPlaces(c config.Config, named []string) ([]backup.Target, error) {
	byHand := len(named) > 0
	if !byHand {
		named = c.Backup.To
	}
	if len(named) == 0 {
		return nil, misuse("no place for backups is configured: name one with --to")
	}
	var list []backup.Target
	for _, at := range named {
		t, err := backup.OpenTarget(backup.Place{At: at, Make: byHand, S3: s3Options(c.Backup)})
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func s3Options(b config.Backup) backup.S3Options {
	return backup.S3Options{
		Endpoint: b.S3Endpoint, Region: b.S3Region, AccessKeyFile: b.S3AccessKeyFile, SecretKeyFile: b.S3SecretKeyFile, Certificate: b.S3Certificate,
	}
}

// backupOptions say what is backed up of a server with this configuration.
func backupOptions(c config.Config, file string, log *slog.Logger) backup.Options {
	b := c.Backup
	o := backup.Options{
		Data: c.Data, Keys: c.Keys.Path, Version: version, Node: c.Node,
		CopyFile: func(ctx context.Context, from, to string) error {
			_, err := sqlite.Copy(ctx, from, to)
			return err
		},
		Settings: settingsText(c), ConfigFile: file,
		Named: map[string]string{
			"viewer.certificate": c.Viewer.Certificate, "viewer.key": c.Viewer.Key,
			"devices.certificate": c.Devices.Certificate, "devices.key": c.Devices.Key,
			"store.certificate": c.Store.Certificate, "mail.certificate": c.Mail.Certificate, "backup.s3-certificate": b.S3Certificate,
		},
		Without: []string{c.Store.PasswordFile, c.Mail.PasswordFile, b.DrillKey, b.S3AccessKeyFile, b.S3SecretKeyFile, b.SQLServerPasswordFile},
		Scratch: scratchFolder(c), Reserve: c.Journal.ReserveBytes, Recipients: b.Recipients,
		Rule: backup.Rule{Daily: b.KeepDaily, Weekly: b.KeepWeekly, Monthly: b.KeepMonthly}, Log: log,
	}
	if o.Keys == "" {
		o.Keys = filepath.Join(c.Data, "keys")
	}
	if b.Parts == config.BackupAll {
		o.Store = backupEngine(c, log)
	}
	return o
}

func scratchFolder(c config.Config) string {
	if c.Backup.Scratch != "" {
		return c.Backup.Scratch
	}
	return filepath.Join(c.Data, "scratch")
}

// settingsText lists the settings in force, without secrets.
func settingsText(c config.Config) []byte {
	var b strings.Builder
	for _, s := range c.Settings() {
		value := s.Value
		if s.Secret && value != "" {
			value = halley.Secret(value).String()
		}
		fmt.Fprintf(&b, "%s = %s\n", s.Key, value)
	}
	return []byte(b.String())
}

// keepResults opens the store to keep results in it. What was done is done, whether that is kept or not.
func keepResults(ctx context.Context, c config.Config, log *slog.Logger, keep func(context.Context, storage.Store) error) error {
	store, err := openStore(ctx, c, log)
	if err == nil {
		err = errors.Join(keep(ctx, store), store.Close())
	}
	if err != nil {
		return fmt.Errorf("the result is not kept in the database: %w", err)
	}
	return nil
}

// tellBackups says what became of a backup, and fails where one failed.
func tellBackups(s streams, results []backup.Result) error {
	var errs []error
	for _, r := range results {
		sum := r.Summary
		if r.Err != nil {
			errs = append(errs, fmt.Errorf("no backup in %s: %w", sum.To, r.Err))
			continue
		}
		sealed := "encrypted"
		if !sum.Encrypted {
			sealed = "NOT encrypted: whoever can read it can read everything in it"
		}
		fmt.Fprintf(s.out, "backup %s in %s, %d bytes, %s\nit holds what was acknowledged before %s: journal entries up to %d, batches up to %d\n",
			sum.Name, sum.To, sum.Bytes, sealed, sum.EndAt, sum.Seq, sum.LastBatch)
		for _, name := range r.Removed {
			fmt.Fprintf(s.out, "removed %s, which the rule does not keep\n", name)
		}
		if r.Warning != "" {
			fmt.Fprintln(s.err, "warning: "+r.Warning)
		}
	}
	return errors.Join(errs...)
}

func prepareDrill(fs *flag.FlagSet) action {
	st := addSettings(fs, []string{"data", "node", "store"})
	from := fs.String("from", "", "where from, a `FOLDER` or s3://BUCKET/PREFIX (default the first of [backup] to)")
	identity := fs.String("identity", "", "a `FILE` with the private key that opens the backup (default [backup] drill-key)")
	of := fs.String("of", "", "the `NAME` of the server whose backup it is (default this one, where it has one there)")
	return func(ctx context.Context, io streams, _ []string) error {
		c, log, err := loadForBackup(st, io)
		if err != nil {
			return err
		}
		if *identity != "" {
			c.Backup.DrillKey = *identity
		}
		var named []string
		if *from != "" {
			named = []string{*from}
		}
		wish := drillWish{from: named, of: *of}
		if wish.of == "" {
			wish.of = c.Node
		}
		r, err := drill(ctx, c, log, wish)
		if err == nil && *of == "" && isNoBackup(r.Err) {
			r, err = drill(ctx, c, log, drillWish{from: named})
		}
		if err != nil {
			return err
		}
		notes := keepResults(ctx, c, log, func(ctx context.Context, s storage.Store) error {
			return r.Note(ctx, s, c.Node, change("halley backup drill"))
		})
		return errors.Join(tellDrill(io.out, &r), notes)
	}
}

func isNoBackup(err error) bool {
	e, ok := errors.AsType[*halley.Error](err)
	return ok && e.Code == backup.CodeNone
}

// drillWish says which backup a drill is to try.
type drillWish struct {
	from []string
	of   string
}

// drill tries the newest backup of the first place.
func drill(ctx context.Context, c config.Config, log *slog.Logger, w drillWish) (backup.DrillResult, error) {
	targets, err := openPlaces(c, w.from)
	if err != nil {
		return backup.DrillResult{}, err
	}
	var keys []age.Identity
	if c.Backup.DrillKey != "" {
		if keys, err = backup.ReadKeys(c.Backup.DrillKey); err != nil {
			return backup.DrillResult{}, err
		}
	}
	return backup.Drill(ctx, backup.DrillOptions{
		From: targets[0], Node: w.of, Scratch: scratchFolder(c), Reserve: c.Journal.ReserveBytes, Identities: keys,
		Store: backupEngine(c, log), Verify: verifyRestored,
	}), nil
}

func tellDrill(w io.Writer, r *backup.DrillResult) error {
	for _, f := range r.Summary.Findings {
		fmt.Fprintf(w, "%s: %s\n", f.What, f.Text)
	}
	if r.Err != nil {
		return fmt.Errorf("the restore is not proven: %w", r.Err)
	}
	_, err := fmt.Fprintf(w, "restore proven: %s was restored and verified, samples=%d batches=%d, in %d ms, and removed again\n",
		r.Summary.Backup, r.Summary.Samples, r.Summary.Batches, r.Summary.Millis)
	return err
}

func prepareBackupKey(*flag.FlagSet) action {
	return func(_ context.Context, io streams, args []string) error {
		text, public, err := backup.NewKey()
		if err != nil {
			return err
		}
		made, err := writeNew(args[0], text, 0o600)
		if err != nil {
			return err
		}
		if !made {
			return fmt.Errorf("%s is there already and is not written over", args[0])
		}
		_, err = fmt.Fprintf(io.out, "private key: %s\npublic key: %s\nWrite the public key into the configuration: [backup] recipients = [%q]\n", args[0], public, public)
		return err
	}
}

// backupsOf gives what a running server does at the times of its schedule; nil where no place for backups is configured.
func backupsOf(c config.Config, file string, log *slog.Logger) (func(context.Context) []backup.Result, func(context.Context) backup.DrillResult) {
	if len(c.Backup.To) == 0 {
		return nil, nil
	}
	log = log.With("part", "backup")
	write := func(ctx context.Context) []backup.Result {
		var results []backup.Result
		var targets []backup.Target
		for _, to := range c.Backup.To {
			t, err := backup.OpenTarget(backup.Place{At: to, S3: s3Options(c.Backup)})
			if err != nil { // the other places get theirs
				results = append(results, backup.Result{Err: err, Summary: storage.BackupSummary{To: backup.PlaceName(to), Problem: backup.Problem(err)}})
				continue
			}
			targets = append(targets, t)
		}
		return append(results, backup.Write(ctx, backupOptions(c, file, log), targets)...)
	}
	try := func(ctx context.Context) backup.DrillResult {
		r, err := drill(ctx, c, log, drillWish{of: c.Node})
		if err != nil {
			r = backup.DrillResult{Err: err, Summary: storage.DrillSummary{Problem: backup.Problem(err)}}
		}
		return r
	}
	return write, try
}
