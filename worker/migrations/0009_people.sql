-- Which hash key made a person's look-up name; 0 is not known. The daily sweep renews older ones.
ALTER TABLE users ADD COLUMN lookup_key INTEGER NOT NULL DEFAULT 0;

-- Histories are read by id, the newest first.
DROP INDEX audit_by_account;
DROP INDEX audit_by_app;
CREATE INDEX audit_by_account ON audit (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX audit_by_app ON audit (app, id) WHERE app IS NOT NULL;

-- Everything of a person: their page, a password change, a deletion.
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX installs_by_user ON installs (user_id);
CREATE INDEX apps_by_owner ON apps (owner_id) WHERE owner_id IS NOT NULL;
