-- Version 1. A released file is never edited: its checksum is kept in every database that took it.

-- One row: the change counter, and the time of the last change.
CREATE TABLE changes (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    at  INTEGER NOT NULL
) STRICT;
INSERT INTO changes (one, seq, at) VALUES (1, 0, 0);

-- Check values of the keys: HMACs of a constant. The keys themselves are in keys.json.
CREATE TABLE keys (
    use         TEXT NOT NULL CHECK (use IN ('subject', 'log')),
    id          INTEGER NOT NULL,
    check_value BLOB NOT NULL CHECK (length(check_value) = 32),
    PRIMARY KEY (use, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE subjects (
    row                        INTEGER PRIMARY KEY,
    id                         TEXT NOT NULL UNIQUE,
    erasure_key                BLOB NOT NULL CHECK (length(erasure_key) = 32),
    needs_representative_until TEXT
) STRICT;

CREATE TABLE identifiers (
    hash    BLOB NOT NULL CHECK (length(hash) = 16),
    kind    TEXT NOT NULL,
    key_id  INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (row),
    shared  INTEGER NOT NULL CHECK (shared IN (0, 1)),
    PRIMARY KEY (hash, kind, key_id, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifiers_subject ON identifiers (subject, kind);

-- Records share id, subject, seq and at (milliseconds) of the change, and body (JSON). subject is NULL for what holds for everybody.
CREATE TABLE consent_texts (
    id      TEXT PRIMARY KEY,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    subject INTEGER CHECK (subject IS NULL),
    text    TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.text') STORED,
    version TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.version') STORED,
    locale  TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.locale') STORED,
    sha256  TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.sha256') STORED,
    UNIQUE (text, version, locale)
) STRICT;

CREATE TABLE consents (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    subject INTEGER NOT NULL REFERENCES subjects (row),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    text    TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.evidence.text') STORED,
    version TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.evidence.version') STORED,
    locale  TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.evidence.locale') STORED,
    sha256  TEXT NOT NULL GENERATED ALWAYS AS (body ->> '$.evidence.sha256') STORED
) STRICT;
CREATE INDEX consents_subject ON consents (subject);

CREATE TABLE consent_events (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    consent INTEGER NOT NULL REFERENCES consents (row),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    state   TEXT NOT NULL
) STRICT;
CREATE INDEX consent_events_consent ON consent_events (consent);

CREATE TABLE withdrawals (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    subject INTEGER NOT NULL REFERENCES subjects (row),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX withdrawals_subject ON withdrawals (subject);

-- lifted_at is set once, by a release; what was recorded stays.
CREATE TABLE restrictions (
    row       INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    subject   INTEGER NOT NULL REFERENCES subjects (row),
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    lifted_at INTEGER,
    body      TEXT NOT NULL
) STRICT;
CREATE INDEX restrictions_subject ON restrictions (subject);

CREATE TABLE bases (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    subject INTEGER REFERENCES subjects (row),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX bases_subject ON bases (subject);

CREATE TABLE objections (
    row       INTEGER PRIMARY KEY,
    id        TEXT NOT NULL UNIQUE,
    subject   INTEGER NOT NULL REFERENCES subjects (row),
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    lifted_at INTEGER,
    body      TEXT NOT NULL
) STRICT;
CREATE INDEX objections_subject ON objections (subject);

CREATE TABLE representatives (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    subject INTEGER NOT NULL REFERENCES subjects (row),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX representatives_subject ON representatives (subject);

CREATE TABLE purpose_ends (
    row     INTEGER PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    subject INTEGER REFERENCES subjects (row),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL
) STRICT;
CREATE INDEX purpose_ends_subject ON purpose_ends (subject);

-- Audit events of changes, until the audit log has them.
CREATE TABLE outbox (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    event TEXT NOT NULL
) STRICT;
