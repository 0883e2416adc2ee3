-- Each death of a worker that is held against a task, until the task ends or the worker says that it
-- lives. Those of one reaping of a job have one time and count as many crashes of it together.
CREATE TABLE deaths (
  task_id    INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  worker_id  TEXT    NOT NULL,
  at         INTEGER NOT NULL,
  alone      INTEGER NOT NULL,  -- the worker did nothing else
  in_row     INTEGER NOT NULL,  -- alone, and no worker died of other work since
  crashes    INTEGER NOT NULL,  -- by how much the job's crashes grew
  PRIMARY KEY (task_id, worker_id, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX deaths_of_worker ON deaths (worker_id);
ALTER TABLE tasks DROP COLUMN deaths_alone;
ALTER TABLE tasks DROP COLUMN deaths_in_row;
