-- What was ordered from engines that cost money (engines/remote/spend_ledger.h). No reference to
-- jobs: what was spent stays spent when a job's row is deleted.
CREATE TABLE purchases (
  key         TEXT    NOT NULL PRIMARY KEY,
  job_id      TEXT    NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('asked', 'ordered', 'ended')),
  remote_id   TEXT    NOT NULL DEFAULT '',
  micro_usd   INTEGER NOT NULL,
  reserved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX purchases_reserved ON purchases (reserved_at);

-- What they add up to: accounts are 'day/2026-01-31' (UTC) and 'job/ID'. Their rows are what
-- reservations of several workers wait for in turn.
CREATE TABLE spend (
  account    TEXT    NOT NULL PRIMARY KEY,
  micro_usd  INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
