-- When the job was first taken by a worker since it was submitted or queued again: what its
-- deadline counts from, whoever works on it.
ALTER TABLE jobs ADD COLUMN taken_at INTEGER;
UPDATE jobs SET taken_at = updated_at
  WHERE status IN ('PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING');

DROP TRIGGER jobs_queued_again;
-- A job that is queued again, by whomever, begins with its preparation, and has its time anew.
CREATE TRIGGER jobs_queued_again AFTER UPDATE OF status ON jobs
  WHEN NEW.status = 'QUEUED' AND OLD.status <> 'QUEUED'
BEGIN
  DELETE FROM tasks WHERE job_id = NEW.id;
  INSERT INTO tasks (job_id, work, segment, tenant, priority, seq, encoder)
    VALUES (NEW.id, 'prepare', -1, NEW.tenant, NEW.priority, NEW.seq, '');
  UPDATE jobs SET taken_at = NULL WHERE seq = NEW.seq;
END;
