-- Consents and what is left of them. The Grant object is the truth about tokens; an install row is
-- the list. Rows are ended, never deleted: `seq`, the consent number, only grows.

CREATE TABLE installs (
  account_id TEXT NOT NULL REFERENCES accounts (id),
  app        INTEGER NOT NULL REFERENCES apps (number),
  grant_id   TEXT NOT NULL UNIQUE,       -- name of the object
  seq        INTEGER NOT NULL,
  status     TEXT NOT NULL,              -- allowed, connected, ending, ended
  scope      TEXT NOT NULL,
  user_id    TEXT NOT NULL,              -- who allowed
  allowed_at INTEGER NOT NULL,
  used_at    INTEGER,
  ended_at   INTEGER,
  ended_why  TEXT,
  PRIMARY KEY (account_id, app)
) STRICT;

-- The second copy of a code's record, read only when KV does not have it.
CREATE TABLE codes (
  hash       TEXT PRIMARY KEY,           -- SHA-256 of the code
  record     TEXT NOT NULL,              -- JSON, the same as in KV
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX codes_by_expiry ON codes (expires_at);

-- Decisions of consent pages: each number once.
CREATE TABLE decisions (
  number     TEXT PRIMARY KEY,
  batch      TEXT NOT NULL,              -- which request inserted it
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX decisions_by_expiry ON decisions (expires_at);

CREATE TABLE audit (
  id         INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  actor      TEXT NOT NULL,              -- user id, client id or "platform"
  action     TEXT NOT NULL,
  account_id TEXT,
  app        INTEGER
) STRICT;
CREATE INDEX audit_by_account ON audit (account_id, at);
CREATE INDEX audit_by_app ON audit (app, at);

-- Resource servers that may introspect, and tokens of the management API. Secrets as keyed hashes.
CREATE TABLE resource_servers (
  client_id  TEXT PRIMARY KEY,
  key_id     INTEGER NOT NULL,
  hash       TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE management_tokens (
  hash       TEXT PRIMARY KEY,
  label      TEXT NOT NULL,
  expires_at INTEGER NOT NULL            -- 0 is never
) STRICT;
