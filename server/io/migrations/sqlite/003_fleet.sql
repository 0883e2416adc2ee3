-- From "a job is held by a worker" to "a task of a job is held by a worker": leases move from jobs
-- to tasks, what is told to the outside waits in the outbox.
DROP TRIGGER jobs_changed_by_hand;
DROP INDEX jobs_live;
ALTER TABLE jobs DROP COLUMN epoch;
ALTER TABLE jobs DROP COLUMN lease_holder;
ALTER TABLE jobs DROP COLUMN lease_expires_at;
ALTER TABLE jobs DROP COLUMN not_before;
ALTER TABLE jobs ADD COLUMN webhook_url   TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN encoder       TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN degraded      TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN sound_key     TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN sound_sha256  TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN sound_facts   TEXT    NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN started_at    INTEGER;
ALTER TABLE jobs ADD COLUMN rendered_at   INTEGER;
ALTER TABLE jobs ADD COLUMN open_segments INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET open_segments =
  (SELECT count(*) FROM segments s WHERE s.job_id = jobs.id AND s.status <> 'DONE');
CREATE INDEX jobs_live ON jobs (priority DESC, seq, tenant, open_segments)
  WHERE status IN ('QUEUED', 'PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING');

ALTER TABLE segments ADD COLUMN footage        TEXT;
ALTER TABLE segments ADD COLUMN footage_key    TEXT NOT NULL DEFAULT '';
ALTER TABLE segments ADD COLUMN footage_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE segments ADD COLUMN render_seconds REAL NOT NULL DEFAULT 0;
ALTER TABLE segments ADD COLUMN finished_at    INTEGER;
CREATE INDEX segments_finished ON segments (finished_at, render_seconds)
  WHERE finished_at IS NOT NULL;

-- One row for each piece of work that is ready (no holder) or held.
CREATE TABLE tasks (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id     TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  work       TEXT    NOT NULL CHECK (work IN ('prepare', 'footage', 'sound', 'render', 'finish')),
  segment    INTEGER NOT NULL,
  tenant     TEXT    NOT NULL,
  priority   INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  encoder    TEXT    NOT NULL,
  holder     TEXT    NOT NULL DEFAULT '',
  epoch      INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  failures   INTEGER NOT NULL DEFAULT 0,
  frames     INTEGER NOT NULL DEFAULT 0,
  UNIQUE (job_id, work, segment)
) STRICT;
CREATE INDEX tasks_ready ON tasks (work, encoder, tenant, priority DESC, seq, segment)
  WHERE holder = '';
CREATE INDEX tasks_held ON tasks (tenant) WHERE holder <> '';
CREATE INDEX tasks_expiring ON tasks (expires_at) WHERE holder <> '';

-- Told to the outside: one for each end of a job that has a webhook.
CREATE TABLE outbox (
  id              TEXT    NOT NULL PRIMARY KEY,
  job_id          TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  url             TEXT    NOT NULL,
  status          TEXT    NOT NULL,
  error           TEXT    NOT NULL,
  fallback_used   INTEGER NOT NULL,
  fallback_reason TEXT    NOT NULL,
  state           TEXT    NOT NULL DEFAULT 'pending'
                  CHECK (state IN ('pending', 'delivered', 'given_up')),
  attempts        INTEGER NOT NULL DEFAULT 0,
  epoch           INTEGER NOT NULL DEFAULT 0,
  due_at          INTEGER NOT NULL,
  created_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (due_at) WHERE state = 'pending';
CREATE INDEX outbox_of_job ON outbox (job_id, created_at);

CREATE TABLE dead_letters (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id   TEXT    NOT NULL,
  event_id TEXT    NOT NULL,
  cause    TEXT    NOT NULL,
  at       INTEGER NOT NULL
) STRICT;

CREATE TABLE workers (
  holder     TEXT    NOT NULL PRIMARY KEY,
  host       TEXT    NOT NULL,
  pid        INTEGER NOT NULL,
  threads    INTEGER NOT NULL,
  device     TEXT    NOT NULL,
  encoders   TEXT    NOT NULL,  -- a JSON array
  draining   INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fleet (draining INTEGER NOT NULL) STRICT;
INSERT INTO fleet (draining) VALUES (0);

-- Jobs of the old kind that were on their way begin a new run; their finished segments stay.
UPDATE jobs SET status = 'QUEUED', run = run + 1, version = version + 1, completed_at = NULL
  WHERE status IN ('PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING');
UPDATE segments SET status = 'PENDING' WHERE status IN ('RUNNING', 'FAILED') AND job_id IN
  (SELECT id FROM jobs WHERE status = 'QUEUED');
INSERT INTO tasks (job_id, work, segment, tenant, priority, seq, encoder)
  SELECT id, 'prepare', -1, tenant, priority, seq, '' FROM jobs WHERE status = 'QUEUED';

-- A change by hand is seen by followers too: it grows the version like any other.
CREATE TRIGGER jobs_changed_by_hand AFTER UPDATE OF status, error, priority ON jobs
  WHEN NEW.version = OLD.version
BEGIN
  UPDATE jobs
     SET version = OLD.version + 1,
         updated_at = CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER),
         completed_at = CASE WHEN NEW.status IN ('DONE', 'FAILED', 'CANCELLED') THEN
           coalesce(completed_at, CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER))
         END
   WHERE seq = NEW.seq;
END;

CREATE TRIGGER jobs_priority_changed AFTER UPDATE OF priority ON jobs
  WHEN NEW.priority <> OLD.priority
BEGIN
  UPDATE tasks SET priority = NEW.priority WHERE job_id = NEW.id;
END;

-- However a job ended: nobody works on it any more, and its webhook is told.
CREATE TRIGGER jobs_ended AFTER UPDATE OF status ON jobs
  WHEN NEW.status IN ('DONE', 'FAILED', 'CANCELLED')
   AND OLD.status NOT IN ('DONE', 'FAILED', 'CANCELLED')
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  UPDATE segments SET status = 'PENDING' WHERE job_id = NEW.id AND status = 'RUNNING';
  INSERT INTO outbox (id, job_id, url, status, error, fallback_used, fallback_reason, due_at,
                      created_at)
    SELECT 'msg_' || NEW.id || '_' || max(NEW.version, OLD.version + 1), NEW.id, NEW.webhook_url,
           NEW.status, coalesce(NEW.error, ''), NEW.fallback_used,
           coalesce(NEW.fallback_reason, ''), 0,
           CASE NEW.version WHEN OLD.version
             THEN CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)
             ELSE NEW.updated_at END
     WHERE NEW.webhook_url <> '';
END;

-- A job that is queued again, by whomever, begins with its preparation.
CREATE TRIGGER jobs_queued_again AFTER UPDATE OF status ON jobs
  WHEN NEW.status = 'QUEUED' AND OLD.status <> 'QUEUED'
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  INSERT INTO tasks (job_id, work, segment, tenant, priority, seq, encoder)
    VALUES (NEW.id, 'prepare', -1, NEW.tenant, NEW.priority, NEW.seq, '');
END;
