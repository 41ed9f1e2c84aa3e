-- Who registered an app: while it waits for review it may work for this person only.
ALTER TABLE apps ADD COLUMN owner_id TEXT REFERENCES users (id);
