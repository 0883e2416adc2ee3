-- What a job's deadline counts from, see migrations/sqlite.
ALTER TABLE jobs ADD COLUMN taken_at BIGINT;
UPDATE jobs SET taken_at = updated_at
  WHERE status IN ('PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING');

-- A job that is queued again, by whomever, begins with its preparation, and has its time anew.
CREATE OR REPLACE FUNCTION jobs_queue_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  INSERT INTO tasks (job_id, work, segment, tenant, priority, seq, encoder)
    VALUES (NEW.id, 'prepare', -1, NEW.tenant, NEW.priority, NEW.seq, '');
  UPDATE jobs SET taken_at = NULL WHERE seq = NEW.seq;
  RETURN NULL;
END $$;
