-- The platform's own APIs, which may introspect tokens. What decides about a request (secrets, scopes) is in
-- the object of each; this is the listing. Numbers are never used again, so rows are never deleted.
DROP TABLE resource_servers;

CREATE TABLE resource_servers (
  number     INTEGER PRIMARY KEY,        -- of a range behind those of apps
  client_id  TEXT NOT NULL UNIQUE,
  resource   TEXT NOT NULL,              -- its identifier (RFC 8707)
  name       TEXT NOT NULL,
  scope      TEXT NOT NULL,              -- the scopes that it serves, separated by spaces
  status     TEXT NOT NULL,              -- registering, live, deleted
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX resource_servers_by_resource ON resource_servers (resource) WHERE status = 'live';
