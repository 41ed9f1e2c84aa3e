-- The history of an app for its developers leaves out what its customers did with it: of an app with many
-- customers, nearly everything.
CREATE INDEX audit_of_app ON audit (app, id) WHERE app IS NOT NULL AND account_id IS NULL;
