-- Columns and tables get the names that the code has for them: a task's kind and the worker that
-- holds it, audio, idempotency records. The table of tasks is made anew for its CHECK.
DROP TRIGGER jobs_priority_changed;
DROP TRIGGER jobs_ended;
DROP TRIGGER jobs_queued_again;

CREATE TABLE tasks_renamed (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id     TEXT    NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  kind       TEXT    NOT NULL CHECK (kind IN ('prepare', 'footage', 'audio', 'render', 'finish')),
  segment    INTEGER NOT NULL,
  tenant     TEXT    NOT NULL,
  priority   INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  encoder    TEXT    NOT NULL,
  worker_id  TEXT    NOT NULL DEFAULT '',
  epoch      INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  failures   INTEGER NOT NULL DEFAULT 0,
  frames     INTEGER NOT NULL DEFAULT 0,
  UNIQUE (job_id, kind, segment)
) STRICT;
INSERT INTO tasks_renamed
  SELECT id, job_id, CASE work WHEN 'sound' THEN 'audio' ELSE work END, segment, tenant, priority,
         seq, encoder, holder, epoch, expires_at, not_before, failures, frames FROM tasks;
DROP TABLE tasks;
ALTER TABLE tasks_renamed RENAME TO tasks;
CREATE INDEX tasks_ready ON tasks (kind, encoder, tenant, priority DESC, seq, segment)
  WHERE worker_id = '';
CREATE INDEX tasks_held ON tasks (tenant) WHERE worker_id <> '';
CREATE INDEX tasks_expiring ON tasks (expires_at) WHERE worker_id <> '';

ALTER TABLE workers RENAME COLUMN holder TO worker_id;
ALTER TABLE receipts RENAME TO idempotency_records;
ALTER TABLE jobs RENAME COLUMN sound_key TO audio_key;
ALTER TABLE jobs RENAME COLUMN sound_sha256 TO audio_sha256;
ALTER TABLE jobs RENAME COLUMN sound_facts TO audio_facts;
DROP INDEX jobs_sound;
CREATE INDEX jobs_audio ON jobs (audio_key) WHERE audio_key <> '';

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

-- A job that is queued again, by whomever, begins with its preparation, and has its time anew.
CREATE TRIGGER jobs_queued_again AFTER UPDATE OF status ON jobs
  WHEN NEW.status = 'QUEUED' AND OLD.status <> 'QUEUED'
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  INSERT INTO tasks (job_id, kind, segment, tenant, priority, seq, encoder)
    VALUES (NEW.id, 'prepare', -1, NEW.tenant, NEW.priority, NEW.seq, '');
  UPDATE jobs SET taken_at = NULL WHERE seq = NEW.seq;
END;
