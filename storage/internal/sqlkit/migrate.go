package sqlkit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"halley"
	"halley/storage"
)

// Migration is one numbered step of the schema. A released one never changes.
type Migration struct {
	// Number counts from 1 without gaps.
	Number int
	// Name is what the file is called after its number.
	Name string
	// Checksum is the SHA-256 of SQL in hexadecimal.
	Checksum string
	SQL      string
}

// Migrations reads the files NNNN_name.sql of a folder, ascending.
func Migrations(files fs.FS, folder string) ([]Migration, error) {
	names, err := fs.Glob(files, path.Join(folder, "*.sql"))
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	slices.Sort(names)
	list := make([]Migration, 0, len(names))
	for i, file := range names {
		text, err := fs.ReadFile(files, file)
		if err != nil {
			return nil, fmt.Errorf("reading a migration: %w", err)
		}
		number, name, ok := strings.Cut(strings.TrimSuffix(path.Base(file), ".sql"), "_")
		if n, err := strconv.Atoi(number); !ok || err != nil || n != i+1 {
			return nil, fmt.Errorf("the migration %s should be number %d", file, i+1)
		}
		// A checkout that turned line ends must not look like a changed migration.
		clean := strings.ReplaceAll(string(text), "\r\n", "\n")
		sum := sha256.Sum256([]byte(clean))
		list = append(list, Migration{Number: i + 1, Name: name, Checksum: hex.EncodeToString(sum[:]), SQL: clean})
	}
	return list, nil
}

// Applied gives the number of the newest migration in a database whose table schema_migration is there. It refuses a database
// of a newer program, and one whose migrations are not those of this program. prefix goes before the table's name, as
// Dialect.Schema does.
func Applied(ctx context.Context, q interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}, prefix string, list []Migration,
) (int, error) {
	rows, err := q.QueryContext(ctx, "SELECT number, name, checksum FROM "+prefix+"schema_migration ORDER BY number")
	if err != nil {
		return 0, fmt.Errorf("reading the schema's number: %w", err)
	}
	defer func() { _ = rows.Close() }()
	newest := 0
	for rows.Next() {
		var m Migration
		if err := rows.Scan(&m.Number, &m.Name, &m.Checksum); err != nil {
			return 0, fmt.Errorf("reading the schema's number: %w", err)
		}
		newest++
		switch {
		case m.Number > len(list):
			return 0, &halley.Error{
				Kind: halley.Conflict, Op: "open the store", Code: storage.CodeNewerSchema,
				Message: fmt.Sprintf("the database was made by a newer Halley (schema %d, this program knows %d): "+
					"install the newer program, or restore an older backup", m.Number, len(list)),
			}
		case m.Number != newest || m.Checksum != list[newest-1].Checksum:
			return 0, &halley.Error{
				Kind: halley.Conflict, Op: "open the store", Code: "other-schema",
				Message: fmt.Sprintf("migration %d (%s) of the database is not the one of this program: "+
					"it was made by another build of Halley", m.Number, m.Name),
			}
		}
	}
	return newest, rows.Err()
}
