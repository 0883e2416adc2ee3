-- Finished segments are found by what decides their bytes, for other jobs of their tenant. reused: 1
-- when a segment is a copy of another job's; of a job, how many of its segments that are DONE.
ALTER TABLE segments ADD COLUMN reused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN segments_reused INTEGER NOT NULL DEFAULT 0;
CREATE INDEX segments_by_content ON segments (content_key) WHERE content_key <> '';
