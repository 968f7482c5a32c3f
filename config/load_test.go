package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"halley/config"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestGoodFilesLoad(t *testing.T) {
	t.Parallel()
	want := map[string]func(*config.Config){
		"windows-editor": func(c *config.Config) {
			c.Data, c.Devices.Accept = `C:\ProgramData\Halley`, config.AcceptAny
		},
		"dotted-and-inline": func(c *config.Config) {
			c.Devices.Accept, c.Log.Level = config.AcceptAny, "warn"
			c.Devices.Listen = []string{"127.0.0.1:0", "https://127.0.0.1:0"}
		},
		"empty-tables": func(*config.Config) {},
		"every-setting": func(c *config.Config) {
			*c = config.Config{
				Data: "/var/lib/halley", Node: "line-2",
				Store: config.Store{
					DSN:          "sqlserver://halley:hunter2@db1.example.org:1433?database=halley",
					PasswordFile: "/etc/halley/store-password", Certificate: "/etc/halley/store.pem",
				},
				Viewer: config.Viewer{
					Address: "0.0.0.0:8443", Certificate: "/etc/halley/viewer.pem", Key: "/etc/halley/viewer.key",
					Hosts: []string{"halley.example.org", "halley"},
				},
				Devices: config.Devices{
					Listen:      []string{"192.168.1.10:8081", "https://[::]:8444"},
					Certificate: "/etc/halley/devices.pem", Key: "/etc/halley/devices.key",
					Accept: config.AcceptEntryPoint, BodyBytes: 2 << 20, ArrayBodyBytes: 16 << 20, HeaderBytes: 32 << 10,
					HeaderTimeout: lasting("5s"), BodyTimeout: lasting("1m"), IdleTimeout: lasting("5m"),
					Connections: 10000, MessagesPerMinute: 600, ClockAhead: lasting("30m"),
				},
				Quarantine: config.Quarantine{Devices: 10, DeviceBytes: 1_000_000, Bytes: 10_000_000},
				Journal:    config.Journal{FileBytes: 16 << 20, SignOfLife: lasting("1m")},
				Recorder:   config.Recorder{Every: lasting("1s"), Samples: 5000},
				Keys:       config.Keys{Path: "/etc/halley/keys"},
				Clock:      config.Clock{NTP: "192.168.1.1", WarnAt: lasting("500ms"), Serve: "0.0.0.0:123"},
				Ledger: config.Ledger{
					CheckpointEvery: lasting("15m"), VerifyAt: "04:15",
					Outside: []string{"file:/mnt/auditor", "mailto:qa@example.org", "syslog+tls://log.example.org"},
				},
				Mail: config.Mail{
					Server: "mail.example.org:465", From: "halley@example.org", User: "halley", PasswordFile: "/etc/halley/mail-password",
					TLS: config.MailTLSFromStart, Certificate: "/etc/halley/mail.pem",
				},
				Log: config.Log{Level: "debug", File: "/var/log/halley/halley.log", FileBytes: 2_000_000, Files: 3},
				Backup: config.Backup{
					To: []string{"/mnt/backup/halley", "s3://halley/site-1"}, At: "23:15", Parts: config.BackupJournal,
					Recipients: []string{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}, DrillKey: "/etc/halley/drill.key",
					Scratch: "/srv/scratch", KeepDaily: 14, KeepWeekly: 8, KeepMonthly: 24,
					DrillEvery: lasting("24h"), DrillOverdue: lasting("240h"),
					S3Endpoint: "https://minio.example.org:9000", S3Region: "site-1", S3AccessKeyFile: "/etc/halley/s3-access",
					S3SecretKeyFile: "/etc/halley/s3-secret", S3Certificate: "/etc/halley/minio.pem",
					SQLServerFolder: `D:\Backup\Halley`, SQLServerFolderHere: "/mnt/sqlbackup",
					SQLServerDSN: "sqlserver://keeper@db.example.org?database=halley", SQLServerPasswordFile: "/etc/halley/keeper-password",
				},
				Accounts: config.Accounts{
					PasswordLength: 12, PasswordLower: true, SecondFactorRoles: []string{"administrator", "qa-team"},
					SignOut: 15, SignOutAtMost: 30, ConfirmCritical: true,
				},
				LDAP: config.LDAP{
					Servers: []string{"ldaps://dc1.acme.local", "ldap://dc2.acme.local:3389"}, Certificate: "/etc/halley/acme-ca.pem",
					AllowPlain: true, BindName: "CN=Halley,OU=Services,DC=acme,DC=local", BindPasswordFile: "/etc/halley/ldap-password",
					People: "OU=People,DC=acme,DC=local", Filter: "(mail={name})", NameAttribute: "mail", GroupsBelow: "OU=Groups,DC=acme,DC=local",
					Groups: []string{"CN=A -> B,OU=Groups,DC=acme,DC=local -> user@/Acme/Brno", "CN=Admins,DC=acme,DC=local -> administrator@/"},
				},
				OIDC: config.OIDC{
					Issuer: "https://login.acme.local/realms/acme", Button: "Acme", ClientID: "halley", ClientSecretFile: "/etc/halley/oidc-secret",
					Certificate: "/etc/halley/acme-ca.pem", Hosts: []string{"keys.acme.local:8443"}, Scopes: []string{"email"},
					NameClaim: "upn", GroupsClaim: "realm_access.roles", Groups: []string{"halley-users -> user@/Acme"},
				},
			}
		},
	}
	files, err := filepath.Glob("testdata/good/*.toml")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d good files, want %d (%v)", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := config.Load(config.Sources{Name: "halley.toml", Text: read(t, file), HostName: "server-1.example.org"})
			if err != nil {
				t.Fatal(err)
			}
			expected := config.Defaults()
			expected.Node = "server-1"
			want[name](&expected)
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadFilesAreExplained(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files (%v)", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			t.Parallel()
			got, err := config.Load(config.Sources{Name: "halley.toml", Text: read(t, file)})
			if err == nil {
				t.Fatal("it was accepted")
			}
			if diff := cmp.Diff(config.Config{}, got); diff != "" {
				t.Errorf("a config came with the error (-want +got):\n%s", diff)
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".err", err.Error()+"\n")
		})
	}
}

func TestEveryMistakeHasItsPlace(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Sources{
		Name:        "halley.toml",
		Text:        "node = 5\n\n[devices]\nacept = \"any\"\n",
		Environment: []string{"HALLEY_LOG_LEVEL=loud"},
		Flags:       []config.Flag{{Name: "--viewer", Key: "viewer.address", Values: []string{"8443"}}},
	})
	wrong, ok := errors.AsType[*config.InvalidError](err)
	if !ok {
		t.Fatalf("the error is %v", err)
	}
	var got []config.Mistake
	for _, m := range wrong.Mistakes {
		m.Why = ""
		got = append(got, m)
	}
	want := []config.Mistake{
		{Source: "halley.toml", Line: 1, Key: "node"},
		{Source: "halley.toml", Line: 4, Key: "devices.acept"},
		{Source: "HALLEY_LOG_LEVEL", Key: "log.level"},
		{Source: "--viewer", Key: "viewer.address"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestLaterSourceWins(t *testing.T) {
	t.Parallel()
	got, err := config.Load(config.Sources{
		Text: "data = \"file\"\nnode = \"file\"\n[devices]\naccept = \"any\"\nconnections = 1\n[viewer]\nplain-on-loopback = false\n",
		Environment: []string{
			"HALLEY_DATA=environment", "HALLEY_NODE=environment", "HALLEY_DEVICES_LISTEN=127.0.0.1:1, https://127.0.0.1:2,",
			"HALLEY_DEVICES_CONNECTIONS=1_000", "HALLEY_VIEWER_PLAIN_ON_LOOPBACK=true", "HALLEY_RECORDER_EVERY=2s",
			"HALLEY_PORT=tcp://10.0.0.1:80", "HALLEY_LOG_LEVEL=", "PATH=/bin", "odd",
		},
		Flags: []config.Flag{
			{Name: "--data", Key: "data", Values: []string{"flag"}},
			{Name: "--devices", Key: "devices.listen", Values: []string{"127.0.0.1:3", "127.0.0.1:4"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Defaults()
	want.Data, want.Node = "flag", "environment"
	want.Devices.Accept, want.Devices.Connections = config.AcceptAny, 1000
	want.Devices.Listen = []string{"127.0.0.1:3", "127.0.0.1:4"}
	want.Recorder.Every = lasting("2s")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

func TestEnvironmentMistakes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"HALLEY_DEVICES_CONNECTIONS=many":       `HALLEY_DEVICES_CONNECTIONS: devices.connections: write a whole number without quotes; this is the text "many"`,
		"HALLEY_VIEWER_PLAIN_ON_LOOPBACK=maybe": `HALLEY_VIEWER_PLAIN_ON_LOOPBACK: viewer.plain-on-loopback: write true or false without quotes; this is the text "maybe"`,
		"HALLEY_STORE_DSN=hunter2":              `HALLEY_STORE_DSN: store.dsn: write sqlserver://USER@HOST:PORT?database=NAME, or nothing for the embedded store`,
		"HALLEY_STORE=hunter2":                  `HALLEY_STORE: store.dsn: write sqlserver://USER@HOST:PORT?database=NAME, or nothing for the embedded store`,
		"HALLEY_STORE_CERTIFICATE=db.pem":       `HALLEY_STORE_CERTIFICATE: store.certificate: the embedded store has no use for it; set store.dsn as well, or leave it out`,
		"HALLEY_DEVICES_LISTEN=,":               `HALLEY_DEVICES_LISTEN: devices.listen: name at least one address, or no device can reach this server`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(config.Sources{Environment: []string{name}})
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestUnknownFlagKeyIsAMistake(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Sources{Flags: []config.Flag{{Name: "--x", Key: "x.y", Values: []string{"1"}}}})
	if err == nil || !strings.HasPrefix(err.Error(), "--x: x.y: there is no such setting") {
		t.Errorf("got %v", err)
	}
}

func TestNodeIsNamedForTheMachine(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"Server-1":                 "server-1",
		"db_2.example.org":         "db_2",
		"Žluťoučký":                "luouk",
		"":                         "halley",
		"...":                      "halley",
		strings.Repeat("long", 40): strings.Repeat("long", 16),
	} {
		got, err := config.Load(config.Sources{HostName: host})
		if err != nil || got.Node != want {
			t.Errorf("host name %q gives node %q (%v), want %q", host, got.Node, err, want)
		}
	}
}

func TestSplitListen(t *testing.T) {
	t.Parallel()
	type split struct {
		TLS     bool
		Address string
	}
	for listen, want := range map[string]split{
		"127.0.0.1:80":         {false, "127.0.0.1:80"},
		"http://127.0.0.1:80":  {false, "127.0.0.1:80"},
		"https://[::1]:443":    {true, "[::1]:443"},
		"https://0.0.0.0:8444": {true, "0.0.0.0:8444"},
	} {
		tls, address := config.SplitListen(listen)
		if got := (split{tls, address}); got != want {
			t.Errorf("SplitListen(%q) = %v, want %v", listen, got, want)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.toml", "testdata/bad/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			f.Add(read(f, file))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := config.Load(config.Sources{Name: "halley.toml", Text: text})
		if err == nil {
			return
		}
		wrong, ok := errors.AsType[*config.InvalidError](err)
		if !ok || len(wrong.Mistakes) == 0 {
			t.Fatalf("an error without mistakes: %v", err)
		}
		for _, m := range wrong.Mistakes {
			if m.Why == "" {
				t.Errorf("a mistake without a reason: %+v", m)
			}
		}
	})
}

func lasting(s string) config.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		panic(err)
	}
	return config.Duration{Duration: d}
}

func read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// golden compares got with a file, or writes the file under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(read(t, file), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
