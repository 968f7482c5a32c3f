-- The proof: the ledger's parts, facts, checkpoints and keys, what retention removed, results of checks, and what explains
-- missing messages.
--
-- All of these tables are only added to. A message is removed, and the pack of a part with it, only for whole UTC days that a row
-- of tombstone covers, which the service may not write.

-- What a batch stored of one UTC day of measured-at (days since 1970-01-01). digest is the SHA-256 of the canonical bytes of the
-- rows, which docs/ledger.md describes; pack is the same bytes compressed, NULL once a retention rule removed the day.
CREATE TABLE halley.part (
  batch_id bigint NOT NULL,
  day      bigint NOT NULL,
  count    bigint NOT NULL,
  digest   varbinary(64) NOT NULL,
  pack     varbinary(max) NULL,
  CONSTRAINT pk_part PRIMARY KEY (batch_id, day)
);
CREATE INDEX part_by_day ON halley.part (day, batch_id);

-- What one transaction added to the registry, the audit trail and the other tables that are chained row by row.
CREATE TABLE halley.fact (
  fact_id         bigint NOT NULL CONSTRAINT pk_fact PRIMARY KEY,
  at              bigint NOT NULL,
  count           bigint NOT NULL,
  digest          varbinary(64) NOT NULL,
  previous_digest varbinary(64) NULL,
  pack            varbinary(max) NOT NULL
);

-- Signed statements of how far the chains had come.
CREATE TABLE halley.[checkpoint] (
  checkpoint_id bigint NOT NULL CONSTRAINT pk_checkpoint PRIMARY KEY,
  node          nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  at            bigint NOT NULL,
  kind          nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  key_id        nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  body          varbinary(max) NOT NULL,
  signature     varbinary(128) NOT NULL
);
CREATE INDEX checkpoint_by_node ON halley.[checkpoint] (node, checkpoint_id);

-- The public keys by which checkpoints and tombstones are checked.
CREATE TABLE halley.ledger_key (
  ledger_key_id bigint NOT NULL CONSTRAINT pk_ledger_key PRIMARY KEY,
  key_id        nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT uq_ledger_key UNIQUE,
  node          nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  public_key    varbinary(64) NOT NULL,
  created_at    bigint NOT NULL,
  audit_id      bigint NULL CONSTRAINT fk_ledger_key_audit REFERENCES halley.audit (audit_id)
);

-- What stands for the UTC days [from_day, to_day) that a retention rule removed: two people, why, and a signed text with the
-- numbers of what went.
CREATE TABLE halley.tombstone (
  tombstone_id   bigint NOT NULL CONSTRAINT pk_tombstone PRIMARY KEY,
  from_day       bigint NOT NULL,
  to_day         bigint NOT NULL,
  at             bigint NOT NULL,
  proposed_by    nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  carried_out_by nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  why            nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  key_id         nvarchar(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  body           varbinary(max) NOT NULL,
  signature      varbinary(128) NOT NULL,
  audit_id       bigint NULL CONSTRAINT fk_tombstone_audit REFERENCES halley.audit (audit_id)
);

-- Results of verifications, backups, drills and the like; summary is JSON.
CREATE TABLE halley.proof (
  proof_id bigint NOT NULL CONSTRAINT pk_proof PRIMARY KEY,
  at       bigint NOT NULL,
  node     nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  kind     nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ok       tinyint NOT NULL CONSTRAINT ck_proof_ok CHECK (ok IN (0, 1)),
  summary  nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  audit_id bigint NULL CONSTRAINT fk_proof_audit REFERENCES halley.audit (audit_id)
);
CREATE INDEX proof_by_kind ON halley.proof (kind, proof_id);

-- Spans in which a node could not take messages, by its own journal.
CREATE TABLE halley.interruption (
  interruption_id bigint NOT NULL CONSTRAINT pk_interruption PRIMARY KEY,
  node            nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  kind            nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  from_at         bigint NOT NULL,
  to_at           bigint NOT NULL,
  CONSTRAINT uq_interruption UNIQUE (node, kind, from_at)
);
CREATE INDEX interruption_by_end ON halley.interruption (to_at);

-- Why messages of a device are missing, as a person says; a later row counts over an earlier one.
CREATE TABLE halley.gap_cause (
  gap_cause_id bigint NOT NULL CONSTRAINT pk_gap_cause PRIMARY KEY,
  device_id    bigint NOT NULL CONSTRAINT fk_gap_cause_device REFERENCES halley.device (device_id),
  from_at      bigint NOT NULL,
  to_at        bigint NOT NULL,
  cause        nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  note         nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  audit_id     bigint NULL CONSTRAINT fk_gap_cause_audit REFERENCES halley.audit (audit_id)
);
CREATE INDEX gap_cause_by_device ON halley.gap_cause (device_id, gap_cause_id);
GO

-- Messages are still never changed, and removed only where a tombstone says so. A day has 86,400,000 ms.
DROP TRIGGER halley.message_stays;
GO
CREATE TRIGGER halley.message_stays ON halley.message INSTEAD OF UPDATE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51001, N'messages are never changed or removed', 1;
END;
GO
CREATE TRIGGER halley.message_goes_by_tombstone ON halley.message AFTER DELETE AS
BEGIN
  SET NOCOUNT ON;
  IF EXISTS (SELECT 1 FROM deleted d
              WHERE NOT EXISTS (SELECT 1 FROM halley.tombstone t
                                 WHERE d.measured_at >= t.from_day * 86400000 AND d.measured_at < t.to_day * 86400000))
    THROW 51001, N'messages are removed only for days that a tombstone covers', 1;
END;
GO
DROP TRIGGER halley.unclocked_stays;
GO
CREATE TRIGGER halley.unclocked_stays ON halley.unclocked INSTEAD OF UPDATE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51001, N'messages are never changed or removed', 1;
END;
GO
CREATE TRIGGER halley.unclocked_goes_by_tombstone ON halley.unclocked AFTER DELETE AS
BEGIN
  SET NOCOUNT ON;
  IF EXISTS (SELECT 1 FROM deleted d
              WHERE NOT EXISTS (SELECT 1 FROM halley.tombstone t
                                 WHERE d.measured_at >= t.from_day * 86400000 AND d.measured_at < t.to_day * 86400000))
    THROW 51001, N'messages are removed only for days that a tombstone covers', 1;
END;
GO
CREATE TRIGGER halley.part_stays ON halley.part INSTEAD OF DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
-- Only a pack goes, and only where a tombstone covers its day.
CREATE TRIGGER halley.part_pack_goes_by_tombstone ON halley.part AFTER UPDATE AS
BEGIN
  SET NOCOUNT ON;
  IF EXISTS (SELECT 1 FROM inserted i
              WHERE i.pack IS NOT NULL
                 OR NOT EXISTS (SELECT 1 FROM deleted d
                                 WHERE d.batch_id = i.batch_id AND d.day = i.day AND d.count = i.count AND d.digest = i.digest)
                 OR NOT EXISTS (SELECT 1 FROM halley.tombstone t WHERE i.day >= t.from_day AND i.day < t.to_day))
    THROW 51007, N'the ledger is only added to', 1;
END;
GO
CREATE TRIGGER halley.fact_stays ON halley.fact INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
CREATE TRIGGER halley.checkpoint_stays ON halley.[checkpoint] INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
CREATE TRIGGER halley.ledger_key_stays ON halley.ledger_key INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
CREATE TRIGGER halley.tombstone_stays ON halley.tombstone INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
CREATE TRIGGER halley.proof_stays ON halley.proof INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
CREATE TRIGGER halley.interruption_stays ON halley.interruption INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
CREATE TRIGGER halley.gap_cause_stays ON halley.gap_cause INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51007, N'the ledger is only added to', 1;
END;
GO
