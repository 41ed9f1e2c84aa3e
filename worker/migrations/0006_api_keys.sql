-- API keys: what an account's own scripts use in place of OAuth. The account's own Grant object is the
-- truth; a row is the list. No row holds a key, only its last four characters.
CREATE TABLE api_keys (
  id         TEXT PRIMARY KEY,           -- the same again is a retry
  account_id TEXT NOT NULL REFERENCES accounts (id),
  family     INTEGER NOT NULL,           -- its number in the object
  status     TEXT NOT NULL,              -- issuing, live, ending, ended
  label      TEXT NOT NULL,
  hint       TEXT NOT NULL DEFAULT '',   -- the last four characters
  scope      TEXT NOT NULL,
  created_by TEXT NOT NULL,              -- user id
  created_at INTEGER NOT NULL,
  asked_ms   INTEGER NOT NULL,           -- stands for the consent number in the object
  expires_at INTEGER NOT NULL,           -- 0 is never
  used_at    INTEGER,
  revoked_at INTEGER,
  UNIQUE (account_id, family)
) STRICT;
CREATE INDEX api_keys_by_account ON api_keys (account_id, created_at);
