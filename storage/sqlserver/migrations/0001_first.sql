-- The first schema of Halley on Microsoft SQL Server 2016 SP1 or newer.
--
-- Times are whole milliseconds since 1970-01-01T00:00:00Z, in UTC. Ranges are half-open. Tables are named in the singular and
-- belong to the program; the views samples, latest, devices, channels, places, alarms and completeness and the function
-- samples_between are for people and their tools, and their columns are described in docs/sql-views.md.
--
-- What decides the meaning of a sample is never overwritten: states, names, attachments, limits and credentials are dated rows
-- that are added, and the newest row counts. Triggers refuse to change what was measured and what was audited; beyond that the
-- service has no right to do so.
--
-- Texts have a binary collation of their own, whatever the database's is: what devices and people call things is compared byte
-- for byte. SQL Server still takes no notice of blanks at the end when it compares texts; where a text that a device sends is
-- part of a key, its length is part of it too.

-- Who did what, when and why. old_value and new_value are JSON. seq is the entry of a journal that the act was noted in, NULL
-- where it was not.
CREATE TABLE halley.audit (
  audit_id      bigint NOT NULL CONSTRAINT pk_audit PRIMARY KEY,
  at            bigint NOT NULL,
  actor_kind    nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  actor_name    nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  actor_session nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  what          nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  subject       nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  old_value     nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  new_value     nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  why           nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  seq           bigint NULL
);
CREATE INDEX audit_by_time ON halley.audit (at);

-- A node of the tree that owns places, devices and users. Number 1 is the root.
CREATE TABLE halley.organization (
  organization_id bigint NOT NULL CONSTRAINT pk_organization PRIMARY KEY,
  parent_id       bigint NULL CONSTRAINT fk_organization_parent REFERENCES halley.organization (organization_id),
  created_at      bigint NOT NULL
);

-- The name and the time zone (IANA) of an organization from one instant on.
CREATE TABLE halley.organization_description (
  organization_id bigint NOT NULL
    CONSTRAINT fk_organization_description_organization REFERENCES halley.organization (organization_id),
  number          bigint NOT NULL,
  at              bigint NOT NULL,
  name            nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  time_zone       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  audit_id        bigint NULL CONSTRAINT fk_organization_description_audit REFERENCES halley.audit (audit_id),
  CONSTRAINT pk_organization_description PRIMARY KEY (organization_id, number)
);

INSERT INTO halley.organization (organization_id, parent_id, created_at) VALUES (1, NULL, 0);
INSERT INTO halley.organization_description (organization_id, number, at, name, time_zone, audit_id)
VALUES (1, 1, 0, N'', N'UTC', NULL);

-- A row for every change to devices, channels, credentials and tokens; the highest number is the registry's version.
CREATE TABLE halley.registry_change (
  version bigint NOT NULL CONSTRAINT pk_registry_change PRIMARY KEY
);

INSERT INTO halley.registry_change (version) VALUES (1);

-- A measuring point that people care about.
CREATE TABLE halley.place (
  place_id        bigint NOT NULL CONSTRAINT pk_place PRIMARY KEY,
  organization_id bigint NOT NULL CONSTRAINT fk_place_organization REFERENCES halley.organization (organization_id),
  created_at      bigint NOT NULL
);

CREATE TABLE halley.place_description (
  place_id bigint NOT NULL CONSTRAINT fk_place_description_place REFERENCES halley.place (place_id),
  number   bigint NOT NULL,
  at       bigint NOT NULL,
  name     nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  audit_id bigint NULL CONSTRAINT fk_place_description_audit REFERENCES halley.audit (audit_id),
  CONSTRAINT pk_place_description PRIMARY KEY (place_id, number)
);

-- An instrument that uploads.
CREATE TABLE halley.device (
  device_id     bigint NOT NULL CONSTRAINT pk_device PRIMARY KEY,
  family        nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  serial        nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  first_seen_at bigint NOT NULL,
  serial_bytes  AS CAST(DATALENGTH(serial) AS int) PERSISTED NOT NULL,
  CONSTRAINT uq_device UNIQUE (serial, serial_bytes, family)
);

-- What is known of a device, a whole row for every change; the highest number counts. self_name is what the device calls
-- itself, given_name what people call it; '' where there is none. audit_id names the act of a person or of the policy; it is
-- NULL where the device itself reported something new.
CREATE TABLE halley.device_description (
  device_id  bigint NOT NULL CONSTRAINT fk_device_description_device REFERENCES halley.device (device_id),
  number     bigint NOT NULL,
  at         bigint NOT NULL,
  state      nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  model      nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  self_name  nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  given_name nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  place_id   bigint NULL CONSTRAINT fk_device_description_place REFERENCES halley.place (place_id),
  audit_id   bigint NULL CONSTRAINT fk_device_description_audit REFERENCES halley.audit (audit_id),
  CONSTRAINT pk_device_description PRIMARY KEY (device_id, number)
);

-- One quantity that a device measures.
CREATE TABLE halley.channel (
  channel_id     bigint NOT NULL CONSTRAINT pk_channel PRIMARY KEY,
  device_id      bigint NOT NULL CONSTRAINT fk_channel_device REFERENCES halley.device (device_id),
  number         int NOT NULL,
  quantity       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  unit           nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  quantity_bytes AS CAST(DATALENGTH(quantity) AS int) PERSISTED NOT NULL,
  unit_bytes     AS CAST(DATALENGTH(unit) AS int) PERSISTED NOT NULL,
  CONSTRAINT uq_channel UNIQUE (device_id, number, quantity, unit, quantity_bytes, unit_bytes)
);

-- The device's own name of a channel and its decimals from one instant on, by measured-at. Before the first row, the first
-- row counts.
CREATE TABLE halley.channel_description (
  channel_id bigint NOT NULL CONSTRAINT fk_channel_description_channel REFERENCES halley.channel (channel_id),
  from_at    bigint NOT NULL,
  name       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  decimals   int NOT NULL,
  CONSTRAINT pk_channel_description PRIMARY KEY (channel_id, from_at)
);

-- From from_at on, by measured-at and up to the channel's next row, the channel is at this place; NULL is at none. Of two rows
-- with the same from_at the higher id counts.
CREATE TABLE halley.attachment (
  attachment_id bigint NOT NULL CONSTRAINT pk_attachment PRIMARY KEY,
  channel_id    bigint NOT NULL CONSTRAINT fk_attachment_channel REFERENCES halley.channel (channel_id),
  from_at       bigint NOT NULL,
  place_id      bigint NULL CONSTRAINT fk_attachment_place REFERENCES halley.place (place_id),
  audit_id      bigint NULL CONSTRAINT fk_attachment_audit REFERENCES halley.audit (audit_id)
);
CREATE INDEX attachment_by_channel ON halley.attachment (channel_id, from_at);
CREATE INDEX attachment_by_place ON halley.attachment (place_id, from_at);

-- From from_at on, the values of a quantity at a place are held against this limit; a NULL value ends it. side is 'high' or
-- 'low', rank tells a warning from an alarm.
CREATE TABLE halley.[limit] (
  limit_id   bigint NOT NULL CONSTRAINT pk_limit PRIMARY KEY,
  place_id   bigint NOT NULL CONSTRAINT fk_limit_place REFERENCES halley.place (place_id),
  quantity   nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  unit       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  side       nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  rank       nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  from_at    bigint NOT NULL,
  value      float NULL,
  hysteresis float NOT NULL,
  delay_ms   bigint NOT NULL,
  audit_id   bigint NULL CONSTRAINT fk_limit_audit REFERENCES halley.audit (audit_id)
);
CREATE INDEX limit_by_place ON halley.[limit] (place_id, from_at);

-- One time at which a limit was passed, or a device went silent: when it occurred by measured-at, when Halley learned of it,
-- when it ended and when somebody acknowledged it. The only row of people's acts that is written again: its last three columns.
CREATE TABLE halley.alarm (
  alarm_id        bigint NOT NULL CONSTRAINT pk_alarm PRIMARY KEY,
  place_id        bigint NOT NULL CONSTRAINT fk_alarm_place REFERENCES halley.place (place_id),
  channel_id      bigint NULL CONSTRAINT fk_alarm_channel REFERENCES halley.channel (channel_id),
  limit_id        bigint NULL CONSTRAINT fk_alarm_limit REFERENCES halley.[limit] (limit_id),
  kind            nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  rank            nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  occurred_at     bigint NOT NULL,
  learned_at      bigint NOT NULL,
  ended_at        bigint NULL,
  acknowledged_at bigint NULL,
  acknowledged_by nvarchar(4000) COLLATE Latin1_General_100_BIN2 NULL
);
CREATE INDEX alarm_by_place ON halley.alarm (place_id, occurred_at);

-- What one transaction recorded of a node's journal. The digests belong to the ledger.
CREATE TABLE halley.batch (
  batch_id        bigint NOT NULL CONSTRAINT pk_batch PRIMARY KEY,
  node            nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  journal_id      nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  first_seq       bigint NOT NULL,
  last_seq        bigint NOT NULL,
  journal_hash    varbinary(64) NOT NULL,
  recorded_at     bigint NOT NULL,
  decoder         int NOT NULL,
  messages        int NOT NULL,
  samples         int NOT NULL,
  digest          varbinary(64) NULL,
  previous_digest varbinary(64) NULL
);
CREATE INDEX batch_by_node ON halley.batch (node, batch_id);
CREATE INDEX batch_by_journal ON halley.batch (journal_id, last_seq);

-- Which channel each slot of a device's messages belongs to.
CREATE TABLE halley.layout (
  layout_id bigint NOT NULL CONSTRAINT pk_layout PRIMARY KEY,
  device_id bigint NOT NULL CONSTRAINT fk_layout_device REFERENCES halley.device (device_id)
);
CREATE INDEX layout_by_device ON halley.layout (device_id);

CREATE TABLE halley.layout_slot (
  layout_id  bigint NOT NULL CONSTRAINT fk_layout_slot_layout REFERENCES halley.layout (layout_id),
  part       tinyint NOT NULL,
  slot       tinyint NOT NULL CONSTRAINT ck_layout_slot CHECK (slot BETWEEN 1 AND 8),
  channel_id bigint NOT NULL CONSTRAINT fk_layout_slot_channel REFERENCES halley.channel (channel_id),
  CONSTRAINT pk_layout_slot PRIMARY KEY (layout_id, part, slot)
);
CREATE INDEX layout_slot_by_channel ON halley.layout_slot (channel_id);

-- One decoded report. Messages of one instant have variant 0, 1, 2, ...; more than eight values take further parts, whose
-- rows hold only the keys and the values. A slot whose q is NULL is not there; a v is NULL where the quality has no value.
-- NULL in another column means that the device did not say. idx is the message's place in its upload, from 0.
-- References are kept by the program: checking three of them for every message would cost more than writing it.
CREATE TABLE halley.message (
  device_id   bigint NOT NULL,
  measured_at bigint NOT NULL,
  variant     int NOT NULL,
  part        tinyint NOT NULL,
  batch_id    bigint NOT NULL,
  layout_id   bigint NOT NULL,
  seq         bigint NULL,
  idx         int NULL,
  decoder     int NULL,
  clock       tinyint NULL,
  sent_at     bigint NULL,
  received_at bigint NULL,
  order_no    bigint NULL,
  kind        tinyint NULL,
  raw_kind    bigint NULL,
  cache       bigint NULL,
  interval    bigint NULL,
  buffer      bigint NULL,
  config      bigint NULL,
  state       bigint NULL,
  state_mask  bigint NULL,
  signal      bigint NULL,
  battery     bigint NULL,
  v1 float NULL, q1 int NULL, v2 float NULL, q2 int NULL, v3 float NULL, q3 int NULL, v4 float NULL, q4 int NULL,
  v5 float NULL, q5 int NULL, v6 float NULL, q6 int NULL, v7 float NULL, q7 int NULL, v8 float NULL, q8 int NULL,
  CONSTRAINT pk_message PRIMARY KEY CLUSTERED (device_id, measured_at, variant, part)
);

-- The identity of messages whose measured-at depends on when they were received, so that a repeat is found: the device's own
-- sample time, -1 for what it did not say, and where the message was stored.
CREATE TABLE halley.unclocked (
  device_id   bigint NOT NULL,
  sample_sent bigint NOT NULL,
  order_no    bigint NOT NULL,
  config      bigint NOT NULL,
  raw_kind    bigint NOT NULL,
  measured_at bigint NOT NULL,
  variant     int NOT NULL,
  CONSTRAINT pk_unclocked PRIMARY KEY (device_id, sample_sent, order_no, config, raw_kind)
);

-- Repeats that a batch met, by device and UTC day of receipt (days since 1970-01-01).
CREATE TABLE halley.tally (
  device_id  bigint NOT NULL,
  day        bigint NOT NULL,
  batch_id   bigint NOT NULL,
  duplicates bigint NOT NULL,
  conflicts  bigint NOT NULL,
  CONSTRAINT pk_tally PRIMARY KEY (device_id, day, batch_id)
);

-- The UTC days of a device whose completeness a batch changed after the fact: the day is computed again.
CREATE TABLE halley.completeness_change (
  batch_id  bigint NOT NULL,
  device_id bigint NOT NULL,
  day       bigint NOT NULL,
  CONSTRAINT pk_completeness_change PRIMARY KEY (batch_id, device_id, day)
);

-- What was expected and received of a device on a UTC day (days since 1970-01-01), in messages, as it stood after batch_id.
CREATE TABLE halley.completeness_day (
  device_id  bigint NOT NULL,
  day        bigint NOT NULL,
  batch_id   bigint NOT NULL,
  expected   bigint NOT NULL,
  received   bigint NOT NULL,
  late       bigint NOT NULL,
  missing    bigint NOT NULL,
  uncertain  bigint NOT NULL,
  duplicates bigint NOT NULL,
  conflicts  bigint NOT NULL,
  extra      bigint NOT NULL,
  CONSTRAINT pk_completeness_day PRIMARY KEY (device_id, day)
);
CREATE INDEX completeness_day_by_batch ON halley.completeness_day (batch_id);
CREATE INDEX completeness_day_by_day ON halley.completeness_day (day);

-- Derived from message and rebuilt from it at any time. Level 1 is an hour (period: hours since 1970-01-01) with six buckets
-- of ten minutes, level 2 a day (days) with 24 hours, level 3 a block of 32 days (days/32) with its days.
CREATE TABLE halley.rollup (
  channel_id bigint NOT NULL,
  level      tinyint NOT NULL,
  period     bigint NOT NULL,
  pack       varbinary(4000) NOT NULL,
  CONSTRAINT pk_rollup PRIMARY KEY (channel_id, level, period)
);

-- The periods of a device whose rollups are not right until they are computed again.
CREATE TABLE halley.rollup_mark (
  device_id bigint NOT NULL,
  level     tinyint NOT NULL,
  period    bigint NOT NULL,
  CONSTRAINT pk_rollup_mark PRIMARY KEY (device_id, level, period)
);
CREATE INDEX rollup_mark_in_order ON halley.rollup_mark (level, period);

-- What devices prove themselves by. The newest row of a device and kind counts; a NULL hash ends it.
CREATE TABLE halley.credential (
  credential_id bigint NOT NULL CONSTRAINT pk_credential PRIMARY KEY,
  device_id     bigint NOT NULL CONSTRAINT fk_credential_device REFERENCES halley.device (device_id),
  kind          nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  hash          varbinary(64) NULL,
  created_at    bigint NOT NULL,
  audit_id      bigint NULL CONSTRAINT fk_credential_audit REFERENCES halley.audit (audit_id)
);
CREATE INDEX credential_by_device ON halley.credential (device_id, kind, credential_id);

-- Bearer tokens of programs; expires_at 0 is never.
CREATE TABLE halley.token (
  token_id   bigint NOT NULL CONSTRAINT pk_token PRIMARY KEY,
  name       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  hash       varbinary(64) NOT NULL CONSTRAINT uq_token UNIQUE,
  role       nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  expires_at bigint NOT NULL,
  created_at bigint NOT NULL,
  audit_id   bigint NULL CONSTRAINT fk_token_audit REFERENCES halley.audit (audit_id)
);
CREATE INDEX token_by_name ON halley.token (name);

CREATE TABLE halley.token_end (
  token_id   bigint NOT NULL CONSTRAINT pk_token_end PRIMARY KEY
    CONSTRAINT fk_token_end_token REFERENCES halley.token (token_id),
  revoked_at bigint NOT NULL,
  audit_id   bigint NULL CONSTRAINT fk_token_end_audit REFERENCES halley.audit (audit_id)
);

-- Sessions of browsers, by the hash of their cookie. They are no facts and are deleted.
CREATE TABLE halley.session (
  hash       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT pk_session PRIMARY KEY,
  data       varbinary(max) NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX session_by_end ON halley.session (expires_at);

-- The servers that share this database with the journals they write, and how much of them was not recorded yet.
CREATE TABLE halley.node (
  node           nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  journal_id     nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  holder         nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  version        nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  waiting        bigint NOT NULL,
  oldest_waiting bigint NOT NULL,
  first_seen_at  bigint NOT NULL,
  seen_at        bigint NOT NULL,
  CONSTRAINT pk_node PRIMARY KEY (node, journal_id)
);

-- Which of the servers does work that must be done once. fence grows each time a lease goes to another.
CREATE TABLE halley.lease (
  name     nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT pk_lease PRIMARY KEY,
  holder   nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  fence    bigint NOT NULL,
  until_at bigint NOT NULL
);
GO

-- Nothing that was measured or audited is changed or removed, and nothing that decides what it means.
CREATE TRIGGER halley.message_stays ON halley.message INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51001, N'messages are never changed or removed', 1;
END;
GO
CREATE TRIGGER halley.batch_stays ON halley.batch INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51002, N'batches are never changed or removed', 1;
END;
GO
CREATE TRIGGER halley.audit_stays ON halley.audit INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51003, N'the audit trail is never changed', 1;
END;
GO
CREATE TRIGGER halley.layout_stays ON halley.layout INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51004, N'layouts are never changed or removed', 1;
END;
GO
CREATE TRIGGER halley.layout_slot_stays ON halley.layout_slot INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51004, N'layouts are never changed or removed', 1;
END;
GO
CREATE TRIGGER halley.registry_change_stays ON halley.registry_change INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.tally_stays ON halley.tally INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51006, N'counts are only added', 1;
END;
GO
CREATE TRIGGER halley.completeness_change_stays ON halley.completeness_change INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51006, N'counts are only added', 1;
END;
GO
CREATE TRIGGER halley.unclocked_stays ON halley.unclocked INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51001, N'messages are never changed or removed', 1;
END;
GO
CREATE TRIGGER halley.organization_stays ON halley.organization INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.organization_description_stays ON halley.organization_description INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.place_stays ON halley.place INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.place_description_stays ON halley.place_description INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.device_stays ON halley.device INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.device_description_stays ON halley.device_description INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.channel_stays ON halley.channel INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.channel_description_stays ON halley.channel_description INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.attachment_stays ON halley.attachment INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.limit_stays ON halley.[limit] INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.credential_stays ON halley.credential INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.token_stays ON halley.token INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO
CREATE TRIGGER halley.token_end_stays ON halley.token_end INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51005, N'the registry is only added to', 1;
END;
GO

-- What each view's columns are is said in docs/sql-views.md. DATEADD takes int, so that an instant is added in three steps.
CREATE VIEW halley.devices AS
SELECT d.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       x.model,
       CASE WHEN x.given_name <> N'' THEN x.given_name WHEN x.self_name <> N'' THEN x.self_name
            WHEN x.model <> N'' THEN x.model + N' ' + d.serial ELSE d.serial END AS name,
       x.state,
       DATEADD(millisecond, CAST(d.first_seen_at % 1000 AS int), DATEADD(second, CAST(d.first_seen_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(d.first_seen_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS first_seen_at,
       d.first_seen_at AS first_seen_ms,
       x.place_id,
       (SELECT TOP (1) p.name FROM halley.place_description p WHERE p.place_id = x.place_id ORDER BY p.number DESC)
         AS place_name,
       CASE WHEN d.serial + N'.' LIKE N'0000[0-9][0-9][0-9][0-9].' AND d.serial <> N'00000000' THEN 1 ELSE 0 END AS simulated
  FROM halley.device d
  JOIN halley.device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(n.number) FROM halley.device_description n WHERE n.device_id = d.device_id);
GO

CREATE VIEW halley.channels AS
SELECT c.channel_id,
       c.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       c.number AS channel_number,
       (SELECT TOP (1) x.name FROM halley.channel_description x WHERE x.channel_id = c.channel_id ORDER BY x.from_at DESC)
         AS channel_name,
       c.quantity,
       c.unit,
       (SELECT TOP (1) x.decimals FROM halley.channel_description x WHERE x.channel_id = c.channel_id ORDER BY x.from_at DESC)
         AS decimals,
       CASE WHEN EXISTS (SELECT 1 FROM halley.layout_slot s
                          WHERE s.channel_id = c.channel_id
                            AND s.layout_id = (SELECT TOP (1) m.layout_id FROM halley.message m WHERE m.device_id = c.device_id
                                                ORDER BY m.measured_at DESC, m.variant DESC, m.part DESC))
            THEN 0 ELSE 1 END AS ended
  FROM halley.channel c
  JOIN halley.device d ON d.device_id = c.device_id;
GO

CREATE VIEW halley.places AS
SELECT p.place_id,
       p.organization_id,
       (SELECT TOP (1) x.name FROM halley.place_description x WHERE x.place_id = p.place_id ORDER BY x.number DESC) AS name,
       DATEADD(millisecond, CAST(p.created_at % 1000 AS int), DATEADD(second, CAST(p.created_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(p.created_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS created_at,
       p.created_at AS created_ms
  FROM halley.place p;
GO

-- To read one channel, say WHERE channel_id = ... AND measured_ms >= ... AND measured_ms < ...; all conditions but those on
-- device_id, channel_id and measured_ms read every row. samples_between takes instants.
CREATE VIEW halley.samples AS
SELECT d.serial AS device_serial,
       c.number AS channel_number,
       ISNULL((SELECT TOP (1) x.name FROM halley.channel_description x
                WHERE x.channel_id = c.channel_id AND x.from_at <= h.measured_at ORDER BY x.from_at DESC),
              (SELECT TOP (1) x.name FROM halley.channel_description x
                WHERE x.channel_id = c.channel_id ORDER BY x.from_at)) AS channel_name,
       c.quantity,
       c.unit,
       DATEADD(millisecond, CAST(h.measured_at % 1000 AS int), DATEADD(second, CAST(h.measured_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(h.measured_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS measured_at,
       w.v AS value,
       CASE w.q & 15 WHEN 0 THEN N'good' WHEN 1 THEN N'error-' + CAST((w.q / 16) & 255 AS nvarchar(3)) WHEN 2 THEN N'above-range'
                     WHEN 3 THEN N'below-range' WHEN 4 THEN N'not-ready' ELSE N'not-available' END
         + CASE (w.q / 4096) & 3 WHEN 1 THEN N' alarm1' WHEN 2 THEN N' alarm1-high' WHEN 3 THEN N' alarm1-low' ELSE N'' END
         + CASE (w.q / 16384) & 3 WHEN 1 THEN N' alarm2' WHEN 2 THEN N' alarm2-high' WHEN 3 THEN N' alarm2-low' ELSE N'' END
         + CASE WHEN w.q & 65536 <> 0 THEN N' clock-invalid' ELSE N'' END
         + CASE WHEN w.q & 131072 <> 0 THEN N' server-time' ELSE N'' END
         + CASE WHEN w.q & 262144 <> 0 THEN N' test' ELSE N'' END
         -- In floating point, because an interval times a buffer as large as devices may say is beyond bigint.
         + CASE WHEN h.received_at - h.measured_at > CASE WHEN h.interval > 30 THEN 2000E0 * h.interval ELSE 60000E0 END
                     + CASE WHEN h.buffer > 1 THEN 1000E0 * h.interval * h.buffer ELSE 0E0 END
                THEN N' late' ELSE N'' END AS quality,
       DATEADD(millisecond, CAST(h.received_at % 1000 AS int), DATEADD(second, CAST(h.received_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(h.received_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS received_at,
       h.device_id,
       d.family AS device_family,
       c.channel_id,
       h.measured_at AS measured_ms,
       w.q AS quality_code,
       h.received_at AS received_ms,
       h.variant,
       h.batch_id,
       h.seq,
       h.decoder
  FROM halley.message h
  JOIN halley.layout_slot s ON s.layout_id = h.layout_id
  JOIN halley.message m ON m.device_id = h.device_id AND m.measured_at = h.measured_at AND m.variant = h.variant
   AND m.part = s.part
 CROSS APPLY (SELECT CASE s.slot WHEN 1 THEN m.v1 WHEN 2 THEN m.v2 WHEN 3 THEN m.v3 WHEN 4 THEN m.v4
                                 WHEN 5 THEN m.v5 WHEN 6 THEN m.v6 WHEN 7 THEN m.v7 ELSE m.v8 END AS v,
                     CASE s.slot WHEN 1 THEN m.q1 WHEN 2 THEN m.q2 WHEN 3 THEN m.q3 WHEN 4 THEN m.q4
                                 WHEN 5 THEN m.q5 WHEN 6 THEN m.q6 WHEN 7 THEN m.q7 ELSE m.q8 END AS q) w
  JOIN halley.channel c ON c.channel_id = s.channel_id AND c.device_id = h.device_id
  JOIN halley.device d ON d.device_id = h.device_id
 WHERE h.part = 0 AND w.q IS NOT NULL;
GO

-- The samples measured in [@from, @to), instants in UTC.
CREATE FUNCTION halley.samples_between (@from datetime2(3), @to datetime2(3)) RETURNS TABLE AS RETURN
SELECT s.device_serial, s.channel_number, s.channel_name, s.quantity, s.unit, s.measured_at, s.value, s.quality, s.received_at,
       s.device_id, s.device_family, s.channel_id, s.measured_ms, s.quality_code, s.received_ms, s.variant, s.batch_id, s.seq,
       s.decoder
  FROM halley.samples s
 WHERE s.measured_ms >= DATEDIFF_BIG(millisecond, CAST('1970-01-01' AS datetime2(3)), @from)
   AND s.measured_ms < DATEDIFF_BIG(millisecond, CAST('1970-01-01' AS datetime2(3)), @to);
GO

-- The newest sample of each channel that has not ended, with the columns of samples.
CREATE VIEW halley.latest AS
SELECT s.device_serial, s.channel_number, s.channel_name, s.quantity, s.unit, s.measured_at, s.value, s.quality, s.received_at,
       s.device_id, s.device_family, s.channel_id, s.measured_ms, s.quality_code, s.received_ms, s.variant, s.batch_id, s.seq,
       s.decoder
  FROM halley.device n
 CROSS APPLY (SELECT TOP (1) m.measured_at, m.variant FROM halley.message m WHERE m.device_id = n.device_id
               ORDER BY m.measured_at DESC, m.variant DESC) t
  JOIN halley.samples s ON s.device_id = n.device_id AND s.measured_ms = t.measured_at AND s.variant = t.variant;
GO

CREATE VIEW halley.alarms AS
SELECT a.alarm_id,
       a.place_id,
       (SELECT TOP (1) p.name FROM halley.place_description p WHERE p.place_id = a.place_id ORDER BY p.number DESC)
         AS place_name,
       a.channel_id,
       (SELECT TOP (1) x.name FROM halley.channel_description x WHERE x.channel_id = a.channel_id ORDER BY x.from_at DESC)
         AS channel_name,
       c.quantity,
       c.unit,
       a.kind,
       a.rank,
       DATEADD(millisecond, CAST(a.occurred_at % 1000 AS int), DATEADD(second, CAST(a.occurred_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(a.occurred_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS occurred_at,
       a.occurred_at AS occurred_ms,
       DATEADD(millisecond, CAST(a.learned_at % 1000 AS int), DATEADD(second, CAST(a.learned_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(a.learned_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS learned_at,
       a.learned_at AS learned_ms,
       DATEADD(millisecond, CAST(a.ended_at % 1000 AS int), DATEADD(second, CAST(a.ended_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(a.ended_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS ended_at,
       a.ended_at AS ended_ms,
       DATEADD(millisecond, CAST(a.acknowledged_at % 1000 AS int), DATEADD(second, CAST(a.acknowledged_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(a.acknowledged_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS acknowledged_at,
       a.acknowledged_at AS acknowledged_ms,
       a.acknowledged_by
  FROM halley.alarm a
  LEFT JOIN halley.channel c ON c.channel_id = a.channel_id;
GO

CREATE VIEW halley.completeness AS
SELECT n.device_id,
       d.device_family,
       d.device_serial,
       d.place_id,
       d.place_name,
       CAST(DATEADD(day, CAST(n.day AS int), CAST('1970-01-01' AS datetime2(3))) AS date) AS day,
       n.day * 86400000 AS day_ms,
       n.expected,
       n.received,
       n.late,
       n.missing,
       n.uncertain,
       n.duplicates,
       n.conflicts,
       n.extra
  FROM halley.completeness_day n
  JOIN halley.devices d ON d.device_id = n.device_id;
GO
