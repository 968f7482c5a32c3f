-- Halley: the schema, in numbered migrations. For the owner of the database. A migration that is there already is left out; one
-- that fails leaves nothing behind.
USE {{name .Database}};
GO
IF SCHEMA_ID(N'halley') IS NULL EXEC(N'CREATE SCHEMA halley AUTHORIZATION dbo');
GO
{{.SchemaTable}};
GO
{{range .Migrations -}}
SET XACT_ABORT ON;
IF NOT EXISTS (SELECT 1 FROM halley.schema_migration WHERE number = {{.Number}})
BEGIN TRY
  BEGIN TRANSACTION;
{{- range .Batches}}
  EXEC({{text .}});
{{- end}}
  INSERT INTO halley.schema_migration (number, name, checksum, applied_at)
  VALUES ({{.Number}}, {{text .Name}}, {{text .Checksum}},
          DATEDIFF_BIG(millisecond, CAST('1970-01-01' AS datetime2(3)), SYSUTCDATETIME()));
  COMMIT TRANSACTION;
END TRY
BEGIN CATCH
  IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
  THROW;
END CATCH;
GO
{{end -}}
-- Half the room for the samples, where the edition has page compression and there are none yet.
IF NOT EXISTS (SELECT 1 FROM halley.message)
  AND EXISTS (SELECT 1 FROM sys.partitions WHERE object_id = OBJECT_ID(N'halley.message') AND data_compression <> 2)
  AND CAST(SERVERPROPERTY('ProductMajorVersion') AS int) >= 13
  EXEC({{text .Compress}});
GO
