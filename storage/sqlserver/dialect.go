package sqlserver

import "halley/storage/internal/sqlkit"

// dialect is what SQL Server says in its own way. generation counts the connections of the store's pools.
func dialect(generation func() int64) sqlkit.Dialect {
	return sqlkit.Dialect{
		Kind:   "sqlserver",
		Schema: schemaPrefix,
		Limit:  " OFFSET 0 ROWS FETCH NEXT @limit ROWS ONLY",
		// The collation is that of the columns, so that texts compare with them.
		List:       "(SELECT j.value COLLATE Latin1_General_100_BIN2 AS value FROM OPENJSON(@list) j)",
		Now:        "DATEDIFF_BIG(millisecond, CAST('1970-01-01' AS datetime2(3)), SYSUTCDATETIME())",
		Lock:       lockAppends,
		Ready:      ready,
		Generation: generation,
		Bulk:       newBulk,
		Measure:    measure,
		Error:      mapError,
	}
}
