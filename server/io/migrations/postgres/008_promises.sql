-- Promises of GPU memory (jobs/admission/promise_ledger.h), see migrations/sqlite.
CREATE TABLE gpus (
  uuid                    TEXT    NOT NULL PRIMARY KEY,
  sampled_at              BIGINT  NOT NULL,
  sample                  TEXT    NOT NULL,
  foreign_at_last_promise BIGINT  NOT NULL DEFAULT 0,
  violated                BIGINT  NOT NULL DEFAULT 0,
  headroom_used           BIGINT  NOT NULL DEFAULT 0,
  room_task               TEXT    NOT NULL DEFAULT '',
  room_asked_at           BIGINT,
  room_finished           BIGINT  NOT NULL DEFAULT 0
);

CREATE TABLE promises (
  epoch            BIGINT NOT NULL PRIMARY KEY,
  gpu              TEXT   NOT NULL REFERENCES gpus (uuid) ON DELETE CASCADE,
  worker_id        TEXT   NOT NULL,
  task             TEXT   NOT NULL,
  lane             TEXT   NOT NULL,
  bytes            BIGINT NOT NULL,
  model            TEXT   NOT NULL,
  encoder_sessions BIGINT NOT NULL,
  given_at         BIGINT NOT NULL,
  ends_at          BIGINT NOT NULL,
  expires_at       BIGINT NOT NULL,
  released_at      BIGINT
);
CREATE INDEX promises_gpu ON promises (gpu);

CREATE TABLE gpu_reservations (
  gpu        TEXT   NOT NULL PRIMARY KEY REFERENCES gpus (uuid) ON DELETE CASCADE,
  task       TEXT   NOT NULL UNIQUE,
  bytes      BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
