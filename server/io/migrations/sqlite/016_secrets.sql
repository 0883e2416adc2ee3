-- What all processes of an installation know and nobody else: made by the first that asks.
CREATE TABLE shared_secrets (
  name   TEXT NOT NULL PRIMARY KEY,
  value  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
