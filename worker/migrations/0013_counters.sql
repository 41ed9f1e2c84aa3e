-- What operators count, in slots of ten minutes: added to by each isolate at most once a minute, deleted after
-- eight days. Fixed words and numbers, nothing about anybody.
CREATE TABLE counters (
  slot  INTEGER NOT NULL,
  name  TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (slot, name)
) STRICT, WITHOUT ROWID;
