-- What is known of clips and sound.
ALTER TABLE assets ADD COLUMN duration_seconds REAL    NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN channels         INTEGER NOT NULL DEFAULT 0;
ALTER TABLE assets ADD COLUMN sample_rate      INTEGER NOT NULL DEFAULT 0;
