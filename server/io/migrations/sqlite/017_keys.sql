-- API keys (jobs/api_key.h): their digests, never the keys. scopes is the sum of submit 1, read 2, admin 4.
CREATE TABLE api_keys (
  id           TEXT    NOT NULL PRIMARY KEY,
  digest       TEXT    NOT NULL UNIQUE,
  hint         TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  tenant       TEXT    NOT NULL,
  scopes       INTEGER NOT NULL,
  plan         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  expires_at   INTEGER,
  revoked_at   INTEGER,
  last_used_at INTEGER
) STRICT, WITHOUT ROWID;
