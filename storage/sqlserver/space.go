package sqlserver

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"halley/storage/internal/sqlkit"
)

const (
	selectEngine = `
SELECT @@VERSION,
       COALESCE(CAST(SERVERPROPERTY('Edition') AS nvarchar(128)), N''),
       COALESCE(CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)), N''),
       COALESCE(CAST(SERVERPROPERTY('EngineEdition') AS int), 0)`

	// What the pages in use take, which everybody may ask.
	selectUsed = `
SELECT COALESCE(SUM(CAST(FILEPROPERTY(f.name, 'SpaceUsed') AS bigint)), 0) FROM sys.database_files f WHERE f.type = 0`

	// A file that does not grow, or not for ever, bounds the database where all its data files do.
	selectFiles = `
SELECT COALESCE(SUM(CAST(f.size AS bigint)), 0),
       COALESCE(SUM(CASE WHEN f.growth = 0 OR f.max_size = 0 THEN CAST(f.size AS bigint) ELSE CAST(f.max_size AS bigint) END), 0),
       COALESCE(SUM(CASE WHEN f.growth <> 0 AND f.max_size < 0 THEN 1 ELSE 0 END), 0)
  FROM sys.database_files f
 WHERE f.type = 0`
)

const (
	pageBytes = 8192
	// expressEngine is the EngineEdition of Express.
	expressEngine = 4
	// expressBytes is what a database of Express may hold in its data files; SQL Server 2025 (17) raised it.
	expressBytes     = 10 << 30
	expressBytes2025 = 50 << 30
	version2016      = 13
	version2025      = 17
)

// ability is what an engine says of itself.
type ability struct {
	major, edition int
}

// compresses says that every edition has page compression, which came with a service pack to 2016.
func (a ability) compresses() bool { return a.major >= version2016 }

// bytes is what the edition lets a database hold; 0 for no limit.
func (a ability) bytes() int64 {
	switch {
	case a.edition != expressEngine:
		return 0
	case a.major >= version2025:
		return expressBytes2025
	}
	return expressBytes
}

// describeEngine says in words which engine it is, as in "Microsoft SQL Server 2022 (RTM-CU14), Express Edition (64-bit),
// 16.0.4135.4".
func describeEngine(ctx context.Context, q querier) (string, ability, error) {
	var banner, edition, version string
	var a ability
	if err := q.QueryRowContext(ctx, selectEngine).Scan(&banner, &edition, &version, &a.edition); err != nil {
		return "", a, fmt.Errorf("asking for the version of the engine: %w", err)
	}
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil {
		a.major = n
	}
	name, _, _ := strings.Cut(banner, "\n")
	name, _, _ = strings.Cut(name, " - ")
	if name, _, _ = strings.Cut(name, " (KB"); name == "" {
		name = "SQL Server"
	}
	words := []string{strings.TrimSpace(name)}
	for _, w := range []string{edition, version} {
		if w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", "), a, nil
}

// measure gives the size of the database and what bounds it.
func measure(ctx context.Context, db *sql.DB) (sqlkit.Measure, error) {
	engine, a, err := describeEngine(ctx, db)
	if err != nil {
		return sqlkit.Measure{}, err
	}
	m := sqlkit.Measure{Engine: engine}
	var size, most, unbounded int64
	if err := db.QueryRowContext(ctx, selectFiles).Scan(&size, &most, &unbounded); err != nil {
		return sqlkit.Measure{}, fmt.Errorf("measuring the files of the database: %w", err)
	}
	var used int64
	if err := db.QueryRowContext(ctx, selectUsed).Scan(&used); err != nil || used == 0 {
		// Not every engine counts the pages in use: the files are no smaller.
		used = size
	}
	m.Bytes = used * pageBytes
	if unbounded == 0 && most > 0 {
		m.LimitBytes, m.Limit = max(most, size)*pageBytes, "file-size"
	}
	if edition := a.bytes(); edition > 0 && (m.LimitBytes == 0 || edition < m.LimitBytes) {
		m.LimitBytes, m.Limit = edition, "edition"
	}
	return m, nil
}
