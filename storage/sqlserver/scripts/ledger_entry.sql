-- The digests of batches, facts and checkpoints once more, in a table to which SQL Server itself lets nobody but add: not even an
-- administrator changes or removes a row of it, and SQL Server chains what is added with digests of its own. Triggers fill it, so
-- that the service needs no right on it.
CREATE TABLE halley.ledger_entry (
  kind     nvarchar(16) COLLATE Latin1_General_100_BIN2 NOT NULL,
  entry_id bigint NOT NULL,
  digest   varbinary(64) NOT NULL,
  CONSTRAINT pk_ledger_entry PRIMARY KEY (kind, entry_id)
) WITH (LEDGER = ON (APPEND_ONLY = ON));
GO
CREATE TRIGGER halley.batch_enters_ledger ON halley.batch AFTER INSERT AS
BEGIN
  SET NOCOUNT ON;
  INSERT INTO halley.ledger_entry (kind, entry_id, digest)
  SELECT N'batch', i.batch_id, i.digest FROM inserted i WHERE i.digest IS NOT NULL;
END;
GO
CREATE TRIGGER halley.fact_enters_ledger ON halley.fact AFTER INSERT AS
BEGIN
  SET NOCOUNT ON;
  INSERT INTO halley.ledger_entry (kind, entry_id, digest) SELECT N'fact', i.fact_id, i.digest FROM inserted i;
END;
GO
CREATE TRIGGER halley.checkpoint_enters_ledger ON halley.[checkpoint] AFTER INSERT AS
BEGIN
  SET NOCOUNT ON;
  INSERT INTO halley.ledger_entry (kind, entry_id, digest)
  SELECT N'checkpoint', i.checkpoint_id, CAST(HASHBYTES('SHA2_256', i.body) AS varbinary(64)) FROM inserted i;
END;
GO
-- What is there already. When a row was added stands in SQL Server's own ledger.
INSERT INTO halley.ledger_entry (kind, entry_id, digest)
SELECT N'batch', b.batch_id, b.digest FROM halley.batch b WHERE b.digest IS NOT NULL;
INSERT INTO halley.ledger_entry (kind, entry_id, digest)
SELECT N'fact', f.fact_id, f.digest FROM halley.fact f;
INSERT INTO halley.ledger_entry (kind, entry_id, digest)
SELECT N'checkpoint', c.checkpoint_id, CAST(HASHBYTES('SHA2_256', c.body) AS varbinary(64)) FROM halley.[checkpoint] c;
GO
-- What the tables of Halley say otherwise than ledger_entry; empty where nobody changed anything.
CREATE VIEW halley.ledger_difference AS
SELECT COALESCE(e.kind, x.kind) AS kind,
       COALESCE(e.entry_id, x.entry_id) AS entry_id,
       CASE WHEN e.entry_id IS NULL THEN N'added' WHEN x.entry_id IS NULL THEN N'missing' ELSE N'changed' END AS what
  FROM halley.ledger_entry e
  FULL JOIN (SELECT N'batch' AS kind, b.batch_id AS entry_id, b.digest FROM halley.batch b WHERE b.digest IS NOT NULL
              UNION ALL
             SELECT N'fact', f.fact_id, f.digest FROM halley.fact f
              UNION ALL
             SELECT N'checkpoint', c.checkpoint_id, CAST(HASHBYTES('SHA2_256', c.body) AS varbinary(64))
               FROM halley.[checkpoint] c) x
    ON x.kind = e.kind AND x.entry_id = e.entry_id
 WHERE e.entry_id IS NULL OR x.entry_id IS NULL OR e.digest <> x.digest;
GO
