-- What a garbage collector needs to know: what refers to what, and since when nothing does.

-- The uploaded files that a job is made of.
CREATE TABLE job_assets (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  key    TEXT NOT NULL,
  PRIMARY KEY (job_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_assets_key ON job_assets (key);
INSERT OR IGNORE INTO job_assets (job_id, key)
  SELECT jobs.id, substr(node.atom, 11) FROM jobs, json_tree(jobs.spec, '$.assets') AS node
   WHERE json_valid(jobs.spec) AND node.type = 'text' AND node.atom LIKE 'storage://%';

-- Uploaded, or named by a job whose files were there, for the last time. Those of today start anew.
ALTER TABLE assets ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
UPDATE assets SET last_used_at =
  CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER);
CREATE INDEX assets_last_used ON assets (last_used_at);
CREATE INDEX assets_key ON assets (key);

-- When the files of an ended job were given up; NULL while they are there.
ALTER TABLE jobs ADD COLUMN files_removed_at INTEGER;
CREATE INDEX jobs_with_files ON jobs (status, completed_at)
  WHERE files_removed_at IS NULL AND completed_at IS NOT NULL;
CREATE INDEX jobs_without_files ON jobs (completed_at) WHERE files_removed_at IS NOT NULL;

CREATE INDEX idempotency_records_created ON idempotency_records (created_at);
CREATE INDEX outbox_settled ON outbox (due_at) WHERE state <> 'pending';
CREATE INDEX dead_letters_at ON dead_letters (at);
CREATE INDEX dead_letters_of_job ON dead_letters (job_id);

-- Objects whose deletion is decided and perhaps not carried out: a key, or the beginning of keys
-- when it ends with '/' or '.'. Leased by due_at, as events are.
CREATE TABLE deletions (
  key    TEXT    NOT NULL PRIMARY KEY,
  tenant TEXT    NOT NULL,  -- whose it was; '' when no row says so
  due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deletions_due ON deletions (due_at);

-- When the next pass of the collector may begin, whichever process does it.
CREATE TABLE gc_schedule (next_at INTEGER NOT NULL) STRICT;
INSERT INTO gc_schedule (next_at) VALUES (0);

DROP TRIGGER jobs_queued_again;
-- A job that is queued again, by whomever, begins with its preparation, has its time anew, and
-- needs its files again.
CREATE TRIGGER jobs_queued_again AFTER UPDATE OF status ON jobs
  WHEN NEW.status = 'QUEUED' AND OLD.status <> 'QUEUED'
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  INSERT INTO tasks (job_id, kind, segment, tenant, priority, seq, encoder)
    VALUES (NEW.id, 'prepare', -1, NEW.tenant, NEW.priority, NEW.seq, '');
  UPDATE jobs SET taken_at = NULL, files_removed_at = NULL WHERE seq = NEW.seq;
END;
