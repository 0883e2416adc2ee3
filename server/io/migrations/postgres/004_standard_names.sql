-- The names that the code has, see migrations/sqlite/007_standard_names.sql.
ALTER TABLE tasks RENAME COLUMN work TO kind;
ALTER TABLE tasks RENAME COLUMN holder TO worker_id;
ALTER TABLE tasks DROP CONSTRAINT tasks_work_check;
UPDATE tasks SET kind = 'audio' WHERE kind = 'sound';
ALTER TABLE tasks ADD CONSTRAINT tasks_kind_check
  CHECK (kind IN ('prepare', 'footage', 'audio', 'render', 'finish'));
ALTER TABLE workers RENAME COLUMN holder TO worker_id;
ALTER TABLE receipts RENAME TO idempotency_records;
ALTER TABLE jobs RENAME COLUMN sound_key TO audio_key;
ALTER TABLE jobs RENAME COLUMN sound_sha256 TO audio_sha256;
ALTER TABLE jobs RENAME COLUMN sound_facts TO audio_facts;
ALTER INDEX jobs_sound RENAME TO jobs_audio;

CREATE OR REPLACE FUNCTION jobs_queue_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  INSERT INTO tasks (job_id, kind, segment, tenant, priority, seq, encoder)
    VALUES (NEW.id, 'prepare', -1, NEW.tenant, NEW.priority, NEW.seq, '');
  UPDATE jobs SET taken_at = NULL WHERE seq = NEW.seq;
  RETURN NULL;
END $$;
