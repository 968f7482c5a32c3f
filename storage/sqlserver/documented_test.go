package sqlserver_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"halley/storage"
	"halley/storage/sqlserver"
)

// TestTheManualExplainsEveryCode holds the table of docs/sqlserver.md against the codes that the program gives.
func TestTheManualExplainsEveryCode(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/sqlserver.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if first, _, ok := strings.Cut(strings.TrimPrefix(line, "|"), "|"); ok {
			for _, code := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(first, -1) {
				told[code[1]] = true
			}
		}
	}
	codes := []string{
		sqlserver.CodeAway, sqlserver.CodeBusy, sqlserver.CodeLogin, sqlserver.CodeNoDatabase, sqlserver.CodeOffline,
		sqlserver.CodePermission, sqlserver.CodeDamaged, sqlserver.CodeNameUnknown, sqlserver.CodeInstanceUnknown,
		sqlserver.CodeRefused, sqlserver.CodeNoAnswer, sqlserver.CodeNoEncryption, sqlserver.CodeKerberos, sqlserver.CodeFiles,
		sqlserver.CodeBackupFile, sqlserver.CodeBackupRight, sqlserver.CodeNoBackup, sqlserver.CodeNewerServer, sqlserver.CodeExists,
		storage.CodeFull, storage.CodeReadOnly, storage.CodeNoSchema, storage.CodeOlderSchema, storage.CodeNewerSchema,
	}
	for _, reason := range sqlserver.Distrusts() {
		codes = append(codes, sqlserver.CodeCertificate+reason)
	}
	for _, code := range codes {
		if !told[code] {
			t.Errorf("the manual says nothing of %s", code)
		}
	}
}
