-- Halley: the database and its settings. For an administrator of SQL Server. Run again, it changes nothing.
USE [master];
GO
IF DB_ID({{text .Database}}) IS NULL EXEC({{text .CreateDatabase}});
GO
-- Readers never wait for writers. This waits until nobody else is connected to the database.
IF (SELECT is_read_committed_snapshot_on FROM sys.databases WHERE name = {{text .Database}}) = 0
  EXEC({{text .Snapshots}});
GO
