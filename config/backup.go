package config

import (
	"fmt"
	"strings"
	"time"

	"filippo.io/age"

	"halley"
)

// Backup says what is backed up, when and to where. No backup is made where To is empty.
type Backup struct {
	// To holds folders, shares and s3://BUCKET/PREFIX.
	To []string `toml:"to"`
	// At is the time of day in the zone of the machine, "15:04".
	At string `toml:"at"`
	// Parts is "all", or "journal" on a server that shares its database with one that backs it up.
	Parts string `toml:"parts"`
	// Recipients are public keys of age; DrillKey is a file with a private one that this server may read.
	Recipients []string `toml:"recipients"`
	DrillKey   string   `toml:"drill-key"`
	// Scratch is a folder for copies on their way; empty for one in the data folder.
	Scratch string `toml:"scratch"`
	// KeepDaily, KeepWeekly and KeepMonthly say which backups are kept; all 0 keeps all.
	KeepDaily   int `toml:"keep-daily"`
	KeepWeekly  int `toml:"keep-weekly"`
	KeepMonthly int `toml:"keep-monthly"`
	// DrillEvery is how often a restore is tried, 0 for never; DrillOverdue after how long without a good one a person is told.
	DrillEvery   Duration `toml:"drill-every"`
	DrillOverdue Duration `toml:"drill-overdue"`
	// S3Endpoint is https://HOST:PORT; the files hold one key each, S3Certificate the store's certificate or its authority's.
	S3Endpoint      string `toml:"s3-endpoint"`
	S3Region        string `toml:"s3-region"`
	S3AccessKeyFile string `toml:"s3-access-key-file"`
	S3SecretKeyFile string `toml:"s3-secret-key-file"`
	S3Certificate   string `toml:"s3-certificate"`
	// SQLServerFolder is a folder as SQL Server sees it, SQLServerFolderHere the same one as this server sees it.
	SQLServerFolder     string `toml:"sqlserver-folder"`
	SQLServerFolderHere string `toml:"sqlserver-folder-here"`
	// SQLServerDSN is [store] dsn with the keeper's login, who may back up; empty for [store] dsn itself. SQLServerPasswordFile holds
	// the password of its user.
	SQLServerDSN          halley.Secret `toml:"sqlserver-dsn"`
	SQLServerPasswordFile string        `toml:"sqlserver-password-file"`
}

// The parts that a backup holds: Backup.Parts.
const (
	// BackupAll is everything.
	BackupAll = "all"
	// BackupJournal leaves the database to another server.
	BackupJournal = "journal"
)

func backupDefaults() Backup {
	return Backup{
		To: []string{}, At: "02:00", Parts: BackupAll, Recipients: []string{}, KeepDaily: 7, KeepWeekly: 4, KeepMonthly: 12,
		DrillEvery: Duration{7 * 24 * time.Hour}, DrillOverdue: Duration{30 * 24 * time.Hour}, S3Region: "us-east-1",
	}
}

// backupSettings are the keys of [backup].
func backupSettings() []setting {
	const years = 10 * 366 * 24 * time.Hour
	return []setting{
		texts("backup.to", func(c *Config) *[]string { return &c.Backup.To }, backupPlace),
		text("backup.at", func(c *Config) *string { return &c.Backup.At }, timeOfDay),
		text("backup.parts", func(c *Config) *string { return &c.Backup.Parts }, oneOf(BackupAll, BackupJournal)),
		texts("backup.recipients", func(c *Config) *[]string { return &c.Backup.Recipients }, recipient),
		text("backup.drill-key", func(c *Config) *string { return &c.Backup.DrillKey }, anyText),
		text("backup.scratch", func(c *Config) *string { return &c.Backup.Scratch }, anyText),
		whole("backup.keep-daily", func(c *Config) *int { return &c.Backup.KeepDaily }, between(0, 10_000)),
		whole("backup.keep-weekly", func(c *Config) *int { return &c.Backup.KeepWeekly }, between(0, 10_000)),
		whole("backup.keep-monthly", func(c *Config) *int { return &c.Backup.KeepMonthly }, between(0, 10_000)),
		length("backup.drill-every", func(c *Config) *Duration { return &c.Backup.DrillEvery }, lasting(0, years)),
		length("backup.drill-overdue", func(c *Config) *Duration { return &c.Backup.DrillOverdue }, lasting(0, years)),
		text("backup.s3-endpoint", func(c *Config) *string { return &c.Backup.S3Endpoint }, s3Endpoint),
		text("backup.s3-region", func(c *Config) *string { return &c.Backup.S3Region }, notEmpty("name the region; most stores take us-east-1")),
		text("backup.s3-access-key-file", func(c *Config) *string { return &c.Backup.S3AccessKeyFile }, anyText),
		text("backup.s3-secret-key-file", func(c *Config) *string { return &c.Backup.S3SecretKeyFile }, anyText),
		text("backup.s3-certificate", func(c *Config) *string { return &c.Backup.S3Certificate }, anyText),
		text("backup.sqlserver-folder", func(c *Config) *string { return &c.Backup.SQLServerFolder }, anyText),
		text("backup.sqlserver-folder-here", func(c *Config) *string { return &c.Backup.SQLServerFolderHere }, anyText),
		secret("backup.sqlserver-dsn", func(c *Config) *halley.Secret { return &c.Backup.SQLServerDSN }, storeAddress),
		text("backup.sqlserver-password-file", func(c *Config) *string { return &c.Backup.SQLServerPasswordFile }, anyText),
	}
}

const s3Scheme = "s3://"

func backupPlace(s string) string {
	switch bucket, isS3 := strings.CutPrefix(s, s3Scheme); {
	case strings.TrimSpace(s) == "":
		return "name a folder, or s3://BUCKET/PREFIX"
	case isS3 && (bucket == "" || strings.HasPrefix(bucket, "/")):
		return fmt.Sprintf("write s3://BUCKET/PREFIX; %s names no bucket", quoted(s))
	case !isS3 && strings.Contains(s, "://"):
		return fmt.Sprintf("write the path of a folder, or s3://BUCKET/PREFIX; %s is neither", quoted(s))
	}
	return ""
}

func recipient(s string) string {
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(s)), "AGE-SECRET-KEY-") {
		return "this is a private key, which must not be on the server: write the public one, \"age1...\", and make a new pair"
	}
	if _, err := age.ParseRecipients(strings.NewReader(s)); err != nil {
		return fmt.Sprintf(`write a public key of age, "age1..."; %s is none; halley backup key makes a pair`, quoted(s))
	}
	return ""
}

func s3Endpoint(s string) string {
	if s == "" {
		return ""
	}
	rest, isTLS := strings.CutPrefix(s, "https://")
	if !isTLS {
		var plain bool
		if rest, plain = strings.CutPrefix(s, "http://"); !plain {
			return fmt.Sprintf("write https://HOST:PORT, or http://HOST:PORT; %s is neither", quoted(s))
		}
	}
	if host := strings.TrimSuffix(rest, "/"); host == "" || strings.ContainsAny(host, "/?#@") {
		return fmt.Sprintf("write https://HOST:PORT and nothing behind it; %s is more", quoted(s))
	}
	return ""
}

// backupTogether finds what does not go together in [backup].
func backupTogether(b *Backup) []Mistake {
	var found []Mistake
	usesS3 := false
	for _, to := range b.To {
		usesS3 = usesS3 || strings.HasPrefix(to, s3Scheme)
	}
	for _, p := range []struct{ key, value string }{
		{"backup.s3-endpoint", b.S3Endpoint},
		{"backup.s3-access-key-file", b.S3AccessKeyFile},
		{"backup.s3-secret-key-file", b.S3SecretKeyFile},
	} {
		if usesS3 && p.value == "" {
			found = append(found, Mistake{Key: "backup.to", Why: "an S3 store needs " + p.key})
		}
	}
	if (b.SQLServerFolder == "") != (b.SQLServerFolderHere == "") {
		found = append(found, Mistake{
			Key: "backup.sqlserver-folder",
			Why: "sqlserver-folder and sqlserver-folder-here name one folder from both sides: set both",
		})
	}
	if b.DrillKey != "" && len(b.Recipients) == 0 {
		found = append(found, Mistake{Key: "backup.drill-key", Why: "a drill key opens encrypted backups: name its public key among the recipients"})
	}
	return found
}
