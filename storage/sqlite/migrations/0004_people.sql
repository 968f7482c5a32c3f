-- Who may see and do what: the tree of organizations can be changed, places are owned by its nodes and keep their history when a
-- sensor is swapped, and people have accounts and roles.

-- parent_id is the node above from this state on, NULL where it is still that of the row in organization. closed is 1 for a node
-- that is shown no more.
ALTER TABLE organization_description ADD COLUMN parent_id INTEGER;
ALTER TABLE organization_description ADD COLUMN closed INTEGER;

-- organization_id is the owner from this state on, NULL where it is still that of the row in place.
ALTER TABLE place_description ADD COLUMN organization_id INTEGER;
ALTER TABLE place_description ADD COLUMN closed INTEGER;

-- organization_id is the node that a device at no place belongs to; NULL is the root.
ALTER TABLE device_description ADD COLUMN organization_id INTEGER;

-- series is the first channel of the line of a place's history that this one continues; NULL is the channel itself.
ALTER TABLE attachment ADD COLUMN series INTEGER;

-- organization_id is the node that a token reaches, NULL the root; places is a JSON list of the only places, NULL for all.
ALTER TABLE token ADD COLUMN organization_id INTEGER;
ALTER TABLE token ADD COLUMN places TEXT;

-- An account. Its name is never used again, in whatever case.
CREATE TABLE person (
  person_id  INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  audit_id   INTEGER REFERENCES audit
);

-- What an account is good for, a whole row for every change; the highest number counts.
CREATE TABLE person_description (
  person_id       INTEGER NOT NULL REFERENCES person,
  number          INTEGER NOT NULL,
  at              INTEGER NOT NULL,
  state           TEXT    NOT NULL,
  organization_id INTEGER NOT NULL REFERENCES organization,
  source          TEXT    NOT NULL,
  shared          INTEGER NOT NULL,
  audit_id        INTEGER REFERENCES audit,
  PRIMARY KEY (person_id, number)
) WITHOUT ROWID;

-- A role that people made up, and what it holds: permissions is a JSON list.
CREATE TABLE role (
  role_id         INTEGER PRIMARY KEY,
  name            TEXT    NOT NULL UNIQUE,
  organization_id INTEGER NOT NULL REFERENCES organization,
  created_at      INTEGER NOT NULL,
  audit_id        INTEGER REFERENCES audit
);

CREATE TABLE role_description (
  role_id     INTEGER NOT NULL REFERENCES role,
  number      INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  permissions TEXT    NOT NULL,
  closed      INTEGER NOT NULL,
  audit_id    INTEGER REFERENCES audit,
  PRIMARY KEY (role_id, number)
) WITHOUT ROWID;

-- A role that a person has at a node of the tree and below, or at one place. place_id is NULL for all places of the node.
CREATE TABLE role_grant (
  role_grant_id   INTEGER PRIMARY KEY,
  person_id       INTEGER NOT NULL REFERENCES person,
  role            TEXT    NOT NULL,
  organization_id INTEGER NOT NULL REFERENCES organization,
  place_id        INTEGER REFERENCES place,
  from_at         INTEGER NOT NULL,
  audit_id        INTEGER REFERENCES audit
);
CREATE INDEX role_grant_by_person ON role_grant (person_id);

CREATE TABLE role_grant_end (
  role_grant_id INTEGER PRIMARY KEY REFERENCES role_grant,
  ended_at      INTEGER NOT NULL,
  audit_id      INTEGER REFERENCES audit
);

-- Somebody answerable has looked through the audit trail up to this entry.
CREATE TABLE audit_review (
  audit_review_id INTEGER PRIMARY KEY,
  up_to           INTEGER NOT NULL REFERENCES audit,
  at              INTEGER NOT NULL,
  who             TEXT    NOT NULL,
  note            TEXT    NOT NULL,
  audit_id        INTEGER REFERENCES audit
);

-- Personal data and what people prove themselves by are no facts: they are changed, and erased with the person.
CREATE TABLE person_detail (
  person_id        INTEGER PRIMARY KEY REFERENCES person,
  full_name        TEXT    NOT NULL,
  email            TEXT    NOT NULL,
  sign_out_minutes INTEGER NOT NULL,
  last_sign_in_at  INTEGER NOT NULL
);

CREATE TABLE person_secret (
  kind       TEXT    NOT NULL,
  secret_key TEXT    NOT NULL,
  person_id  INTEGER NOT NULL REFERENCES person,
  data       BLOB    NOT NULL,
  at         INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (kind, secret_key)
) WITHOUT ROWID;
CREATE INDEX person_secret_by_person ON person_secret (person_id);

-- The sessions of before had no account; they end now.
DROP TABLE session;
CREATE TABLE session (
  hash       TEXT    PRIMARY KEY,
  person_id  INTEGER NOT NULL,
  data       BLOB    NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_by_end ON session (expires_at);
CREATE INDEX session_by_person ON session (person_id);

-- What is a fact refuses everything but being added. Inserting over a key is refused too, also with INSERT OR REPLACE.
CREATE TRIGGER person_no_update BEFORE UPDATE ON person BEGIN SELECT RAISE(ABORT, 'people are only added, and described anew'); END;
CREATE TRIGGER person_no_delete BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'people are only added, and described anew'); END;
CREATE TRIGGER person_no_replace BEFORE INSERT ON person
  WHEN EXISTS (SELECT 1 FROM person WHERE person_id = NEW.person_id)
  BEGIN SELECT RAISE(ABORT, 'people are only added, and described anew'); END;
CREATE TRIGGER person_description_no_update BEFORE UPDATE ON person_description BEGIN SELECT RAISE(ABORT, 'people are only added, and described anew'); END;
CREATE TRIGGER person_description_no_delete BEFORE DELETE ON person_description BEGIN SELECT RAISE(ABORT, 'people are only added, and described anew'); END;
CREATE TRIGGER person_description_no_replace BEFORE INSERT ON person_description
  WHEN EXISTS (SELECT 1 FROM person_description WHERE person_id = NEW.person_id AND number = NEW.number)
  BEGIN SELECT RAISE(ABORT, 'people are only added, and described anew'); END;
CREATE TRIGGER role_no_update BEFORE UPDATE ON role BEGIN SELECT RAISE(ABORT, 'roles are only added, and described anew'); END;
CREATE TRIGGER role_no_delete BEFORE DELETE ON role BEGIN SELECT RAISE(ABORT, 'roles are only added, and described anew'); END;
CREATE TRIGGER role_no_replace BEFORE INSERT ON role
  WHEN EXISTS (SELECT 1 FROM role WHERE role_id = NEW.role_id)
    OR EXISTS (SELECT 1 FROM role WHERE name = NEW.name)
  BEGIN SELECT RAISE(ABORT, 'roles are only added, and described anew'); END;
CREATE TRIGGER role_description_no_update BEFORE UPDATE ON role_description BEGIN SELECT RAISE(ABORT, 'roles are only added, and described anew'); END;
CREATE TRIGGER role_description_no_delete BEFORE DELETE ON role_description BEGIN SELECT RAISE(ABORT, 'roles are only added, and described anew'); END;
CREATE TRIGGER role_description_no_replace BEFORE INSERT ON role_description
  WHEN EXISTS (SELECT 1 FROM role_description WHERE role_id = NEW.role_id AND number = NEW.number)
  BEGIN SELECT RAISE(ABORT, 'roles are only added, and described anew'); END;
CREATE TRIGGER role_grant_no_update BEFORE UPDATE ON role_grant BEGIN SELECT RAISE(ABORT, 'rights are only given, and ended'); END;
CREATE TRIGGER role_grant_no_delete BEFORE DELETE ON role_grant BEGIN SELECT RAISE(ABORT, 'rights are only given, and ended'); END;
CREATE TRIGGER role_grant_no_replace BEFORE INSERT ON role_grant
  WHEN EXISTS (SELECT 1 FROM role_grant WHERE role_grant_id = NEW.role_grant_id)
  BEGIN SELECT RAISE(ABORT, 'rights are only given, and ended'); END;
CREATE TRIGGER role_grant_end_no_update BEFORE UPDATE ON role_grant_end BEGIN SELECT RAISE(ABORT, 'rights are only given, and ended'); END;
CREATE TRIGGER role_grant_end_no_delete BEFORE DELETE ON role_grant_end BEGIN SELECT RAISE(ABORT, 'rights are only given, and ended'); END;
CREATE TRIGGER role_grant_end_no_replace BEFORE INSERT ON role_grant_end
  WHEN EXISTS (SELECT 1 FROM role_grant_end WHERE role_grant_id = NEW.role_grant_id)
  BEGIN SELECT RAISE(ABORT, 'rights are only given, and ended'); END;
CREATE TRIGGER audit_review_no_update BEFORE UPDATE ON audit_review BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_review_no_delete BEFORE DELETE ON audit_review BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_review_no_replace BEFORE INSERT ON audit_review
  WHEN EXISTS (SELECT 1 FROM audit_review WHERE audit_review_id = NEW.audit_review_id)
  BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;

-- organizations: one row a node of the tree, those that are closed too.
--   organization_id  the node's number in Halley, for ever; 1 is the root
--   parent_id        the node above; NULL for the root
--   name             what people call it
--   path             the names from below the root down to it, such as /Acme/Brno; / for the root
--   time_zone        the time zone (IANA) of its places; '' is that of the node above
--   closed           1 where it is out of use, else 0
--   created_at       when it was made: ISO 8601 in UTC with milliseconds
--   created_ms       the same in milliseconds since 1970-01-01T00:00:00Z
CREATE VIEW organizations AS
WITH RECURSIVE node AS (
  SELECT o.organization_id, o.created_at, COALESCE(x.parent_id, o.parent_id) AS parent_id, x.name, x.time_zone,
         COALESCE(x.closed, 0) AS closed
    FROM organization o
    JOIN organization_description x ON x.organization_id = o.organization_id
     AND x.number = (SELECT MAX(n.number) FROM organization_description n WHERE n.organization_id = o.organization_id)
), line AS (
  SELECT n.*, '' AS path, 0 AS depth FROM node n WHERE n.parent_id IS NULL
  UNION ALL
  SELECT n.*, l.path || '/' || n.name, l.depth + 1 FROM line l JOIN node n ON n.parent_id = l.organization_id WHERE l.depth < 64
)
SELECT l.organization_id,
       l.parent_id,
       l.name,
       CASE WHEN l.path = '' THEN '/' ELSE l.path END AS path,
       l.time_zone,
       l.closed,
       strftime('%Y-%m-%dT%H:%M:%S', l.created_at / 1000, 'unixepoch') || printf('.%03dZ', l.created_at % 1000) AS created_at,
       l.created_at AS created_ms
  FROM line l;

-- places has two columns more.
--   organization_id  the organization that owns it now; 1 is the root
--   organization     that one's path, such as /Acme/Brno
--   closed           1 where it is out of use, else 0
DROP VIEW places;
CREATE VIEW places AS
SELECT p.place_id,
       COALESCE(x.organization_id, p.organization_id) AS organization_id,
       x.name,
       strftime('%Y-%m-%dT%H:%M:%S', p.created_at / 1000, 'unixepoch') || printf('.%03dZ', p.created_at % 1000) AS created_at,
       p.created_at AS created_ms,
       o.path AS organization,
       COALESCE(x.closed, 0) AS closed
  FROM place p
  JOIN place_description x ON x.place_id = p.place_id
   AND x.number = (SELECT MAX(n.number) FROM place_description n WHERE n.place_id = p.place_id)
  LEFT JOIN organizations o ON o.organization_id = COALESCE(x.organization_id, p.organization_id);

-- devices has two columns more.
--   place_id, place_name  the place where the device is now; NULL where it is at none, or its channels are at several
--   organization_id  the organization that it belongs to: that of its place, else where it was put; 1 is the root
--   organization     that one's path, such as /Acme/Brno
DROP VIEW devices;
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
       y.name AS place_name,
       d.serial GLOB '0000[0-9][0-9][0-9][0-9]' AND d.serial <> '00000000' AS simulated,
       COALESCE(y.organization_id, p.organization_id, x.organization_id, 1) AS organization_id,
       o.path AS organization
  FROM device d
  JOIN device_description x ON x.device_id = d.device_id
   AND x.number = (SELECT MAX(n.number) FROM device_description n WHERE n.device_id = d.device_id)
  LEFT JOIN place p ON p.place_id = x.place_id
  LEFT JOIN place_description y ON y.place_id = x.place_id
   AND y.number = (SELECT MAX(n.number) FROM place_description n WHERE n.place_id = x.place_id)
  LEFT JOIN organizations o ON o.organization_id = COALESCE(y.organization_id, p.organization_id, x.organization_id, 1);

-- attachments: one row a time in which a channel was at a place. The samples of a place are those of its channels between from_ms
-- and to_ms, by measured_ms.
--   place_id, place_name  the place
--   series           the first channel of the line of the place's history that this one continues
--   channel_id       the channel
--   device_id, device_family, device_serial  the device that it belongs to
--   from_at, from_ms when it came to the place: ISO 8601 in UTC with milliseconds, and in milliseconds since 1970-01-01T00:00:00Z
--   to_at, to_ms     when it left; NULL where it is there
CREATE VIEW attachments AS
SELECT a.place_id,
       (SELECT p.name FROM place_description p WHERE p.place_id = a.place_id ORDER BY p.number DESC LIMIT 1) AS place_name,
       COALESCE(a.series, a.channel_id) AS series,
       a.channel_id,
       c.device_id,
       d.family AS device_family,
       d.serial AS device_serial,
       strftime('%Y-%m-%dT%H:%M:%S', a.from_at / 1000, 'unixepoch') || printf('.%03dZ', a.from_at % 1000) AS from_at,
       a.from_at AS from_ms,
       strftime('%Y-%m-%dT%H:%M:%S', a.to_at / 1000, 'unixepoch') || printf('.%03dZ', a.to_at % 1000) AS to_at,
       a.to_at AS to_ms
  FROM (SELECT n.channel_id, n.place_id, n.series, n.from_at,
               LEAD(n.from_at) OVER (PARTITION BY n.channel_id ORDER BY n.from_at, n.attachment_id) AS to_at
          FROM attachment n) a
  JOIN channel c ON c.channel_id = a.channel_id
  JOIN device d ON d.device_id = c.device_id
 WHERE a.place_id IS NOT NULL AND (a.to_at IS NULL OR a.to_at > a.from_at);
