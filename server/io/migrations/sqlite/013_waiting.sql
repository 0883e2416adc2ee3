-- What a task waits for, in words, and since when: shown on its job. Written by who holds it.
ALTER TABLE tasks ADD COLUMN waiting_for   TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN waiting_since INTEGER;
