-- Halley: the append-only ledger table of SQL Server 2022 and newer. For the owner of the database, after the schema. Run again, it
-- changes nothing. A ledger table cannot be made an ordinary one again.
USE {{name .Database}};
GO
SET XACT_ABORT ON;
IF {{.Able}} = 0
  PRINT N'This SQL Server has no ledger tables: they came with SQL Server 2022. Halley''s own ledger does not need them.';
IF {{.Able}} = 1 AND OBJECT_ID(N'halley.ledger_entry') IS NULL
BEGIN TRY
  BEGIN TRANSACTION;
{{- range .Batches}}
  EXEC({{text .}});
{{- end}}
{{- range .Grants}}
  EXEC({{text .}});
{{- end}}
  COMMIT TRANSACTION;
END TRY
BEGIN CATCH
  IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION;
  THROW;
END CATCH;
GO
