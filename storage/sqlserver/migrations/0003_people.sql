-- Who may see and do what: the tree of organizations can be changed, places are owned by its nodes and keep their history when a
-- sensor is swapped, and people have accounts and roles.

-- parent_id is the node above from this state on, NULL where it is still that of the row in organization. closed is 1 for a node
-- that is shown no more.
ALTER TABLE halley.organization_description ADD parent_id bigint NULL;
ALTER TABLE halley.organization_description ADD closed bigint NULL;

-- organization_id is the owner from this state on, NULL where it is still that of the row in place.
ALTER TABLE halley.place_description ADD organization_id bigint NULL;
ALTER TABLE halley.place_description ADD closed bigint NULL;

-- organization_id is the node that a device at no place belongs to; NULL is the root.
ALTER TABLE halley.device_description ADD organization_id bigint NULL;

-- series is the first channel of the line of a place's history that this one continues; NULL is the channel itself.
ALTER TABLE halley.attachment ADD series bigint NULL;

-- organization_id is the node that a token reaches, NULL the root; places is a JSON list of the only places, NULL for all.
ALTER TABLE halley.token ADD organization_id bigint NULL;
ALTER TABLE halley.token ADD places nvarchar(max) COLLATE Latin1_General_100_BIN2 NULL;

-- An account. Its name is never used again, in whatever case.
CREATE TABLE halley.person (
  person_id  bigint NOT NULL CONSTRAINT pk_person PRIMARY KEY,
  name       nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  created_at bigint NOT NULL,
  audit_id   bigint NULL CONSTRAINT fk_person_audit REFERENCES halley.audit (audit_id)
);

-- What an account is good for, a whole row for every change; the highest number counts.
CREATE TABLE halley.person_description (
  person_id       bigint NOT NULL CONSTRAINT fk_person_description_person REFERENCES halley.person (person_id),
  number          bigint NOT NULL,
  at              bigint NOT NULL,
  state           nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  organization_id bigint NOT NULL
    CONSTRAINT fk_person_description_organization REFERENCES halley.organization (organization_id),
  source          nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  shared          bigint NOT NULL,
  audit_id        bigint NULL CONSTRAINT fk_person_description_audit REFERENCES halley.audit (audit_id),
  CONSTRAINT pk_person_description PRIMARY KEY (person_id, number)
);

-- A role that people made up, and what it holds: permissions is a JSON list.
CREATE TABLE halley.role (
  role_id         bigint NOT NULL CONSTRAINT pk_role PRIMARY KEY,
  name            nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT uq_role UNIQUE,
  organization_id bigint NOT NULL CONSTRAINT fk_role_organization REFERENCES halley.organization (organization_id),
  created_at      bigint NOT NULL,
  audit_id        bigint NULL CONSTRAINT fk_role_audit REFERENCES halley.audit (audit_id)
);

CREATE TABLE halley.role_description (
  role_id     bigint NOT NULL CONSTRAINT fk_role_description_role REFERENCES halley.role (role_id),
  number      bigint NOT NULL,
  at          bigint NOT NULL,
  permissions nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  closed      bigint NOT NULL,
  audit_id    bigint NULL CONSTRAINT fk_role_description_audit REFERENCES halley.audit (audit_id),
  CONSTRAINT pk_role_description PRIMARY KEY (role_id, number)
);

-- A role that a person has at a node of the tree and below, or at one place. place_id is NULL for all places of the node.
CREATE TABLE halley.role_grant (
  role_grant_id   bigint NOT NULL CONSTRAINT pk_role_grant PRIMARY KEY,
  person_id       bigint NOT NULL CONSTRAINT fk_role_grant_person REFERENCES halley.person (person_id),
  role            nvarchar(40) COLLATE Latin1_General_100_BIN2 NOT NULL,
  organization_id bigint NOT NULL CONSTRAINT fk_role_grant_organization REFERENCES halley.organization (organization_id),
  place_id        bigint NULL CONSTRAINT fk_role_grant_place REFERENCES halley.place (place_id),
  from_at         bigint NOT NULL,
  audit_id        bigint NULL CONSTRAINT fk_role_grant_audit REFERENCES halley.audit (audit_id)
);
CREATE INDEX role_grant_by_person ON halley.role_grant (person_id);

CREATE TABLE halley.role_grant_end (
  role_grant_id bigint NOT NULL CONSTRAINT pk_role_grant_end PRIMARY KEY
    CONSTRAINT fk_role_grant_end_role_grant REFERENCES halley.role_grant (role_grant_id),
  ended_at      bigint NOT NULL,
  audit_id      bigint NULL CONSTRAINT fk_role_grant_end_audit REFERENCES halley.audit (audit_id)
);

-- Somebody answerable has looked through the audit trail up to this entry.
CREATE TABLE halley.audit_review (
  audit_review_id bigint NOT NULL CONSTRAINT pk_audit_review PRIMARY KEY,
  up_to           bigint NOT NULL CONSTRAINT fk_audit_review_up_to REFERENCES halley.audit (audit_id),
  at              bigint NOT NULL,
  who             nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  note            nvarchar(4000) COLLATE Latin1_General_100_BIN2 NOT NULL,
  audit_id        bigint NULL CONSTRAINT fk_audit_review_audit REFERENCES halley.audit (audit_id)
);

-- Personal data and what people prove themselves by are no facts: they are changed, and erased with the person. No reader may see
-- them.
CREATE TABLE halley.person_detail (
  person_id        bigint NOT NULL CONSTRAINT pk_person_detail PRIMARY KEY
    CONSTRAINT fk_person_detail_person REFERENCES halley.person (person_id),
  full_name        nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  email            nvarchar(254) COLLATE Latin1_General_100_BIN2 NOT NULL,
  sign_out_minutes bigint NOT NULL,
  last_sign_in_at  bigint NOT NULL
);

CREATE TABLE halley.person_secret (
  kind       nvarchar(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  secret_key nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  person_id  bigint NOT NULL CONSTRAINT fk_person_secret_person REFERENCES halley.person (person_id),
  data       varbinary(max) NOT NULL,
  at         bigint NOT NULL,
  expires_at bigint NOT NULL,
  CONSTRAINT pk_person_secret PRIMARY KEY (kind, secret_key)
);
CREATE INDEX person_secret_by_person ON halley.person_secret (person_id);

-- The sessions of before had no account; they end now.
DROP TABLE halley.session;
CREATE TABLE halley.session (
  hash       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT pk_session PRIMARY KEY,
  person_id  bigint NOT NULL,
  data       varbinary(max) NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX session_by_end ON halley.session (expires_at);
CREATE INDEX session_by_person ON halley.session (person_id);
GO

-- What is a fact is only added to.
CREATE TRIGGER halley.person_stays ON halley.person INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51008, N'people, roles and rights are only added to', 1;
END;
GO
CREATE TRIGGER halley.person_description_stays ON halley.person_description INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51008, N'people, roles and rights are only added to', 1;
END;
GO
CREATE TRIGGER halley.role_stays ON halley.role INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51008, N'people, roles and rights are only added to', 1;
END;
GO
CREATE TRIGGER halley.role_description_stays ON halley.role_description INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51008, N'people, roles and rights are only added to', 1;
END;
GO
CREATE TRIGGER halley.role_grant_stays ON halley.role_grant INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51008, N'people, roles and rights are only added to', 1;
END;
GO
CREATE TRIGGER halley.role_grant_end_stays ON halley.role_grant_end INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51008, N'people, roles and rights are only added to', 1;
END;
GO
CREATE TRIGGER halley.audit_review_stays ON halley.audit_review INSTEAD OF UPDATE, DELETE AS
BEGIN
  SET NOCOUNT ON;
  THROW 51003, N'the audit trail is never changed', 1;
END;
GO

-- What each view's columns are is said in docs/sql-views.md. A path has at most 32 names of 200 letters.
CREATE VIEW halley.organizations AS
WITH node AS (
  SELECT o.organization_id, o.created_at, COALESCE(x.parent_id, o.parent_id) AS parent_id, x.name, x.time_zone,
         COALESCE(x.closed, 0) AS closed
    FROM halley.organization o
    JOIN halley.organization_description x ON x.organization_id = o.organization_id
     AND x.number = (SELECT MAX(n.number) FROM halley.organization_description n WHERE n.organization_id = o.organization_id)
), line AS (
  SELECT n.organization_id, n.parent_id, CAST(N'' COLLATE Latin1_General_100_BIN2 AS nvarchar(max)) AS path, 0 AS depth
    FROM node n
   WHERE n.parent_id IS NULL
  UNION ALL
  SELECT n.organization_id, n.parent_id, CAST(l.path + N'/' + n.name AS nvarchar(max)) AS path, l.depth + 1 AS depth
    FROM line l
    JOIN node n ON n.parent_id = l.organization_id
   WHERE l.depth < 64
)
SELECT n.organization_id,
       n.parent_id,
       n.name,
       CASE WHEN l.path = N'' THEN N'/' ELSE l.path END AS path,
       n.time_zone,
       n.closed,
       DATEADD(millisecond, CAST(n.created_at % 1000 AS int), DATEADD(second, CAST(n.created_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(n.created_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS created_at,
       n.created_at AS created_ms
  FROM line l
  JOIN node n ON n.organization_id = l.organization_id;
GO

DROP VIEW halley.places;
GO
CREATE VIEW halley.places AS
SELECT p.place_id,
       COALESCE(x.organization_id, p.organization_id) AS organization_id,
       x.name,
       DATEADD(millisecond, CAST(p.created_at % 1000 AS int), DATEADD(second, CAST(p.created_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(p.created_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS created_at,
       p.created_at AS created_ms,
       o.path AS organization,
       COALESCE(x.closed, 0) AS closed
  FROM halley.place p
  JOIN halley.place_description x ON x.place_id = p.place_id
   AND x.number = (SELECT MAX(n.number) FROM halley.place_description n WHERE n.place_id = p.place_id)
  LEFT JOIN halley.organizations o ON o.organization_id = COALESCE(x.organization_id, p.organization_id);
GO

-- completeness reads devices and is made again behind it.
DROP VIEW halley.completeness;
GO
DROP VIEW halley.devices;
GO
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
       y.name AS place_name,
       CASE WHEN d.serial + N'.' LIKE N'0000[0-9][0-9][0-9][0-9].' AND d.serial <> N'00000000' THEN 1 ELSE 0 END AS simulated,
       COALESCE(y.organization_id, p.organization_id, x.organization_id, 1) AS organization_id,
       o.path AS organization
  FROM halley.device d
  JOIN halley.device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(n.number) FROM halley.device_description n WHERE n.device_id = d.device_id)
  LEFT JOIN halley.place p ON p.place_id = x.place_id
  LEFT JOIN halley.place_description y ON y.place_id = x.place_id
   AND y.number = (SELECT MAX(n.number) FROM halley.place_description n WHERE n.place_id = x.place_id)
  LEFT JOIN halley.organizations o ON o.organization_id = COALESCE(y.organization_id, p.organization_id, x.organization_id, 1);
GO

CREATE VIEW halley.completeness AS
SELECT n.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       x.place_id,
       (SELECT TOP (1) p.name FROM halley.place_description p WHERE p.place_id = x.place_id ORDER BY p.number DESC)
         AS place_name,
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
  JOIN halley.device d ON d.device_id = n.device_id
  JOIN halley.device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(y.number) FROM halley.device_description y WHERE y.device_id = d.device_id);
GO

CREATE VIEW halley.attachments AS
SELECT a.place_id,
       (SELECT TOP (1) p.name FROM halley.place_description p WHERE p.place_id = a.place_id ORDER BY p.number DESC)
         AS place_name,
       COALESCE(a.series, a.channel_id) AS series,
       a.channel_id,
       c.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       DATEADD(millisecond, CAST(a.from_at % 1000 AS int), DATEADD(second, CAST(a.from_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(a.from_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS from_at,
       a.from_at AS from_ms,
       DATEADD(millisecond, CAST(a.to_at % 1000 AS int), DATEADD(second, CAST(a.to_at / 1000 % 86400 AS int),
               DATEADD(day, CAST(a.to_at / 86400000 AS int), CAST('1970-01-01' AS datetime2(3))))) AS to_at,
       a.to_at AS to_ms
  FROM (SELECT n.channel_id, n.place_id, n.series, n.from_at,
               LEAD(n.from_at) OVER (PARTITION BY n.channel_id ORDER BY n.from_at, n.attachment_id) AS to_at
          FROM halley.attachment n) a
  JOIN halley.channel c ON c.channel_id = a.channel_id
  JOIN halley.device d ON d.device_id = c.device_id
 WHERE a.place_id IS NOT NULL AND (a.to_at IS NULL OR a.to_at > a.from_at);
GO
