-- What several servers on one database need, and what is derived for reports. An embedded store has one server only, but it has
-- the same tables, so that one program and one set of tools serves both.
--
-- Tables of facts are only added to now: also the version of the registry and the counts of repeats, which were overwritten
-- before. What is still overwritten or removed is derived (rollup, rollup_mark, completeness_day) or no fact (session, lease,
-- node).

-- seq is the sequence number of the journal entry in which an act was noted; NULL for an act that was written at once. With at,
-- what, actor_name and subject it is what a journaled act is known by.
ALTER TABLE audit ADD COLUMN seq INTEGER;
CREATE INDEX audit_by_time ON audit (at);

-- The highest version is a number that grows with every change to devices, channels, credentials and tokens.
CREATE TABLE registry_change (
  version INTEGER PRIMARY KEY
);
INSERT INTO registry_change SELECT version FROM registry_version;
DROP TABLE registry_version;

-- Repeats that were received, by device, UTC day of receipt (days since 1970-01-01) and the batch that held them. batch_id 0 is
-- what was counted before there was one.
ALTER TABLE tally RENAME TO tally_before;
CREATE TABLE tally (
  device_id  INTEGER NOT NULL,
  day        INTEGER NOT NULL,
  batch_id   INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  conflicts  INTEGER NOT NULL,
  PRIMARY KEY (device_id, day, batch_id)
) WITHOUT ROWID;
INSERT INTO tally SELECT device_id, day, 0, duplicates, conflicts FROM tally_before;
DROP TABLE tally_before;

-- Work that must be done once, whichever server does it. A row stays for ever: fence grows each time the lease goes to another.
-- until_at is by the database's clock.
DROP TABLE lease;
CREATE TABLE lease (
  name     TEXT    PRIMARY KEY,
  holder   TEXT    NOT NULL,
  fence    INTEGER NOT NULL,
  until_at INTEGER NOT NULL
) WITHOUT ROWID;

-- The servers that share this store, with the journal that each writes, as they said of themselves at seen_at, by the
-- database's clock. waiting is how many journal entries were not recorded yet, oldest_waiting since when; 0 for none.
DROP TABLE node;
CREATE TABLE node (
  node           TEXT    NOT NULL,
  journal_id     TEXT    NOT NULL,
  holder         TEXT    NOT NULL,
  version        TEXT    NOT NULL,
  waiting        INTEGER NOT NULL,
  oldest_waiting INTEGER NOT NULL,
  first_seen_at  INTEGER NOT NULL,
  seen_at        INTEGER NOT NULL,
  PRIMARY KEY (node, journal_id)
) WITHOUT ROWID;

-- How far a journal is recorded does not depend on the node's name.
DROP INDEX batch_by_journal;
CREATE INDEX batch_by_journal ON batch (journal_id, last_seq);

-- The finished UTC days (days since 1970-01-01) of devices that a batch stored messages, duplicates or conflicts of.
CREATE TABLE completeness_change (
  batch_id  INTEGER NOT NULL,
  device_id INTEGER NOT NULL,
  day       INTEGER NOT NULL,
  PRIMARY KEY (batch_id, device_id, day)
) WITHOUT ROWID;

-- What was expected and received on a finished UTC day of a device. batch_id is the newest batch when it was counted; -1 where
-- it is known to be wrong. Derived from message and tally, and rebuilt from them at any time.
CREATE TABLE completeness_day (
  device_id  INTEGER NOT NULL,
  day        INTEGER NOT NULL,
  batch_id   INTEGER NOT NULL,
  expected   INTEGER NOT NULL,
  received   INTEGER NOT NULL,
  late       INTEGER NOT NULL,
  missing    INTEGER NOT NULL,
  uncertain  INTEGER NOT NULL,
  duplicates INTEGER NOT NULL,
  conflicts  INTEGER NOT NULL,
  extra      INTEGER NOT NULL,
  PRIMARY KEY (device_id, day)
) WITHOUT ROWID;
CREATE INDEX completeness_day_by_batch ON completeness_day (batch_id);
-- Each batch looks for the newest day that was counted.
CREATE INDEX completeness_day_by_day ON completeness_day (day);

-- An alarm of a place: when it occurred, by the sample that began it, and when Halley learned of it. NULL is not yet, or no
-- channel, or no limit. It is begun once and then ended and acknowledged.
CREATE TABLE alarm (
  alarm_id        INTEGER PRIMARY KEY,
  place_id        INTEGER NOT NULL REFERENCES place,
  channel_id      INTEGER REFERENCES channel,
  limit_id        INTEGER REFERENCES "limit",
  kind            TEXT    NOT NULL,
  rank            TEXT    NOT NULL,
  occurred_at     INTEGER NOT NULL,
  learned_at      INTEGER NOT NULL,
  ended_at        INTEGER,
  acknowledged_at INTEGER,
  acknowledged_by TEXT
);
CREATE INDEX alarm_by_place ON alarm (place_id, occurred_at);

-- The tables that are only added to refuse everything else.
CREATE TRIGGER registry_change_no_update BEFORE UPDATE ON registry_change
  BEGIN SELECT RAISE(ABORT, 'versions of the registry are never changed'); END;
CREATE TRIGGER registry_change_no_delete BEFORE DELETE ON registry_change
  BEGIN SELECT RAISE(ABORT, 'versions of the registry are never removed'); END;
CREATE TRIGGER registry_change_no_replace BEFORE INSERT ON registry_change
  WHEN EXISTS (SELECT 1 FROM registry_change WHERE version = NEW.version)
  BEGIN SELECT RAISE(ABORT, 'versions of the registry are never changed'); END;
CREATE TRIGGER tally_no_update BEFORE UPDATE ON tally BEGIN SELECT RAISE(ABORT, 'counts are never changed'); END;
CREATE TRIGGER tally_no_delete BEFORE DELETE ON tally BEGIN SELECT RAISE(ABORT, 'counts are never removed'); END;
CREATE TRIGGER tally_no_replace BEFORE INSERT ON tally
  WHEN EXISTS (SELECT 1 FROM tally WHERE device_id = NEW.device_id AND day = NEW.day AND batch_id = NEW.batch_id)
  BEGIN SELECT RAISE(ABORT, 'counts are never changed'); END;
CREATE TRIGGER completeness_change_no_update BEFORE UPDATE ON completeness_change
  BEGIN SELECT RAISE(ABORT, 'changes of completeness are never changed'); END;
CREATE TRIGGER completeness_change_no_delete BEFORE DELETE ON completeness_change
  BEGIN SELECT RAISE(ABORT, 'changes of completeness are never removed'); END;
CREATE TRIGGER completeness_change_no_replace BEFORE INSERT ON completeness_change
  WHEN EXISTS (SELECT 1 FROM completeness_change
                WHERE batch_id = NEW.batch_id AND device_id = NEW.device_id AND day = NEW.day)
  BEGIN SELECT RAISE(ABORT, 'changes of completeness are never changed'); END;

-- One row where the content of this store was moved to another database: nothing is written here any more.
CREATE TABLE moved (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  at     INTEGER NOT NULL,
  target TEXT    NOT NULL
);

-- places: one row a place.
--   place_id         the place's number in Halley, for ever
--   organization_id  the organization that it belongs to; 1 is the root
--   name             what people call it, the newest
--   created_at       when it was made: ISO 8601 in UTC with milliseconds
--   created_ms       the same in milliseconds since 1970-01-01T00:00:00Z
CREATE VIEW places AS
SELECT p.place_id,
       p.organization_id,
       (SELECT x.name FROM place_description x WHERE x.place_id = p.place_id ORDER BY x.number DESC LIMIT 1) AS name,
       strftime('%Y-%m-%dT%H:%M:%S', p.created_at / 1000, 'unixepoch') || printf('.%03dZ', p.created_at % 1000) AS created_at,
       p.created_at AS created_ms
  FROM place p;

-- alarms: one row an alarm, those that ended too.
--   alarm_id         the alarm's number in Halley, for ever
--   place_id, place_name  the place that it is of
--   channel_id, channel_name, quantity, unit  the channel that it is about; NULL where it is about none
--   kind             what happened, such as limit or no-data
--   rank             warning or alarm
--   occurred_at      the time of the sample that began it: ISO 8601 in UTC with milliseconds
--   occurred_ms      the same in milliseconds since 1970-01-01T00:00:00Z
--   learned_at, learned_ms  when Halley learned of it
--   ended_at, ended_ms  when it ended; NULL while it lasts
--   acknowledged_at, acknowledged_ms  when a person acknowledged it; NULL before
--   acknowledged_by  who did; NULL before
CREATE VIEW alarms AS
SELECT a.alarm_id,
       a.place_id,
       (SELECT x.name FROM place_description x WHERE x.place_id = a.place_id ORDER BY x.number DESC LIMIT 1) AS place_name,
       a.channel_id,
       (SELECT x.name FROM channel_description x WHERE x.channel_id = a.channel_id ORDER BY x.from_at DESC LIMIT 1)
         AS channel_name,
       c.quantity,
       c.unit,
       a.kind,
       a.rank,
       strftime('%Y-%m-%dT%H:%M:%S', a.occurred_at / 1000, 'unixepoch') || printf('.%03dZ', a.occurred_at % 1000)
         AS occurred_at,
       a.occurred_at AS occurred_ms,
       strftime('%Y-%m-%dT%H:%M:%S', a.learned_at / 1000, 'unixepoch') || printf('.%03dZ', a.learned_at % 1000)
         AS learned_at,
       a.learned_at AS learned_ms,
       strftime('%Y-%m-%dT%H:%M:%S', a.ended_at / 1000, 'unixepoch') || printf('.%03dZ', a.ended_at % 1000) AS ended_at,
       a.ended_at AS ended_ms,
       strftime('%Y-%m-%dT%H:%M:%S', a.acknowledged_at / 1000, 'unixepoch') || printf('.%03dZ', a.acknowledged_at % 1000)
         AS acknowledged_at,
       a.acknowledged_at AS acknowledged_ms,
       a.acknowledged_by
  FROM alarm a
  LEFT JOIN channel c ON c.channel_id = a.channel_id;

-- completeness: one row a device and finished UTC day, counted in messages.
--   device_id, device_family, device_serial  the device
--   place_id, place_name  the place that was made at its acceptance; NULL where there is none
--   day         the UTC day as YYYY-MM-DD
--   day_ms      its first instant in milliseconds since 1970-01-01T00:00:00Z
--   expected    how many messages the device's interval makes on that day
--   received    how many of them are stored
--   late        how many of these came late
--   missing     how many are not there
--   uncertain   how many cannot be told to be there or not
--   duplicates  how many came again with the same values and were not stored
--   conflicts   how many came again with other values and were not stored
--   extra       how many were sent out of turn
CREATE VIEW completeness AS
SELECT y.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       x.place_id,
       (SELECT p.name FROM place_description p WHERE p.place_id = x.place_id ORDER BY p.number DESC LIMIT 1) AS place_name,
       strftime('%Y-%m-%d', y.day * 86400, 'unixepoch') AS day,
       y.day * 86400000 AS day_ms,
       y.expected,
       y.received,
       y.late,
       y.missing,
       y.uncertain,
       y.duplicates,
       y.conflicts,
       y.extra
  FROM completeness_day y
  JOIN device d ON d.device_id = y.device_id
  JOIN device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(n.number) FROM device_description n WHERE n.device_id = d.device_id);
