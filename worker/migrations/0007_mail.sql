-- Notices as a development build keeps them instead of sending them. Empty everywhere else. Sealed: they
-- hold addresses and names.

CREATE TABLE mail (
  id     TEXT PRIMARY KEY,               -- random; part of the context of `sealed`
  at     INTEGER NOT NULL,
  sealed TEXT NOT NULL                   -- JSON: to, kind, subject, text, html
) STRICT;
CREATE INDEX mail_by_time ON mail (at);
