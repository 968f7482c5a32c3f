package sqlserver

import (
	"errors"

	mssql "github.com/microsoft/go-mssqldb"

	"halley"
	"halley/storage"
)

// The codes of backups and restores, besides those of error.go.
const (
	// CodeBackupFile is a file that SQL Server cannot open, read or write.
	CodeBackupFile = "backup-file"
	// CodeNoBackup is a file that holds no backup, or a damaged one.
	CodeNoBackup = "no-backup"
	// CodeNewerServer is a backup of a newer SQL Server.
	CodeNewerServer = "newer-server"
	// CodeBackupRight is a right that the login lacks.
	CodeBackupRight = "no-backup-right"
	// CodeExists is a database of the name that a restored one is to have.
	CodeExists = "database-exists"
)

// errNoCompression refuses a compressed backup for the edition.
const errNoCompression = 1844

// explainBackup says in words why SQL Server did not do what a backup or a restore needs; nil stays nil.
func explainBackup(op string, err error) error {
	if err == nil {
		return nil
	}
	e, ok := errors.AsType[mssql.Error](err)
	if !ok {
		return mapError(op, err)
	}
	// What went wrong comes first, that the statement ended follows.
	for _, one := range append(append([]mssql.Error{}, e.All...), e) {
		if p, known := backupProblem(op, one.Number); known {
			return &halley.Error{Kind: p.kind, Op: op, Code: p.code, Message: p.message, Err: &engineError{err: one}}
		}
	}
	return mapError(op, err)
}

// backupProblem says what a number means here. The numbers are those of sys.messages.
func backupProblem(op string, n int32) (problem, bool) {
	if p, ok := backupRightProblem(op, n); ok {
		return p, true
	}
	if p, ok := backupFileProblem(n); ok {
		return p, true
	}
	p := problem{kind: halley.Conflict}
	switch n {
	case 1801, 3159, 3154:
		p.code, p.message = CodeExists, "a database of that name is there already and is never overwritten: choose another name"
	case 3101, 3702:
		p.kind, p.code, p.message = halley.Unavailable, CodeBusy, "somebody is connected to the database: try again when nobody is"
	case 3023, 1222:
		p.kind, p.code, p.message = halley.Unavailable, CodeBusy, "another backup, or a change of the files of the database, is running: try again when it has ended"
	case 3257, 3634:
		p.kind, p.code, p.message = halley.Unavailable, storage.CodeFull, "the disk of SQL Server has no room for the database"
	case 3043:
		p.kind, p.code, p.message = halley.Unavailable, CodeDamaged,
			"SQL Server found a damaged page in the database and made no backup: run DBCC CHECKDB, and keep the older backups"
	default:
		return problem{}, false
	}
	return p, true
}

// backupRightProblem is what the login may not do.
func backupRightProblem(op string, n int32) (problem, bool) {
	p := problem{kind: halley.Forbidden, code: CodeBackupRight}
	switch n {
	case 262, 3110, 229, 15247, 916:
	default:
		return problem{}, false
	}
	switch op {
	case opBackup:
		p.message = "this login may not back up the database: use the keeper's login, a member of the role " + roleKeeper +
			", which halley init gives the right to"
	case opDropScratch:
		p.message = "this login may not remove the database of the drill: the login that restored it may, and an administrator of SQL Server"
	default:
		p.message = "this login may not restore or check a backup: SQL Server asks for the right CREATE ANY DATABASE, which the keeper " +
			"gets from the script of halley init --print-script=keeper"
	}
	return p, true
}

// backupFileProblem is a backup file that cannot be used.
func backupFileProblem(n int32) (problem, bool) {
	p := problem{kind: halley.Unavailable, code: CodeBackupFile}
	switch n {
	case 3201, 5123, 5133:
		p.message = "SQL Server cannot open the file: its folder must be there on the machine of SQL Server (or be a share), and the account " +
			"that SQL Server runs under must be allowed to read and write there"
	case 3202, 3271:
		p.message = "SQL Server could not write the backup to its end: is the disk full, or the share away?"
	case 3203:
		p.message = "SQL Server could not read the backup to its end"
	case 1834, 3156, 3119:
		p.message = "a file that the restored database is to have is there already, or belongs to another database: say where the files go"
	case 3241, 3242, 3243, 3246, 3248, 3189, 3183, 3194, 3624:
		p.kind, p.code, p.message = halley.Invalid, CodeNoBackup, "the file is no backup of SQL Server, or is damaged"
	case 3187:
		p.kind, p.code, p.message = halley.Invalid, CodeNoBackup, "the backup holds no checksums: it was not made by Halley"
	case 3169:
		p.kind, p.code, p.message = halley.Invalid, CodeNewerServer,
			"the backup was made by a newer SQL Server: restore it with the same version or a newer one"
	default:
		return problem{}, false
	}
	return p, true
}
