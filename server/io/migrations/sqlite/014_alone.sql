-- Whether the worker of a task does nothing else, and how many workers died so: then it is to blame.
ALTER TABLE tasks ADD COLUMN alone        INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN deaths_alone INTEGER NOT NULL DEFAULT 0;
