-- Whether the worker of a task does nothing else, how many workers died so, and how many of them with
-- no other worker dying between: then the task is to blame.
ALTER TABLE tasks ADD COLUMN alone         INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN deaths_alone  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN deaths_in_row INTEGER NOT NULL DEFAULT 0;
