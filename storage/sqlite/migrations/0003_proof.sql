-- The proof: what shows that nothing was changed and nothing was lost. batch.digest and batch.previous_digest are filled from now
-- on; batches from before have none. docs/ledger.md says what the digests are over.
--
-- All of these tables are only added to. The one exception is a retention rule: behind a row of tombstone, and only for the UTC
-- days that it names, rows of message and unclocked can be deleted and packs of part taken away.

-- What a batch stored of one UTC day of measured-at (days since 1970-01-01): how many rows of message, the SHA-256 over them in
-- canonical form, and the same bytes compressed; pack is NULL where a retention rule took it away.
CREATE TABLE part (
  batch_id INTEGER NOT NULL,
  day      INTEGER NOT NULL,
  count    INTEGER NOT NULL,
  digest   BLOB    NOT NULL,
  pack     BLOB,
  PRIMARY KEY (batch_id, day)
);
CREATE INDEX part_by_day ON part (day, batch_id);

-- What one transaction added to the tables of facts (audit, organization, place, device, channel, attachment, limit, layout,
-- credential, token, ledger_key, tombstone, proof, interruption, gap_cause and what describes or ends them), chained over the
-- whole store. previous_digest is NULL for the first.
CREATE TABLE fact (
  fact_id         INTEGER PRIMARY KEY,
  at              INTEGER NOT NULL,
  count           INTEGER NOT NULL,
  digest          BLOB    NOT NULL,
  previous_digest BLOB,
  pack            BLOB    NOT NULL
);

-- How far the chains had come, signed by a node. kind is start, hour, day or stop.
CREATE TABLE "checkpoint" (
  checkpoint_id INTEGER PRIMARY KEY,
  node          TEXT    NOT NULL,
  at            INTEGER NOT NULL,
  kind          TEXT    NOT NULL,
  key_id        TEXT    NOT NULL,
  body          BLOB    NOT NULL,
  signature     BLOB    NOT NULL
);
CREATE INDEX checkpoint_by_node ON checkpoint (node, checkpoint_id);

-- The public keys by which checkpoints and tombstones are checked.
CREATE TABLE ledger_key (
  ledger_key_id INTEGER PRIMARY KEY,
  key_id        TEXT    NOT NULL UNIQUE,
  node          TEXT    NOT NULL,
  public_key    BLOB    NOT NULL,
  created_at    INTEGER NOT NULL,
  audit_id      INTEGER REFERENCES audit
);

-- The UTC days [from_day, to_day) that a retention rule removed, proposed and carried out by two people; body is what was signed.
CREATE TABLE tombstone (
  tombstone_id   INTEGER PRIMARY KEY,
  from_day       INTEGER NOT NULL,
  to_day         INTEGER NOT NULL,
  at             INTEGER NOT NULL,
  proposed_by    TEXT    NOT NULL,
  carried_out_by TEXT    NOT NULL,
  why            TEXT    NOT NULL,
  key_id         TEXT    NOT NULL,
  body           BLOB    NOT NULL,
  signature      BLOB    NOT NULL,
  audit_id       INTEGER REFERENCES audit
);

-- The result of a check: verify, backup, drill, restore, set-back or sent. summary is JSON.
CREATE TABLE proof (
  proof_id INTEGER PRIMARY KEY,
  at       INTEGER NOT NULL,
  node     TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  ok       INTEGER NOT NULL CHECK (ok IN (0, 1)),
  summary  TEXT    NOT NULL,
  audit_id INTEGER REFERENCES audit
);
CREATE INDEX proof_by_kind ON proof (kind, proof_id);

-- When a node could not take messages, by its own journal. kind is server-down or server-refused.
CREATE TABLE interruption (
  interruption_id INTEGER PRIMARY KEY,
  node            TEXT    NOT NULL,
  kind            TEXT    NOT NULL,
  from_at         INTEGER NOT NULL,
  to_at           INTEGER NOT NULL,
  UNIQUE (node, kind, from_at)
);
CREATE INDEX interruption_by_end ON interruption (to_at);

-- Why messages of a device are missing, as a person says; of two that overlap the later counts.
CREATE TABLE gap_cause (
  gap_cause_id INTEGER PRIMARY KEY,
  device_id    INTEGER NOT NULL REFERENCES device,
  from_at      INTEGER NOT NULL,
  to_at        INTEGER NOT NULL,
  cause        TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  audit_id     INTEGER REFERENCES audit
);
CREATE INDEX gap_cause_by_device ON gap_cause (device_id, gap_cause_id);

-- Rows of message go only behind a tombstone.
DROP TRIGGER message_no_delete;
CREATE TRIGGER message_no_delete BEFORE DELETE ON message
  WHEN NOT EXISTS (SELECT 1 FROM tombstone t
                    WHERE OLD.measured_at >= t.from_day * 86400000 AND OLD.measured_at < t.to_day * 86400000)
  BEGIN SELECT RAISE(ABORT, 'messages are never removed'); END;
CREATE TRIGGER unclocked_no_update BEFORE UPDATE ON unclocked BEGIN SELECT RAISE(ABORT, 'messages are never changed'); END;
CREATE TRIGGER unclocked_no_delete BEFORE DELETE ON unclocked
  WHEN NOT EXISTS (SELECT 1 FROM tombstone t
                    WHERE OLD.measured_at >= t.from_day * 86400000 AND OLD.measured_at < t.to_day * 86400000)
  BEGIN SELECT RAISE(ABORT, 'messages are never removed'); END;
CREATE TRIGGER unclocked_no_replace BEFORE INSERT ON unclocked
  WHEN EXISTS (SELECT 1 FROM unclocked WHERE device_id = NEW.device_id AND sample_sent = NEW.sample_sent
                  AND order_no = NEW.order_no AND config = NEW.config AND raw_kind = NEW.raw_kind)
  BEGIN SELECT RAISE(ABORT, 'messages are never changed'); END;

-- Of a part only the pack goes, and only behind a tombstone.
CREATE TRIGGER part_no_update BEFORE UPDATE ON part
  WHEN NEW.pack IS NOT NULL OR NEW.batch_id IS NOT OLD.batch_id OR NEW.day IS NOT OLD.day OR NEW.count IS NOT OLD.count
    OR NEW.digest IS NOT OLD.digest
    OR NOT EXISTS (SELECT 1 FROM tombstone t WHERE OLD.day >= t.from_day AND OLD.day < t.to_day)
  BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER part_no_delete BEFORE DELETE ON part BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER part_no_replace BEFORE INSERT ON part
  WHEN EXISTS (SELECT 1 FROM part WHERE batch_id = NEW.batch_id AND day = NEW.day)
  BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;

-- The other tables of the proof are only added to.
CREATE TRIGGER fact_no_update BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER fact_no_delete BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER fact_no_replace BEFORE INSERT ON fact
  WHEN EXISTS (SELECT 1 FROM fact WHERE fact_id = NEW.fact_id)
  BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER checkpoint_no_replace BEFORE INSERT ON checkpoint
  WHEN EXISTS (SELECT 1 FROM checkpoint WHERE checkpoint_id = NEW.checkpoint_id)
  BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER ledger_key_no_update BEFORE UPDATE ON ledger_key BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER ledger_key_no_delete BEFORE DELETE ON ledger_key BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER ledger_key_no_replace BEFORE INSERT ON ledger_key
  WHEN EXISTS (SELECT 1 FROM ledger_key WHERE ledger_key_id = NEW.ledger_key_id)
    OR EXISTS (SELECT 1 FROM ledger_key WHERE key_id = NEW.key_id)
  BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER tombstone_no_update BEFORE UPDATE ON tombstone BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER tombstone_no_delete BEFORE DELETE ON tombstone BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER tombstone_no_replace BEFORE INSERT ON tombstone
  WHEN EXISTS (SELECT 1 FROM tombstone WHERE tombstone_id = NEW.tombstone_id)
  BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER proof_no_update BEFORE UPDATE ON proof BEGIN SELECT RAISE(ABORT, 'results of checks are never changed'); END;
CREATE TRIGGER proof_no_delete BEFORE DELETE ON proof BEGIN SELECT RAISE(ABORT, 'results of checks are never changed'); END;
CREATE TRIGGER proof_no_replace BEFORE INSERT ON proof
  WHEN EXISTS (SELECT 1 FROM proof WHERE proof_id = NEW.proof_id)
  BEGIN SELECT RAISE(ABORT, 'results of checks are never changed'); END;
CREATE TRIGGER interruption_no_update BEFORE UPDATE ON interruption BEGIN SELECT RAISE(ABORT, 'interruptions are never changed'); END;
CREATE TRIGGER interruption_no_delete BEFORE DELETE ON interruption BEGIN SELECT RAISE(ABORT, 'interruptions are never changed'); END;
CREATE TRIGGER interruption_no_replace BEFORE INSERT ON interruption
  WHEN EXISTS (SELECT 1 FROM interruption WHERE interruption_id = NEW.interruption_id)
    OR EXISTS (SELECT 1 FROM interruption WHERE node = NEW.node AND kind = NEW.kind AND from_at = NEW.from_at)
  BEGIN SELECT RAISE(ABORT, 'interruptions are never changed'); END;
CREATE TRIGGER gap_cause_no_update BEFORE UPDATE ON gap_cause BEGIN SELECT RAISE(ABORT, 'causes are never changed'); END;
CREATE TRIGGER gap_cause_no_delete BEFORE DELETE ON gap_cause BEGIN SELECT RAISE(ABORT, 'causes are never changed'); END;
CREATE TRIGGER gap_cause_no_replace BEFORE INSERT ON gap_cause
  WHEN EXISTS (SELECT 1 FROM gap_cause WHERE gap_cause_id = NEW.gap_cause_id)
  BEGIN SELECT RAISE(ABORT, 'causes are never changed'); END;

-- So are the tables that decide what a sample means, whose rows are chained from now on.
CREATE TRIGGER organization_no_update BEFORE UPDATE ON organization BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER organization_no_delete BEFORE DELETE ON organization BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER organization_no_replace BEFORE INSERT ON organization
  WHEN EXISTS (SELECT 1 FROM organization WHERE organization_id = NEW.organization_id)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER organization_description_no_update BEFORE UPDATE ON organization_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER organization_description_no_delete BEFORE DELETE ON organization_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER organization_description_no_replace BEFORE INSERT ON organization_description
  WHEN EXISTS (SELECT 1 FROM organization_description WHERE organization_id = NEW.organization_id AND number = NEW.number)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER place_no_update BEFORE UPDATE ON place BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER place_no_delete BEFORE DELETE ON place BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER place_no_replace BEFORE INSERT ON place
  WHEN EXISTS (SELECT 1 FROM place WHERE place_id = NEW.place_id)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER place_description_no_update BEFORE UPDATE ON place_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER place_description_no_delete BEFORE DELETE ON place_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER place_description_no_replace BEFORE INSERT ON place_description
  WHEN EXISTS (SELECT 1 FROM place_description WHERE place_id = NEW.place_id AND number = NEW.number)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER device_no_update BEFORE UPDATE ON device BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER device_no_delete BEFORE DELETE ON device BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER device_no_replace BEFORE INSERT ON device
  WHEN EXISTS (SELECT 1 FROM device WHERE device_id = NEW.device_id)
    OR EXISTS (SELECT 1 FROM device WHERE family = NEW.family AND serial = NEW.serial)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER device_description_no_update BEFORE UPDATE ON device_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER device_description_no_delete BEFORE DELETE ON device_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER device_description_no_replace BEFORE INSERT ON device_description
  WHEN EXISTS (SELECT 1 FROM device_description WHERE device_id = NEW.device_id AND number = NEW.number)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER channel_no_update BEFORE UPDATE ON channel BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER channel_no_delete BEFORE DELETE ON channel BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER channel_no_replace BEFORE INSERT ON channel
  WHEN EXISTS (SELECT 1 FROM channel WHERE channel_id = NEW.channel_id)
    OR EXISTS (SELECT 1 FROM channel WHERE device_id = NEW.device_id AND number = NEW.number AND quantity = NEW.quantity AND unit = NEW.unit)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER channel_description_no_update BEFORE UPDATE ON channel_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER channel_description_no_delete BEFORE DELETE ON channel_description BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER channel_description_no_replace BEFORE INSERT ON channel_description
  WHEN EXISTS (SELECT 1 FROM channel_description WHERE channel_id = NEW.channel_id AND from_at = NEW.from_at)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER attachment_no_update BEFORE UPDATE ON attachment BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER attachment_no_delete BEFORE DELETE ON attachment BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER attachment_no_replace BEFORE INSERT ON attachment
  WHEN EXISTS (SELECT 1 FROM attachment WHERE attachment_id = NEW.attachment_id)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER limit_no_update BEFORE UPDATE ON "limit" BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER limit_no_delete BEFORE DELETE ON "limit" BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER limit_no_replace BEFORE INSERT ON "limit"
  WHEN EXISTS (SELECT 1 FROM "limit" WHERE limit_id = NEW.limit_id)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER credential_no_update BEFORE UPDATE ON credential BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER credential_no_delete BEFORE DELETE ON credential BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER credential_no_replace BEFORE INSERT ON credential
  WHEN EXISTS (SELECT 1 FROM credential WHERE credential_id = NEW.credential_id)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER token_no_update BEFORE UPDATE ON token BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER token_no_delete BEFORE DELETE ON token BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER token_no_replace BEFORE INSERT ON token
  WHEN EXISTS (SELECT 1 FROM token WHERE token_id = NEW.token_id)
    OR EXISTS (SELECT 1 FROM token WHERE hash = NEW.hash)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER token_end_no_update BEFORE UPDATE ON token_end BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER token_end_no_delete BEFORE DELETE ON token_end BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
CREATE TRIGGER token_end_no_replace BEFORE INSERT ON token_end
  WHEN EXISTS (SELECT 1 FROM token_end WHERE token_id = NEW.token_id)
  BEGIN SELECT RAISE(ABORT, 'the registry is only added to'); END;
