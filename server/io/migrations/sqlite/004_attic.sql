-- The sweeper asks whether any row names an object.
CREATE INDEX segments_artifact ON segments (artifact_key) WHERE artifact_key <> '';
CREATE INDEX segments_footage ON segments (footage_key) WHERE footage_key <> '';
CREATE INDEX jobs_sound ON jobs (sound_key) WHERE sound_key <> '';
