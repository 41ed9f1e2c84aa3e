-- People and accounts of identity providers. A person is (issuer, sub), an account (issuer, external id);
-- both are found by keyed hash, so that nothing of theirs can be read here.

-- The person's row in `users` has no password, and `email_lookup` is the subject's look-up name: no
-- address finds it, so nobody's address is taken, whoever else has it.
CREATE TABLE identities (
  issuer         TEXT NOT NULL,
  subject_lookup TEXT NOT NULL,          -- keyed hash of issuer and `sub`
  user_id        TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
  staff          INTEGER NOT NULL DEFAULT 0,  -- whether the last sign-in had the claim that makes platform staff
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (issuer, subject_lookup)
) STRICT;

CREATE TABLE provider_accounts (
  issuer          TEXT NOT NULL,
  external_lookup TEXT NOT NULL,         -- keyed hash of issuer and the provider's account id
  account_id      TEXT NOT NULL UNIQUE REFERENCES accounts (id) ON DELETE CASCADE,
  PRIMARY KEY (issuer, external_lookup)
) STRICT;
