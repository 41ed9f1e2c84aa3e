-- What else is looked for: the marketplace in its order, platform staff, the keys that somebody has made.
CREATE INDEX apps_in_marketplace ON apps (name COLLATE NOCASE, number) WHERE status = 'approved' AND development = 0;
CREATE INDEX users_of_staff ON users (id) WHERE platform_admin = 1;
CREATE INDEX api_keys_by_maker ON api_keys (created_by, created_at);
CREATE INDEX management_tokens_by_id ON management_tokens (id);
-- What the daily sweep looks for.
CREATE INDEX apps_registering ON apps (created_at) WHERE status = 'registering';
CREATE INDEX api_keys_by_status ON api_keys (status, created_at);
