-- The first schema of Halley's embedded store.
--
-- Times are whole milliseconds since 1970-01-01T00:00:00Z, in UTC. Ranges are half-open. Tables are named in the singular and
-- belong to the program; the views samples, latest, devices and channels at the end are for people and their tools, and their
-- columns are described there.
--
-- What decides the meaning of a sample is never overwritten: states, names, attachments, limits and credentials are dated rows
-- that are added, and the newest row counts. Triggers refuse to change what was measured and what was audited.

-- Who did what, when and why. old_value and new_value are JSON.
CREATE TABLE audit (
  audit_id      INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  actor_kind    TEXT    NOT NULL,
  actor_name    TEXT    NOT NULL,
  actor_session TEXT    NOT NULL,
  what          TEXT    NOT NULL,
  subject       TEXT    NOT NULL,
  old_value     TEXT    NOT NULL,
  new_value     TEXT    NOT NULL,
  why           TEXT    NOT NULL
);

-- A node of the tree that owns places, devices and users. Number 1 is the root.
CREATE TABLE organization (
  organization_id INTEGER PRIMARY KEY,
  parent_id       INTEGER REFERENCES organization,
  created_at      INTEGER NOT NULL
);

-- The name and the time zone (IANA) of an organization from one instant on.
CREATE TABLE organization_description (
  organization_id INTEGER NOT NULL REFERENCES organization,
  number          INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  name            TEXT    NOT NULL,
  time_zone       TEXT    NOT NULL,
  audit_id        INTEGER REFERENCES audit,
  PRIMARY KEY (organization_id, number)
) WITHOUT ROWID;

INSERT INTO organization VALUES (1, NULL, 0);
INSERT INTO organization_description VALUES (1, 1, 0, '', 'UTC', NULL);

-- A number that grows with every change to devices, channels, credentials and tokens.
CREATE TABLE registry_version (
  one     INTEGER PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL
);

INSERT INTO registry_version VALUES (1, 1);

-- A measuring point that people care about.
CREATE TABLE place (
  place_id        INTEGER PRIMARY KEY,
  organization_id INTEGER NOT NULL REFERENCES organization,
  created_at      INTEGER NOT NULL
);

CREATE TABLE place_description (
  place_id INTEGER NOT NULL REFERENCES place,
  number   INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  name     TEXT    NOT NULL,
  audit_id INTEGER REFERENCES audit,
  PRIMARY KEY (place_id, number)
) WITHOUT ROWID;

-- An instrument that uploads.
CREATE TABLE device (
  device_id     INTEGER PRIMARY KEY,
  family        TEXT    NOT NULL,
  serial        TEXT    NOT NULL,
  first_seen_at INTEGER NOT NULL,
  UNIQUE (family, serial)
);

-- What is known of a device, a whole row for every change; the highest number counts. self_name is what the device calls
-- itself, given_name what people call it; '' where there is none. audit_id names the act of a person or of the policy; it is
-- NULL where the device itself reported something new.
CREATE TABLE device_description (
  device_id  INTEGER NOT NULL REFERENCES device,
  number     INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  state      TEXT    NOT NULL,
  model      TEXT    NOT NULL,
  self_name  TEXT    NOT NULL,
  given_name TEXT    NOT NULL,
  place_id   INTEGER REFERENCES place,
  audit_id   INTEGER REFERENCES audit,
  PRIMARY KEY (device_id, number)
) WITHOUT ROWID;

-- One quantity that a device measures.
CREATE TABLE channel (
  channel_id INTEGER PRIMARY KEY,
  device_id  INTEGER NOT NULL REFERENCES device,
  number     INTEGER NOT NULL,
  quantity   TEXT    NOT NULL,
  unit       TEXT    NOT NULL,
  UNIQUE (device_id, number, quantity, unit)
);

-- The device's own name of a channel and its decimals from one instant on, by measured-at. Before the first row, the first
-- row counts.
CREATE TABLE channel_description (
  channel_id INTEGER NOT NULL REFERENCES channel,
  from_at    INTEGER NOT NULL,
  name       TEXT    NOT NULL,
  decimals   INTEGER NOT NULL,
  PRIMARY KEY (channel_id, from_at)
) WITHOUT ROWID;

-- From from_at on, by measured-at and up to the channel's next row, the channel is at this place; NULL is at none. Of two rows
-- with the same from_at the higher id counts.
CREATE TABLE attachment (
  attachment_id INTEGER PRIMARY KEY,
  channel_id    INTEGER NOT NULL REFERENCES channel,
  from_at       INTEGER NOT NULL,
  place_id      INTEGER REFERENCES place,
  audit_id      INTEGER REFERENCES audit
);
CREATE INDEX attachment_by_channel ON attachment (channel_id, from_at);
CREATE INDEX attachment_by_place ON attachment (place_id, from_at);

-- From from_at on, the values of a quantity at a place are held against this limit; a NULL value ends it. side is 'high' or
-- 'low', rank tells a warning from an alarm.
CREATE TABLE "limit" (
  limit_id   INTEGER PRIMARY KEY,
  place_id   INTEGER NOT NULL REFERENCES place,
  quantity   TEXT    NOT NULL,
  unit       TEXT    NOT NULL,
  side       TEXT    NOT NULL,
  rank       TEXT    NOT NULL,
  from_at    INTEGER NOT NULL,
  value      REAL,
  hysteresis REAL    NOT NULL,
  delay_ms   INTEGER NOT NULL,
  audit_id   INTEGER REFERENCES audit
);
CREATE INDEX limit_by_place ON "limit" (place_id, from_at);

-- What one transaction recorded of a node's journal. The digests belong to the ledger.
CREATE TABLE batch (
  batch_id        INTEGER PRIMARY KEY,
  node            TEXT    NOT NULL,
  journal_id      TEXT    NOT NULL,
  first_seq       INTEGER NOT NULL,
  last_seq        INTEGER NOT NULL,
  journal_hash    BLOB    NOT NULL,
  recorded_at     INTEGER NOT NULL,
  decoder         INTEGER NOT NULL,
  messages        INTEGER NOT NULL,
  samples         INTEGER NOT NULL,
  digest          BLOB,
  previous_digest BLOB
);
CREATE INDEX batch_by_node ON batch (node, batch_id);
CREATE INDEX batch_by_journal ON batch (node, journal_id, last_seq);

-- Which channel each slot of a device's messages belongs to.
CREATE TABLE layout (
  layout_id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES device
);
CREATE INDEX layout_by_device ON layout (device_id);

CREATE TABLE layout_slot (
  layout_id  INTEGER NOT NULL REFERENCES layout,
  part       INTEGER NOT NULL,
  slot       INTEGER NOT NULL CHECK (slot BETWEEN 1 AND 8),
  channel_id INTEGER NOT NULL REFERENCES channel,
  PRIMARY KEY (layout_id, part, slot)
) WITHOUT ROWID;
CREATE INDEX layout_slot_by_channel ON layout_slot (channel_id);

-- One decoded report. Messages of one instant have variant 0, 1, 2, ...; more than eight values take further parts, whose
-- rows hold only the keys and the values. A slot whose q is NULL is not there; a v is NULL where the quality has no value.
-- NULL in another column means that the device did not say. idx is the message's place in its upload, from 0.
-- References are kept by the program: checking three of them for every message would cost more than writing it.
CREATE TABLE message (
  device_id   INTEGER NOT NULL,
  measured_at INTEGER NOT NULL,
  variant     INTEGER NOT NULL,
  part        INTEGER NOT NULL,
  batch_id    INTEGER NOT NULL,
  layout_id   INTEGER NOT NULL,
  seq         INTEGER,
  idx         INTEGER,
  decoder     INTEGER,
  clock       INTEGER,
  sent_at     INTEGER,
  received_at INTEGER,
  order_no    INTEGER,
  kind        INTEGER,
  raw_kind    INTEGER,
  cache       INTEGER,
  interval    INTEGER,
  buffer      INTEGER,
  config      INTEGER,
  state       INTEGER,
  state_mask  INTEGER,
  signal      INTEGER,
  battery     INTEGER,
  v1 REAL, q1 INTEGER, v2 REAL, q2 INTEGER, v3 REAL, q3 INTEGER, v4 REAL, q4 INTEGER,
  v5 REAL, q5 INTEGER, v6 REAL, q6 INTEGER, v7 REAL, q7 INTEGER, v8 REAL, q8 INTEGER,
  PRIMARY KEY (device_id, measured_at, variant, part)
) WITHOUT ROWID;

-- The identity of messages whose measured-at depends on when they were received, so that a repeat is found: the device's own
-- sample time, -1 for what it did not say, and where the message was stored.
CREATE TABLE unclocked (
  device_id   INTEGER NOT NULL,
  sample_sent INTEGER NOT NULL,
  order_no    INTEGER NOT NULL,
  config      INTEGER NOT NULL,
  raw_kind    INTEGER NOT NULL,
  measured_at INTEGER NOT NULL,
  variant     INTEGER NOT NULL,
  PRIMARY KEY (device_id, sample_sent, order_no, config, raw_kind)
) WITHOUT ROWID;

-- Repeats that were received, by device and UTC day of receipt (days since 1970-01-01).
CREATE TABLE tally (
  device_id  INTEGER NOT NULL,
  day        INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  conflicts  INTEGER NOT NULL,
  PRIMARY KEY (device_id, day)
) WITHOUT ROWID;

-- Derived from message and rebuilt from it at any time. Level 1 is an hour (period: hours since 1970-01-01) with six buckets
-- of ten minutes, level 2 a day (days) with 24 hours, level 3 a block of 32 days (days/32) with its days.
CREATE TABLE rollup (
  channel_id INTEGER NOT NULL,
  level      INTEGER NOT NULL,
  period     INTEGER NOT NULL,
  pack       BLOB    NOT NULL,
  PRIMARY KEY (channel_id, level, period)
) WITHOUT ROWID;

-- The periods of a device whose rollups are not right until they are computed again.
CREATE TABLE rollup_mark (
  device_id INTEGER NOT NULL,
  level     INTEGER NOT NULL,
  period    INTEGER NOT NULL,
  PRIMARY KEY (device_id, level, period)
) WITHOUT ROWID;
CREATE INDEX rollup_mark_in_order ON rollup_mark (level, period);

-- What devices prove themselves by. The newest row of a device and kind counts; a NULL hash ends it.
CREATE TABLE credential (
  credential_id INTEGER PRIMARY KEY,
  device_id     INTEGER NOT NULL REFERENCES device,
  kind          TEXT    NOT NULL,
  hash          BLOB,
  created_at    INTEGER NOT NULL,
  audit_id      INTEGER REFERENCES audit
);
CREATE INDEX credential_by_device ON credential (device_id, kind, credential_id);

-- Bearer tokens of programs; expires_at 0 is never.
CREATE TABLE token (
  token_id   INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  hash       BLOB    NOT NULL UNIQUE,
  role       TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  audit_id   INTEGER REFERENCES audit
);
CREATE INDEX token_by_name ON token (name);

CREATE TABLE token_end (
  token_id   INTEGER PRIMARY KEY REFERENCES token,
  revoked_at INTEGER NOT NULL,
  audit_id   INTEGER REFERENCES audit
);

-- Sessions of browsers, by the hash of their cookie. They are no facts and are deleted.
CREATE TABLE session (
  hash       TEXT    PRIMARY KEY,
  data       BLOB    NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_by_end ON session (expires_at);

-- The servers that share this store, and which of them does work that must be done once.
CREATE TABLE node (
  node        TEXT    PRIMARY KEY,
  first_seen_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE lease (
  name     TEXT    PRIMARY KEY,
  holder   TEXT    NOT NULL,
  until_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Nothing that was measured or audited is changed or removed. Inserting over an existing key is refused too, also with
-- INSERT OR REPLACE, which would not fire the triggers on deletion. For message the insertion is left out without a word,
-- because the program itself finds repeats by inserting.
CREATE TRIGGER message_no_update BEFORE UPDATE ON message BEGIN SELECT RAISE(ABORT, 'messages are never changed'); END;
CREATE TRIGGER message_no_delete BEFORE DELETE ON message BEGIN SELECT RAISE(ABORT, 'messages are never removed'); END;
CREATE TRIGGER message_no_replace BEFORE INSERT ON message
  WHEN EXISTS (SELECT 1 FROM message WHERE device_id = NEW.device_id AND measured_at = NEW.measured_at
                  AND variant = NEW.variant AND part = NEW.part)
  BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER batch_no_update BEFORE UPDATE ON batch BEGIN SELECT RAISE(ABORT, 'batches are never changed'); END;
CREATE TRIGGER batch_no_delete BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'batches are never removed'); END;
CREATE TRIGGER batch_no_replace BEFORE INSERT ON batch
  WHEN EXISTS (SELECT 1 FROM batch WHERE batch_id = NEW.batch_id)
  BEGIN SELECT RAISE(ABORT, 'batches are never changed'); END;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
  WHEN EXISTS (SELECT 1 FROM audit WHERE audit_id = NEW.audit_id)
  BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER layout_no_update BEFORE UPDATE ON layout BEGIN SELECT RAISE(ABORT, 'layouts are never changed'); END;
CREATE TRIGGER layout_no_delete BEFORE DELETE ON layout BEGIN SELECT RAISE(ABORT, 'layouts are never removed'); END;
CREATE TRIGGER layout_no_replace BEFORE INSERT ON layout
  WHEN EXISTS (SELECT 1 FROM layout WHERE layout_id = NEW.layout_id)
  BEGIN SELECT RAISE(ABORT, 'layouts are never changed'); END;
CREATE TRIGGER layout_slot_no_update BEFORE UPDATE ON layout_slot BEGIN SELECT RAISE(ABORT, 'layouts are never changed'); END;
CREATE TRIGGER layout_slot_no_delete BEFORE DELETE ON layout_slot BEGIN SELECT RAISE(ABORT, 'layouts are never removed'); END;
CREATE TRIGGER layout_slot_no_replace BEFORE INSERT ON layout_slot
  WHEN EXISTS (SELECT 1 FROM layout_slot WHERE layout_id = NEW.layout_id AND part = NEW.part AND slot = NEW.slot)
  BEGIN SELECT RAISE(ABORT, 'layouts are never changed'); END;

-- devices: one row a device.
--   device_id      the device's number in Halley, for ever
--   device_family  websensor, wifi, tax6xx or modem
--   device_serial  the serial number
--   model          the maker's name of it; '' where it is not known
--   name           what people call it, else what it calls itself, else its model and serial number
--   state          new, accepted, suspended, rejected or retired
--   first_seen_at  when it was heard of first: ISO 8601 in UTC with milliseconds
--   first_seen_ms  the same in milliseconds since 1970-01-01T00:00:00Z
--   place_id       the place that was made at its acceptance; NULL before
--   place_name     that place's name
--   simulated      1 where the serial number is one of the simulator's, else 0
CREATE VIEW devices AS
SELECT d.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       x.model,
       CASE WHEN x.given_name <> '' THEN x.given_name WHEN x.self_name <> '' THEN x.self_name
            WHEN x.model <> '' THEN x.model || ' ' || d.serial ELSE d.serial END AS name,
       x.state,
       strftime('%Y-%m-%dT%H:%M:%S', d.first_seen_at / 1000, 'unixepoch') || printf('.%03dZ', d.first_seen_at % 1000)
         AS first_seen_at,
       d.first_seen_at AS first_seen_ms,
       x.place_id,
       (SELECT p.name FROM place_description p WHERE p.place_id = x.place_id ORDER BY p.number DESC LIMIT 1) AS place_name,
       d.serial GLOB '0000[0-9][0-9][0-9][0-9]' AND d.serial <> '00000000' AS simulated
  FROM device d
  JOIN device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(n.number) FROM device_description n WHERE n.device_id = d.device_id);

-- channels: one row a channel, those that ended too.
--   channel_id      the channel's number in Halley, for ever
--   device_id, device_family, device_serial  the device it belongs to
--   channel_number  the device's own number of the channel, from 1
--   channel_name    the device's own name of the channel, the newest
--   quantity        what is measured
--   unit            the device's own text for the unit; '' where there is none
--   decimals        how many decimal places the device shows, the newest
--   ended           1 where the device's newest message has no such channel, else 0
CREATE VIEW channels AS
SELECT c.channel_id,
       c.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       c.number AS channel_number,
       (SELECT x.name FROM channel_description x WHERE x.channel_id = c.channel_id ORDER BY x.from_at DESC LIMIT 1)
         AS channel_name,
       c.quantity,
       c.unit,
       (SELECT x.decimals FROM channel_description x WHERE x.channel_id = c.channel_id ORDER BY x.from_at DESC LIMIT 1)
         AS decimals,
       NOT EXISTS (SELECT 1 FROM layout_slot s
                    WHERE s.channel_id = c.channel_id
                      AND s.layout_id = (SELECT m.layout_id FROM message m WHERE m.device_id = c.device_id
                                          ORDER BY m.measured_at DESC, m.variant DESC, m.part DESC LIMIT 1)) AS ended
  FROM channel c
  JOIN device d ON d.device_id = c.device_id;

-- samples: one row a sample. To read one channel, say WHERE channel_id = ... AND measured_ms >= ... AND measured_ms < ...;
-- all conditions but those on device_id, channel_id and measured_ms read every row.
--   device_id, device_family, device_serial  the device
--   channel_id, channel_number  the channel
--   channel_name    the device's own name of the channel at that time
--   quantity, unit  what is measured, in what unit
--   measured_at     when it was measured: ISO 8601 in UTC with milliseconds
--   measured_ms     the same in milliseconds since 1970-01-01T00:00:00Z
--   value           the value; NULL where the quality has none
--   quality         good or why there is no value, then marks, separated by blanks
--   quality_code    the same as stored
--   received_at, received_ms  when Halley received it
--   variant         0, 1, 2, ... for different messages of one instant
--   batch_id        the batch that recorded it
--   seq             the sequence number of the upload in its journal
--   decoder         the version of the decoding
CREATE VIEW samples AS
SELECT h.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       c.channel_id,
       c.number AS channel_number,
       COALESCE((SELECT x.name FROM channel_description x WHERE x.channel_id = c.channel_id AND x.from_at <= h.measured_at
                  ORDER BY x.from_at DESC LIMIT 1),
                (SELECT x.name FROM channel_description x WHERE x.channel_id = c.channel_id ORDER BY x.from_at LIMIT 1))
         AS channel_name,
       c.quantity,
       c.unit,
       strftime('%Y-%m-%dT%H:%M:%S', h.measured_at / 1000, 'unixepoch') || printf('.%03dZ', h.measured_at % 1000)
         AS measured_at,
       h.measured_at AS measured_ms,
       CASE s.slot WHEN 1 THEN m.v1 WHEN 2 THEN m.v2 WHEN 3 THEN m.v3 WHEN 4 THEN m.v4
                   WHEN 5 THEN m.v5 WHEN 6 THEN m.v6 WHEN 7 THEN m.v7 ELSE m.v8 END AS value,
       (SELECT CASE q & 15 WHEN 0 THEN 'good' WHEN 1 THEN 'error-' || (q >> 4 & 255) WHEN 2 THEN 'above-range'
                           WHEN 3 THEN 'below-range' WHEN 4 THEN 'not-ready' ELSE 'not-available' END
               || CASE q >> 12 & 3 WHEN 1 THEN ' alarm1' WHEN 2 THEN ' alarm1-high' WHEN 3 THEN ' alarm1-low' ELSE '' END
               || CASE q >> 14 & 3 WHEN 1 THEN ' alarm2' WHEN 2 THEN ' alarm2-high' WHEN 3 THEN ' alarm2-low' ELSE '' END
               || CASE WHEN q & 65536 THEN ' clock-invalid' ELSE '' END
               || CASE WHEN q & 131072 THEN ' server-time' ELSE '' END
               || CASE WHEN q & 262144 THEN ' test' ELSE '' END
               || CASE WHEN h.received_at - h.measured_at > MAX(2000 * h.interval, 60000)
                            + CASE WHEN h.buffer > 1 THEN 1000 * h.interval * h.buffer ELSE 0 END
                       THEN ' late' ELSE '' END
          FROM (SELECT CASE s.slot WHEN 1 THEN m.q1 WHEN 2 THEN m.q2 WHEN 3 THEN m.q3 WHEN 4 THEN m.q4
                                   WHEN 5 THEN m.q5 WHEN 6 THEN m.q6 WHEN 7 THEN m.q7 ELSE m.q8 END AS q)) AS quality,
       CASE s.slot WHEN 1 THEN m.q1 WHEN 2 THEN m.q2 WHEN 3 THEN m.q3 WHEN 4 THEN m.q4
                   WHEN 5 THEN m.q5 WHEN 6 THEN m.q6 WHEN 7 THEN m.q7 ELSE m.q8 END AS quality_code,
       strftime('%Y-%m-%dT%H:%M:%S', h.received_at / 1000, 'unixepoch') || printf('.%03dZ', h.received_at % 1000)
         AS received_at,
       h.received_at AS received_ms,
       h.variant,
       h.batch_id,
       h.seq,
       h.decoder
  FROM message h
  JOIN layout_slot s ON s.layout_id = h.layout_id
  JOIN message m ON m.device_id = h.device_id AND m.measured_at = h.measured_at AND m.variant = h.variant AND m.part = s.part
  JOIN channel c ON c.channel_id = s.channel_id AND c.device_id = h.device_id
  JOIN device d ON d.device_id = h.device_id
 WHERE h.part = 0
   AND CASE s.slot WHEN 1 THEN m.q1 WHEN 2 THEN m.q2 WHEN 3 THEN m.q3 WHEN 4 THEN m.q4
                   WHEN 5 THEN m.q5 WHEN 6 THEN m.q6 WHEN 7 THEN m.q7 ELSE m.q8 END IS NOT NULL;

-- latest: the newest sample of each channel that has not ended, with the columns of samples.
CREATE VIEW latest AS
SELECT s.*
  FROM device n
  JOIN samples s ON s.device_id = n.device_id
   AND s.measured_ms = (SELECT MAX(m.measured_at) FROM message m WHERE m.device_id = n.device_id)
   AND s.variant = (SELECT MAX(m.variant) FROM message m WHERE m.device_id = n.device_id
                       AND m.measured_at = (SELECT MAX(o.measured_at) FROM message o WHERE o.device_id = n.device_id));
