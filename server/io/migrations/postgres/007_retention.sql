-- What a garbage collector needs to know, see migrations/sqlite.
CREATE TABLE job_assets (
  job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
  key    TEXT NOT NULL,
  PRIMARY KEY (job_id, key)
);
CREATE INDEX job_assets_key ON job_assets (key);
INSERT INTO job_assets (job_id, key)
  SELECT DISTINCT jobs.id, substr(node #>> '{}', 11)
    FROM jobs, jsonb_path_query(jobs.spec::jsonb, '$.assets.**') AS node
   WHERE jsonb_typeof(node) = 'string' AND node #>> '{}' LIKE 'storage://%';

ALTER TABLE assets ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;
UPDATE assets SET last_used_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
CREATE INDEX assets_last_used ON assets (last_used_at);
CREATE INDEX assets_key ON assets (key);

ALTER TABLE jobs ADD COLUMN files_removed_at BIGINT;
CREATE INDEX jobs_with_files ON jobs (status, completed_at)
  WHERE files_removed_at IS NULL AND completed_at IS NOT NULL;
CREATE INDEX jobs_without_files ON jobs (completed_at) WHERE files_removed_at IS NOT NULL;

CREATE INDEX idempotency_records_created ON idempotency_records (created_at);
CREATE INDEX outbox_settled ON outbox (due_at) WHERE state <> 'pending';
CREATE INDEX dead_letters_at ON dead_letters (at);
CREATE INDEX dead_letters_of_job ON dead_letters (job_id);

CREATE TABLE deletions (
  key    TEXT   NOT NULL PRIMARY KEY,
  tenant TEXT   NOT NULL,
  due_at BIGINT NOT NULL
);
CREATE INDEX deletions_due ON deletions (due_at);

CREATE TABLE gc_schedule (next_at BIGINT NOT NULL);
INSERT INTO gc_schedule (next_at) VALUES (0);

-- A job that is queued again, by whomever, begins with its preparation, has its time anew, and
-- needs its files again.
CREATE OR REPLACE FUNCTION jobs_queue_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  INSERT INTO tasks (job_id, kind, segment, tenant, priority, seq, encoder)
    VALUES (NEW.id, 'prepare', -1, NEW.tenant, NEW.priority, NEW.seq, '');
  UPDATE jobs SET taken_at = NULL, files_removed_at = NULL WHERE seq = NEW.seq;
  RETURN NULL;
END $$;
