-- Leases are renewed and asked about by their epochs, all of a worker's in one statement; of all
-- workers one at a time looks for those that ran out.
CREATE INDEX tasks_by_epoch ON tasks (epoch) WHERE worker_id <> '';
ALTER TABLE fleet ADD COLUMN reap_at BIGINT NOT NULL DEFAULT 0;
