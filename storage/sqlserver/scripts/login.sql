-- The login {{.Login}} and its user in the database. For an administrator of SQL Server. Write either a Windows account, as
-- DOMAIN\ACCOUNT (a group-managed one as DOMAIN\ACCOUNT$), or a password between the quotes. Without either the login is not
-- made. Use a login of its own for each of the four.
USE {{name .Database}};
GO
DECLARE @login sysname = N'{{.Login}}';
DECLARE @password nvarchar(128) = N'';
DECLARE @statement nvarchar(max);
IF SUSER_ID(@login) IS NULL AND CHARINDEX(N'\', @login) > 0
  SET @statement = N'CREATE LOGIN ' + QUOTENAME(@login) + N' FROM WINDOWS';
IF SUSER_ID(@login) IS NULL AND CHARINDEX(N'\', @login) = 0 AND @password <> N''
  SET @statement = N'CREATE LOGIN ' + QUOTENAME(@login) + N' WITH PASSWORD = N''' + REPLACE(@password, N'''', N'''''') + N'''';
IF @statement IS NOT NULL EXEC(@statement);
IF SUSER_ID(@login) IS NULL
  PRINT N'The login ' + @login + N' was not made: write its password into the script.';
IF SUSER_ID(@login) IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = @login)
BEGIN
  SET @statement = N'CREATE USER ' + QUOTENAME(@login) + N' FOR LOGIN ' + QUOTENAME(@login);
  EXEC(@statement);
END;
IF EXISTS (SELECT 1 FROM sys.database_principals WHERE name = @login)
BEGIN
  SET @statement = N'ALTER ROLE {{.Role}} ADD MEMBER ' + QUOTENAME(@login);
  EXEC(@statement);
END;
GO
{{if .Server -}}
-- To restore a backup for a drill, the keeper creates a database. SQL Server cannot bind that right to a name: with it the
-- login may create databases of any name, and owns those that it created. It may not touch the ones of others, which the server
-- role dbcreator could. Halley's own drills only use databases named halley_drill_*.
USE [master];
GO
DECLARE @login sysname = N'{{.Login}}';
DECLARE @statement nvarchar(max);
IF SUSER_ID(@login) IS NOT NULL
BEGIN
  SET @statement = N'GRANT CREATE ANY DATABASE TO ' + QUOTENAME(@login);
  EXEC(@statement);
END;
GO
{{end -}}
