package sqlserver

import mssql "github.com/microsoft/go-mssqldb"

// BackupText is backupText.
func BackupText(database, file string, compressed bool) string {
	return backupText(database, file, compressed)
}

// VerifyBackupText is verifyBackupText.
func VerifyBackupText(file string) string { return verifyBackupText(file) }

// RestoreText is restoreText.
func RestoreText(r Restore) string { return restoreText(r) }

// SingleUserText is singleUserText.
func SingleUserText(database string) string { return singleUserText(database) }

// MovesInto is movesInto, for files of logical name and kind.
func MovesInto(files [][2]string, database, data, log string) []Move {
	list := make([]backedUp, 0, len(files))
	for _, f := range files {
		list = append(list, backedUp{logical: f[0], kind: f[1]})
	}
	return movesInto(list, database, data, log)
}

// The operations whose failures ExplainBackup explains.
const (
	OpBackup      = opBackup
	OpRestore     = opRestore
	OpDropScratch = opDropScratch
)

// ExplainBackup is explainBackup, for errors of the server that came together.
func ExplainBackup(op string, list ...mssql.Error) error {
	return explainBackup(op, EngineError(list...))
}
