-- Promises of GPU memory (jobs/admission/promise_ledger.h). A card's row is what all that judge
-- about it wait for in turn. The sample is JSON: nobody asks the database for parts of it, and its
-- time stands beside it.
CREATE TABLE gpus (
  uuid                    TEXT    NOT NULL PRIMARY KEY,
  sampled_at              INTEGER NOT NULL,
  sample                  TEXT    NOT NULL,
  foreign_at_last_promise INTEGER NOT NULL DEFAULT 0,
  violated                INTEGER NOT NULL DEFAULT 0,
  headroom_used           INTEGER NOT NULL DEFAULT 0,
  room_task               TEXT    NOT NULL DEFAULT '',
  room_asked_at           INTEGER,
  room_finished           INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE promises (
  epoch            INTEGER NOT NULL PRIMARY KEY,
  gpu              TEXT    NOT NULL REFERENCES gpus (uuid) ON DELETE CASCADE,
  worker_id        TEXT    NOT NULL,
  task             TEXT    NOT NULL,
  lane             TEXT    NOT NULL,
  bytes            INTEGER NOT NULL,
  model            TEXT    NOT NULL,
  encoder_sessions INTEGER NOT NULL,
  given_at         INTEGER NOT NULL,
  ends_at          INTEGER NOT NULL,
  expires_at       INTEGER NOT NULL,
  released_at      INTEGER
) STRICT;
CREATE INDEX promises_gpu ON promises (gpu);

-- At most one a card and one a task.
CREATE TABLE gpu_reservations (
  gpu        TEXT    NOT NULL PRIMARY KEY REFERENCES gpus (uuid) ON DELETE CASCADE,
  task       TEXT    NOT NULL UNIQUE,
  bytes      INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
