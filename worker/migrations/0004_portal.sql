-- What developers say about their apps, what waits for review, who did what from where, and what a
-- management token may do. What decides about a request is in each app's object; this is the listing.

ALTER TABLE apps ADD COLUMN account_id TEXT REFERENCES accounts (id);         -- whose developers manage it; NULL: staff
ALTER TABLE apps ADD COLUMN client_type TEXT NOT NULL DEFAULT 'confidential';
ALTER TABLE apps ADD COLUMN details TEXT NOT NULL DEFAULT '{}';               -- JSON: the version in use
ALTER TABLE apps ADD COLUMN name_key TEXT NOT NULL DEFAULT '';                -- what names that look alike have in common
ALTER TABLE apps ADD COLUMN contact_sealed TEXT;
ALTER TABLE apps ADD COLUMN submitted_at INTEGER;                             -- waits for review since
ALTER TABLE apps ADD COLUMN revision TEXT;                                    -- JSON: the version that waits for review
ALTER TABLE apps ADD COLUMN reason TEXT NOT NULL DEFAULT '';                  -- why it was rejected or suspended
ALTER TABLE apps ADD COLUMN rate_wish TEXT NOT NULL DEFAULT '';               -- the limit that its developer asks for, and why
CREATE INDEX apps_by_account ON apps (account_id);
CREATE INDEX apps_by_submission ON apps (submitted_at) WHERE submitted_at IS NOT NULL;
CREATE INDEX apps_by_name_key ON apps (name_key);
CREATE INDEX installs_by_app ON installs (app, status);
CREATE INDEX installs_by_account ON installs (account_id, status, allowed_at);
CREATE INDEX members_by_account ON members (account_id);

ALTER TABLE audit ADD COLUMN subject TEXT NOT NULL DEFAULT '';                -- a hint or id of what it was about; nothing personal
ALTER TABLE audit ADD COLUMN detail TEXT NOT NULL DEFAULT '';                 -- in words; nothing personal
ALTER TABLE audit ADD COLUMN place_sealed TEXT;                               -- the caller's address
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_actor ON audit (actor, id);

ALTER TABLE management_tokens ADD COLUMN scope TEXT NOT NULL DEFAULT '*';
ALTER TABLE management_tokens ADD COLUMN account_id TEXT REFERENCES accounts (id);  -- NULL: the platform's
ALTER TABLE management_tokens ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE management_tokens ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;

-- Repeated creates of the management API: what the first one made.
CREATE TABLE idempotency (
  name       TEXT PRIMARY KEY,           -- keyed hash of token, key and request
  request    TEXT NOT NULL,              -- SHA-256 of the body
  status     INTEGER NOT NULL,           -- 0 while it runs
  body       TEXT NOT NULL,              -- the answer without its secret
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at);
