-- Notices as a development build keeps them instead of sending them; empty everywhere else. Sealed: they
-- hold addresses and names.
CREATE TABLE mail (
  id     INTEGER PRIMARY KEY,
  at     INTEGER NOT NULL,
  sealed TEXT NOT NULL
) STRICT;
