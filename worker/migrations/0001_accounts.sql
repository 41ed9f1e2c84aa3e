-- Accounts, people, apps and what connects them. Times are seconds since 1970 unless the name says
-- otherwise. Ids are random (32 hexadecimal digits) and never reused. Personal data is sealed.

CREATE TABLE accounts (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
  id             TEXT PRIMARY KEY,
  email_lookup   TEXT NOT NULL UNIQUE,   -- keyed hash of the address in lower case
  email_sealed   TEXT NOT NULL,
  name_sealed    TEXT NOT NULL,
  password_hash  TEXT NOT NULL,          -- argon2id, PHC string
  epoch          INTEGER NOT NULL DEFAULT 0,  -- raised by a password change: ends every session
  platform_admin INTEGER NOT NULL DEFAULT 0,
  created_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
  account_id TEXT NOT NULL REFERENCES accounts (id),
  user_id    TEXT NOT NULL REFERENCES users (id),
  role       TEXT NOT NULL,
  PRIMARY KEY (user_id, account_id)
) STRICT;

CREATE TABLE sessions (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id),
  epoch      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The listing of apps: what pages show. What decides is in each app's object.
CREATE TABLE apps (
  number      INTEGER PRIMARY KEY,
  client_id   TEXT NOT NULL UNIQUE,
  name        TEXT NOT NULL,
  developer   TEXT NOT NULL,
  description TEXT NOT NULL,
  website     TEXT NOT NULL,
  logo        TEXT,                      -- SHA-256 of the approved logo
  status      TEXT NOT NULL,
  development INTEGER NOT NULL DEFAULT 0,
  created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE logos (
  sha256     TEXT PRIMARY KEY,
  media_type TEXT NOT NULL,
  bytes      BLOB NOT NULL
) STRICT;
