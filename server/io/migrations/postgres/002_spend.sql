-- What was ordered from engines that cost money, see migrations/sqlite.
CREATE TABLE purchases (
  key         TEXT   NOT NULL PRIMARY KEY,
  job_id      TEXT   NOT NULL,
  state       TEXT   NOT NULL CHECK (state IN ('asked', 'ordered', 'ended')),
  remote_id   TEXT   NOT NULL DEFAULT '',
  micro_usd   BIGINT NOT NULL,
  reserved_at BIGINT NOT NULL
);
CREATE INDEX purchases_reserved ON purchases (reserved_at);

CREATE TABLE spend (
  account    TEXT   NOT NULL PRIMARY KEY,
  micro_usd  BIGINT NOT NULL,
  changed_at BIGINT NOT NULL
);
