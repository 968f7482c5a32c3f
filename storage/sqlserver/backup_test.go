package sqlserver_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage"
	"halley/storage/sqlserver"
)

// nowhere is a server that no test reaches.
const nowhere = "sqlserver://keeper:Secret-1@127.0.0.1:1?database=halley&encrypt=disable&dial+timeout=1"

func TestStatementsOfBackups(t *testing.T) {
	t.Parallel()
	restore := sqlserver.Restore{
		File: `D:\it's\x.bak`, Database: "halley_drill_1",
		Moves: []sqlserver.Move{{Logical: "it's", To: `D:\data\halley_drill_1_1.mdf`}, {Logical: "log", To: `L:\halley_drill_1_2.ldf`}},
	}
	tests := map[string]struct{ got, want string }{
		"a backup": {
			sqlserver.BackupText("ha]lley", `\\nas\x\it's.bak`, false),
			`BACKUP DATABASE [ha]]lley] TO DISK = N'\\nas\x\it''s.bak' WITH COPY_ONLY, FORMAT, INIT, CHECKSUM, NAME = N'Halley'`,
		},
		"a compressed backup": {
			sqlserver.BackupText("halley", `/var/b.bak`, true),
			`BACKUP DATABASE [halley] TO DISK = N'/var/b.bak' WITH COPY_ONLY, FORMAT, INIT, CHECKSUM, NAME = N'Halley', COMPRESSION`,
		},
		"a check": {sqlserver.VerifyBackupText("/b'.bak"), `RESTORE VERIFYONLY FROM DISK = N'/b''.bak' WITH CHECKSUM`},
		"a restore": {
			sqlserver.RestoreText(restore),
			`RESTORE DATABASE [halley_drill_1] FROM DISK = N'D:\it''s\x.bak' WITH CHECKSUM, RECOVERY, ` +
				`MOVE N'it''s' TO N'D:\data\halley_drill_1_1.mdf', MOVE N'log' TO N'L:\halley_drill_1_2.ldf'`,
		},
		"sending others away": {
			sqlserver.SingleUserText("halley_drill_1"), `ALTER DATABASE [halley_drill_1] SET SINGLE_USER WITH ROLLBACK IMMEDIATE`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if strings.Contains(test.got, "REPLACE") {
				t.Error("a restore never writes over a database")
			}
		})
	}
}

func TestFilesOfARestoredDatabaseGetNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	files := [][2]string{{"halley", "D"}, {"halley_log", "L"}, {"more", "D"}}
	got := sqlserver.MovesInto(files, "halley_drill_1", `C:\data\`, `L:\log`)
	want := []sqlserver.Move{
		{Logical: "halley", To: `C:\data\halley_drill_1_1.mdf`},
		{Logical: "halley_log", To: `L:\log\halley_drill_1_2.ldf`},
		{Logical: "more", To: `C:\data\halley_drill_1_3.ndf`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("on Windows (-want +got):\n%s", diff)
	}
	got = sqlserver.MovesInto(files[:1], "x", "/var/opt/mssql/data/", "/log")
	if diff := cmp.Diff([]sqlserver.Move{{Logical: "halley", To: "/var/opt/mssql/data/x_1.mdf"}}, got); diff != "" {
		t.Errorf("on Linux (-want +got):\n%s", diff)
	}
}

func TestFailuresOfBackupsAreExplained(t *testing.T) {
	t.Parallel()
	// 3013 is what SQL Server says last of each of them.
	ended := mssql.Error{Number: 3013, Message: "BACKUP DATABASE is terminating abnormally."}
	tests := map[string]struct {
		op     string
		number int32
		code   string
		kind   halley.Kind
		says   string
	}{
		"a login that may not back up":     {sqlserver.OpBackup, 262, sqlserver.CodeBackupRight, halley.Forbidden, "halley_keeper"},
		"a login that may not restore":     {sqlserver.OpRestore, 3110, sqlserver.CodeBackupRight, halley.Forbidden, "CREATE ANY DATABASE"},
		"a login that may not create":      {sqlserver.OpRestore, 262, sqlserver.CodeBackupRight, halley.Forbidden, "--print-script=keeper"},
		"a login that may not drop":        {sqlserver.OpDropScratch, 15247, sqlserver.CodeBackupRight, halley.Forbidden, "restored it"},
		"a folder out of reach":            {sqlserver.OpBackup, 3201, sqlserver.CodeBackupFile, halley.Unavailable, "the account that SQL Server runs under"},
		"a disk that is full":              {sqlserver.OpBackup, 3202, sqlserver.CodeBackupFile, halley.Unavailable, "disk full"},
		"no room for the restored files":   {sqlserver.OpRestore, 3257, storage.CodeFull, halley.Unavailable, "no room"},
		"a file that is no backup":         {sqlserver.OpRestore, 3241, sqlserver.CodeNoBackup, halley.Invalid, "no backup"},
		"a damaged backup":                 {sqlserver.OpRestore, 3189, sqlserver.CodeNoBackup, halley.Invalid, "damaged"},
		"a backup of a newer server":       {sqlserver.OpRestore, 3169, sqlserver.CodeNewerServer, halley.Invalid, "newer SQL Server"},
		"a damaged database":               {sqlserver.OpBackup, 3043, sqlserver.CodeDamaged, halley.Unavailable, "DBCC CHECKDB"},
		"a name that is taken":             {sqlserver.OpRestore, 1801, sqlserver.CodeExists, halley.Conflict, "never overwritten"},
		"a file that is taken":             {sqlserver.OpRestore, 1834, sqlserver.CodeBackupFile, halley.Unavailable, "say where the files go"},
		"another backup at the same time":  {sqlserver.OpBackup, 3023, sqlserver.CodeBusy, halley.Unavailable, "another backup"},
		"somebody in the scratch database": {sqlserver.OpDropScratch, 3702, sqlserver.CodeBusy, halley.Unavailable, "connected"},
		"a database that is offline":       {sqlserver.OpBackup, 942, sqlserver.CodeOffline, halley.Unavailable, "offline"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := sqlserver.ExplainBackup(test.op, mssql.Error{Number: test.number, Message: "as it is"}, ended)
			if codeOf(err) != test.code || halley.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("the error is %v (%v, %s), want %v with the code %s that says %q", err, halley.KindOf(err), codeOf(err), test.kind, test.code, test.says)
			}
		})
	}
}

func TestNamesThatCannotBeAreRefusedBeforeAnything(t *testing.T) {
	t.Parallel()
	o := sqlserver.Options{DSN: nowhere}
	long := strings.Repeat("x", 300)
	tests := map[string]func() error{
		"a backup without a file":       func() error { return sqlserver.BackupDatabase(t.Context(), o, "") },
		"a file with a long name":       func() error { return sqlserver.BackupDatabase(t.Context(), o, long) },
		"a file with a line end":        func() error { return sqlserver.VerifyBackup(t.Context(), o, "a\nb") },
		"a restore without a database":  func() error { return sqlserver.RestoreDatabase(t.Context(), o, sqlserver.Restore{File: "x"}) },
		"a database with a long name":   func() error { return sqlserver.DropScratch(t.Context(), o, sqlserver.ScratchPrefix+long) },
		"the database itself":           func() error { return sqlserver.DropScratch(t.Context(), o, "halley") },
		"a name of nothing but prefix":  func() error { return sqlserver.DropScratch(t.Context(), o, sqlserver.ScratchPrefix) },
		"another name for the database": func() error { _, err := o.OnDatabase(""); return err },
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := run(); halley.KindOf(err) != halley.Invalid {
				t.Errorf("the error is %v, want an invalid one", err)
			}
		})
	}
	err := sqlserver.BackupDatabase(t.Context(), o, "/x.bak")
	if codeOf(err) != sqlserver.CodeRefused || strings.Contains(err.Error(), "Secret-1") {
		t.Errorf("a server that is not there gives %v", err)
	}
}

func TestAnotherDatabaseOfTheSameServer(t *testing.T) {
	t.Parallel()
	for _, dsn := range []halley.Secret{nowhere, "sqlserver://keeper:Secret-1@127.0.0.1:1?Database=halley&encrypt=disable", "sqlserver://k@db1/X?app+name=a"} {
		before, err := sqlserver.ParseDSN(sqlserver.Options{DSN: dsn})
		if err != nil {
			t.Fatal(err)
		}
		o, err := sqlserver.Options{DSN: dsn}.OnDatabase("halley_drill_a b&c")
		if err != nil {
			t.Fatal(err)
		}
		got, err := sqlserver.ParseDSN(o)
		if err != nil {
			t.Fatal(err)
		}
		before.Database = "halley_drill_a b&c"
		if diff := cmp.Diff(before, got); diff != "" {
			t.Errorf("%s on another database (-want +got):\n%s", before.Host, diff)
		}
	}
}

func TestDropScratchRemovesOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	u := engine(t)
	o := sqlserver.Options{DSN: at(u, "master")}
	name := random(t, sqlserver.ScratchPrefix)
	if err := sqlserver.DropScratch(t.Context(), o, name); err != nil {
		t.Errorf("DropScratch of a database that is not there: %v", err)
	}
	if _, err := raw(t, at(u, "master")).ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	if got, err := sqlserver.Scratches(t.Context(), o); err != nil || !strings.Contains(strings.Join(got, " "), name) {
		t.Errorf("Scratches = %q, %v, want %s among them", got, err, name)
	}
	if err := sqlserver.RestoreDatabase(t.Context(), o, sqlserver.Restore{File: "/x.bak", Database: name}); codeOf(err) != sqlserver.CodeExists {
		t.Errorf("restoring over a database gives %v", err)
	}
	if err := sqlserver.DropScratch(t.Context(), o, name); err != nil {
		t.Errorf("DropScratch: %v", err)
	}
	if got := lines(t, raw(t, at(u, "master")), "SELECT name FROM sys.databases WHERE name = N'"+name+"'"); len(got) != 0 {
		t.Errorf("%s is still there", name)
	}
}
