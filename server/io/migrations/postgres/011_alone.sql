-- Whether the worker of a task does nothing else, how many workers died so, and how many of them with
-- no other worker dying between: then the task is to blame.
ALTER TABLE tasks ADD COLUMN alone         BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN deaths_alone  BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN deaths_in_row BIGINT NOT NULL DEFAULT 0;
