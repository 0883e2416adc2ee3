-- Footage is leased by the engine that is to be asked next, so that only who has a slot of it takes
-- the task (docs/adr, pools by purpose).
ALTER TABLE segments ADD COLUMN engine_next     TEXT NOT NULL DEFAULT '';
ALTER TABLE segments ADD COLUMN engine_failures TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN engine TEXT NOT NULL DEFAULT '';
DROP INDEX tasks_ready;
CREATE INDEX tasks_ready ON tasks (kind, encoder, engine, tenant, priority DESC, seq, segment)
  WHERE worker_id = '';

-- What each worker has.
ALTER TABLE workers ADD COLUMN device_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE workers ADD COLUMN engines     TEXT NOT NULL DEFAULT '[]';  -- a JSON array
ALTER TABLE workers ADD COLUMN pools       TEXT NOT NULL DEFAULT '[]';  -- a JSON array of objects
